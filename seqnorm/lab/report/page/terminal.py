"""What the report prints: tables and floors as plain text."""

from __future__ import annotations

from collections.abc import Sequence

from seqnorm.lab.report.page.section import Section
from seqnorm.lab.report.page.setting_pictures import AGAINST


def terminal_text(sections: Sequence[Section], remarks: Sequence[str]) -> str:
    """Tables and floors as plain text."""
    parts: list[str] = []
    notes: dict[str, None] = {}  # ordered, each once
    for section in sections:
        parts.append(section.comparison.title)
        keys = (section.comparison.task.score.name, "differences")
        for key, entry in (*section.tables.items(), *section.values.items()):
            if key in keys or key.startswith(AGAINST):
                parts.append(entry.table.markdown())
                notes[entry.note] = None
        parts += ["\n".join(section.floors)]
    return "\n\n".join([*parts, *notes, *remarks])
