"""Assembles the report: run folders in, a folder with page, pictures and CSV out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from seqnorm.analysis.arms import compare
from seqnorm.analysis.export import write_csv
from seqnorm.analysis.floors import floor_lines, read_floors
from seqnorm.analysis.page import Section, ignored_lines, markdown_page, terminal_text
from seqnorm.analysis.pictures import draw
from seqnorm.analysis.records import RESULT, Ignored, read_runs

PAGE, CSV = "report.md", "runs.csv"


@dataclass(frozen=True)
class Report:
    """A report that has been written.

    Attributes:
        path: The Markdown page.
        text: The tables as text.
        ignored: Run folders that were left out.
    """

    path: Path
    text: str
    ignored: tuple[Ignored, ...]


def _require_finished(finished: int, paths: Sequence[Path], ignored: Sequence[Ignored]) -> None:
    if not finished:
        given = ", ".join(repr(str(path)) for path in paths)
        raise ValueError(
            f"A report needs at least one finished run (one with a valid {RESULT}); received "
            f"{given} with none finished (run folders: {len(ignored)}):\n  "
            + "\n  ".join(ignored_lines(ignored))
            + "\nWait for a run to end, or train again."
        )


def write_report(paths: Sequence[Path], out: Path | None = None) -> Report:
    """Compare the finished runs below some folders.

    Writes report.md, runs.csv and the pictures; files of an earlier report of the same names are
    replaced. Unfinished and damaged runs are named and left out.

    Args:
        paths: Run folders, or folders of run folders.
        out: Folder of the report; `None` means "report" in the first path.

    Returns:
        Where the page is, and its tables as text.

    Raises:
        FileNotFoundError: If a path does not exist or holds no run folder.
        ValueError: If no run is finished, or a floors.json is damaged.
    """
    records, ignored = read_runs(paths)
    _require_finished(len(records), paths, ignored)
    comparisons, repeated = compare(records)
    ignored = sorted([*ignored, *repeated], key=lambda item: item.folder.name)
    floors = read_floors([*paths, *(record.folder.parent for record in records)])
    out = paths[0] / "report" if out is None else out
    out.mkdir(parents=True, exist_ok=True)
    sections: list[Section] = []
    notes: list[str] = []
    for comparison in comparisons:
        floor = floors.get(comparison.data)
        pictures, remarks = draw(comparison, floor)
        notes += remarks
        for picture in pictures:
            picture.figure.savefig(out / picture.file_name)
        sections.append(Section(comparison, floor_lines(comparison, floor), pictures))
    write_csv(out / CSV, comparisons)
    page = out / PAGE
    page.write_text(markdown_page(sections, ignored, notes, CSV), encoding="utf-8")
    return Report(page, terminal_text(sections, notes), tuple(ignored))
