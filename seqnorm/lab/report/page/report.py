"""Assembles the report: run folders in, a folder with page, pictures and CSV out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from seqnorm.lab.durable import write_text
from seqnorm.lab.report.findings.collect import collect
from seqnorm.lab.report.findings.export import write_csv
from seqnorm.lab.report.findings.findings import FINDINGS, save_findings
from seqnorm.lab.report.page.html import html_page
from seqnorm.lab.report.page.paper import write_picture
from seqnorm.lab.report.page.pictures import picture_heading, picture_name
from seqnorm.lab.report.page.section import Section, make_section
from seqnorm.lab.report.page.terminal import terminal_text
from seqnorm.lab.runs.find import Ignored, find_run_folders, ignored_lines
from seqnorm.spelling import counted

PAGE, CSV = "report.html", "runs.csv"


@dataclass(frozen=True)
class Report:
    """A report that has been written.

    Attributes:
        path: The page in HTML, or the findings if no page was asked for.
        text: The tables as text.
        ignored: Run folders that were left out.
    """

    path: Path
    text: str
    ignored: tuple[Ignored, ...]


def _lead(sections: Sequence[Section]) -> str:
    comparisons = [section.comparison for section in sections]
    tested = {(run.name, run.result.test_score) for each in comparisons for run in each.runs}
    runs = len(tested)  # sections may share runs
    trials = sum(len(each.everything) - len(each.runs) for each in comparisons)
    arms = sum(len(section.comparison.arms) for section in sections)
    tried = f" after {counted(trials, 'trial')} on validation data" if trials else ""
    return f"{counted(runs, 'different run')} on the test sets{tried}, in {counted(arms, 'arm')}."


def _folder(first: Path) -> Path:
    """Where a report goes of itself: into the first folder, but beside a run and not into it."""
    place = first.resolve() if first.name in ("", "..") else first
    single = place.is_dir() and next(find_run_folders(place), None) == place
    return (place.parent if single or place.is_file() else place) / "report"


def _own_folder(out: Path) -> Path:
    if out.is_dir() and next(find_run_folders(out), None) is not None:
        raise ValueError(
            f"a report needs a folder of its own; received --out {out}, which holds run folders: "
            f"its findings would be read in place of them. Give another one, as {out / 'report'}."
        )
    return out


def write_report(
    paths: Sequence[Path],
    out: Path | None = None,
    *,
    pictures: bool = True,
    pages: bool = True,
) -> Report:
    """Compare the finished runs below some folders.

    Writes report.html (which needs no other file), runs.csv, the pictures as PNG and PDF, and
    findings.json, from which the same report is made without the run folders; files of an earlier
    report of the same names are replaced. Unfinished and damaged runs are named and left out.

    Args:
        paths: Run folders, folders of run folders, or folders of earlier reports.
        out: Folder of the report; `None` means "report" in the first path, or beside it if that is
            a run folder.
        pictures: Whether PNG and PDF files are drawn; the page has its charts all the same.
        pages: Whether page and pictures are written; runs.csv and findings.json are in any case.

    Returns:
        Where the page is (or else the findings), and its tables as text.

    Raises:
        FileNotFoundError: If a path does not exist or holds no run folder.
        ValueError: If no run is finished, or the folder of the report holds runs.
    """
    out = _folder(paths[0]) if out is None else _own_folder(out)
    findings = collect(paths)
    out.mkdir(parents=True, exist_ok=True)
    sections = [make_section(*part) for part in findings.comparisons]
    notes = [note for _, evidence in findings.comparisons for note in evidence.notes]
    ignored = ignored_lines(findings.ignored)
    save_findings(out / FINDINGS, findings)
    write_csv(out / CSV, [comparison for comparison, _ in findings.comparisons])
    text, left_out = terminal_text(sections, notes), tuple(findings.ignored)
    if not pages:
        return Report(out / FINDINGS, text, left_out)
    if pictures:
        drawn = [(each, section.comparison) for section in sections for each in section.pictures]
        for picture, of in drawn:
            write_picture(picture, picture_heading(picture, of), out / picture_name(picture, of))
    write_text(out / PAGE, html_page(sections, ignored, notes, _lead(sections)))
    return Report(out / PAGE, text, left_out)
