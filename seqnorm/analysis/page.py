"""The text of the report: the same tables on the page and on the terminal."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from seqnorm.analysis.arms import BASELINE, Arm, Comparison
from seqnorm.analysis.pictures import Picture
from seqnorm.analysis.records import Ignored
from seqnorm.analysis.tables import arm_table, difference_table, settings_table

INTERVAL_NOTE = (
    "95 %: half-width of the Student t interval of the mean over seeds; - for a single run. "
    "Accuracy and macro-F1 are on the test set, seconds are training time. A diverged run counts "
    "with the scores of the majority class."
)
DIFFERENCE_NOTE = (
    "Mean difference over the seeds that both arms have, with its paired Student t interval (95 %)."
)


@dataclass(frozen=True)
class Section:
    """What the report says about one data set."""

    comparison: Comparison
    floors: Sequence[str]
    pictures: Sequence[Picture]


def terminal_text(sections: Sequence[Section], remarks: Sequence[str]) -> str:
    """Tables and floors as plain text."""
    parts: list[str] = []
    for section in sections:
        parts += [section.comparison.data, arm_table(section.comparison).markdown()]
        differences = difference_table(section.comparison)
        if differences is not None:
            parts += [differences.markdown()]
        parts += ["\n".join(section.floors)]
    parts += [INTERVAL_NOTE, *remarks]
    return "\n\n".join(parts)


def ignored_lines(ignored: Sequence[Ignored]) -> list[str]:
    """One line per run folder that was left out: its name, and why."""
    return [f"{item.folder.name}: {item.reason}" for item in ignored]


def _picture_lines(pictures: Sequence[Picture]) -> list[str]:
    lines: list[str] = []
    for picture in pictures:
        lines += [f"![{picture.caption}]({picture.file_name})", "", f"*{picture.caption}*", ""]
    return lines


def _command(arm: Arm) -> str:
    command = arm.runs[0].environment.get("command")
    if isinstance(command, list):
        command = " ".join(map(str, command))
    return f"`{command}`" if command else "command not recorded"


def _provenance(comparison: Comparison) -> list[str]:
    """Which code made the runs, so that a mixture of versions is seen."""
    commits: Counter[str] = Counter()
    for run in comparison.runs:
        git = run.environment.get("git")
        commit = "unknown commit"
        if isinstance(git, dict) and git.get("commit"):
            commit = f"{git['commit']}{' with local changes' if git.get('dirty') else ''}"
        commits[commit] += 1
    return [f"- code: {commit} (runs: {count})" for commit, count in sorted(commits.items())]


def _config_lines(comparison: Comparison) -> list[str]:
    lines = ["First command of each arm:", ""]
    lines += [f"- {arm.label}: {_command(arm)}" for arm in comparison.arms]
    lines += ["", "Made by:", "", *_provenance(comparison), ""]
    lines += [settings_table(comparison).markdown(), ""]
    lines += ["Settings that all runs share:", "", "```yaml"]
    lines += [f"{key}: {json.dumps(value)}" for key, value in sorted(comparison.shared.items())]
    return [*lines, "```", ""]


def _without_counterpart(comparison: Comparison) -> list[str]:
    labels = [
        arm.label
        for arm in comparison.arms
        if arm.norm != BASELINE and comparison.baseline_of(arm) is None
    ]
    return (
        [f"No counterpart that differs in the norm only: {'; '.join(labels)}.", ""]
        if labels
        else []
    )


def _section_lines(section: Section) -> list[str]:
    lines = [f"## {section.comparison.data}", ""]
    lines += [arm_table(section.comparison).markdown(), "", INTERVAL_NOTE, ""]
    lines += ["### Floors", "", *(f"- {floor}" for floor in section.floors), ""]
    differences = difference_table(section.comparison)
    lines += ["### Difference to no normalisation", ""]
    if differences is None:
        lines += ["No normalised arm has a counterpart without normalisation.", ""]
    else:
        lines += [differences.markdown(), "", DIFFERENCE_NOTE, ""]
        lines += _without_counterpart(section.comparison)
    if section.pictures:
        lines += ["### Pictures", "", *_picture_lines(section.pictures)]
    return [*lines, "### How the runs were made", "", *_config_lines(section.comparison)]


def markdown_page(
    sections: Sequence[Section], ignored: Sequence[Ignored], notes: Sequence[str], csv_name: str
) -> str:
    """The whole page. The same run folders give the same bytes: it carries no date.

    Args:
        sections: One per data set.
        ignored: Run folders that were left out.
        notes: Anything else a reader should know about single runs.
        csv_name: File name of the table with one row per run.
    """
    count = sum(len(section.comparison.runs) for section in sections)
    lines = ["# Comparison of runs", ""]
    lines += [f"Finished runs: {count}, one row each in [{csv_name}]({csv_name}).", ""]
    for section in sections:
        lines += _section_lines(section)
    lines += ["## Left out", ""]
    lines += [f"Run folders ignored: {len(ignored)}.", ""] if ignored else ["Nothing.", ""]
    lines += [f"- {line}" for line in ignored_lines(ignored)]
    if notes:
        lines += ["", "## Notes", "", *(f"- {note}" for note in notes)]
    return "\n".join(lines).rstrip() + "\n"
