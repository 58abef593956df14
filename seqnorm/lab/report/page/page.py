"""The text of the report: the same tables on the page and on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from seqnorm.lab.report.arms.arms import Comparison
from seqnorm.lab.report.page.charts import Picture
from seqnorm.lab.report.page.section import Section, config_text, provenance, remake_commands
from seqnorm.lab.runs.find import Ignored, ignored_lines


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


def picture_name(picture: Picture, comparison: Comparison) -> str:
    """File name of a picture, without its ending."""
    before, _, after = picture.key.partition("-")
    return "-".join(part for part in (before, comparison.slug, after) if part)


def picture_heading(picture: Picture, comparison: Comparison) -> str:
    """Text above a picture: the data set, the question unless the title says it, and the title."""
    title = picture.title.lower().replace("f1 ", "F1 ")
    asked = "" if comparison.question in title else comparison.question
    return f"{', '.join(filter(None, (comparison.subject, asked)))}: {title}"


def _picture_lines(section: Section) -> list[str]:
    lines: list[str] = []
    for picture in section.pictures:
        name = picture_name(picture, section.comparison)
        lines += [
            f"![{picture.title}]({name}.png)",
            "",
            f"*{picture.title}. {picture.caption}*",
            "",
        ]
    return lines


def _config_lines(section: Section) -> list[str]:
    comparison = section.comparison
    lines = ["How to make it again:", "", "```bash", *remake_commands(comparison), "```", ""]
    lines += ["Made by:", "", *(f"- {line}" for line in provenance(comparison)), ""]
    lines += [section.settings.markdown(), ""]
    return [
        *lines,
        "Settings that all runs share:",
        "",
        "```yaml",
        *config_text(comparison),
        "```",
        "",
    ]


def _table_lines(section: Section) -> list[str]:
    lines: list[str] = []
    for entry in section.tables.values():
        lines += [f"### {entry.heading}", "", entry.table.markdown(), "", entry.note, ""]
    return lines


def _section_lines(section: Section, pictures: bool) -> list[str]:
    lines = [f"## {section.comparison.title}", ""]
    lines += [*(f"- {sentence}" for sentence in section.sentences), ""]
    lines += [*(f"- {floor}" for floor in section.floors), ""]
    lines += _table_lines(section)
    if section.pictures and pictures:
        lines += ["### Pictures", "", *_picture_lines(section)]
    return [*lines, "### How the runs were made", "", *_config_lines(section)]


def markdown_page(
    sections: Sequence[Section],
    ignored: Sequence[Ignored],
    notes: Sequence[str],
    csv_name: str,
    pictures: bool = True,
) -> str:
    """The whole page. The same run folders give the same bytes: it carries no date.

    Args:
        sections: One per data set and question.
        ignored: Run folders that were left out.
        notes: Anything else a reader should know about single runs.
        csv_name: File name of the table with one row per run.
        pictures: Whether there are pictures to show.
    """
    count = sum(len(section.comparison.runs) for section in sections)
    lines = ["# Comparison of runs", ""]
    lines += [f"Finished runs: {count}, one row each in [{csv_name}]({csv_name}).", ""]
    for section in sections:
        lines += _section_lines(section, pictures)
    lines += ["## Left out", ""]
    lines += [f"Run folders ignored: {len(ignored)}.", ""] if ignored else ["Nothing.", ""]
    lines += [f"- {line}" for line in ignored_lines(ignored)]
    if notes:
        lines += ["", "## Notes", "", *(f"- {note}" for note in notes)]
    return "\n".join(lines).rstrip() + "\n"
