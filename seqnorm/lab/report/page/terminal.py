"""What the report prints: tables and floors as plain text."""

from __future__ import annotations

from collections.abc import Sequence

from seqnorm.lab.report.page.section import Section


def terminal_text(sections: Sequence[Section], remarks: Sequence[str]) -> str:
    """Tables and floors as plain text."""
    parts: list[str] = []
    notes: dict[str, None] = {}  # ordered, each once
    for section in sections:
        parts.append(section.comparison.title)
        keys = (section.comparison.task.score.name, "differences")
        for entry in (section.tables[key] for key in keys if key in section.tables):
            parts.append(entry.table.markdown())
            notes[entry.note] = None
        parts += ["\n".join(section.floors)]
    return "\n\n".join([*parts, *notes, *remarks])
