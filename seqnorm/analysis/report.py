"""Assembles the report: run folders in, a folder with page, pictures and CSV out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from seqnorm.analysis.evidence import gather
from seqnorm.analysis.export import write_csv
from seqnorm.analysis.figures import draw_plate
from seqnorm.analysis.findings import FINDINGS, Findings, load_findings, save_findings
from seqnorm.analysis.grouping import compare
from seqnorm.analysis.html import html_page
from seqnorm.analysis.page import ignored_lines, markdown_page, picture_name, terminal_text
from seqnorm.analysis.records import RESULT, Ignored, read_runs
from seqnorm.analysis.section import Section, make_section

HTML, PAGE, CSV = "report.html", "report.md", "runs.csv"
# A fixed date, so that the same runs give the same bytes.
_METADATA = {"pdf": {"CreationDate": None}, "png": {}}


@dataclass(frozen=True)
class Report:
    """A report that has been written.

    Attributes:
        path: The page, in HTML.
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
            f"A report needs at least one finished run (one with a valid {RESULT}, evaluated on "
            f"the test set); received {given} with none finished (run folders: {len(ignored)}):"
            "\n  "
            + "\n  ".join(ignored_lines(ignored))
            + "\nWait for a run to end, or train again."
        )


def _findings_file(path: Path) -> Path | None:
    """The file of an earlier report, if the path is one or its folder."""
    candidate = path / FINDINGS if path.is_dir() else path
    return candidate if candidate.name == FINDINGS and candidate.is_file() else None


def collect(paths: Sequence[Path]) -> Findings:
    """Read run folders, and what earlier reports have kept of theirs.

    Args:
        paths: Run folders, folders of run folders, or folders of earlier reports.

    Raises:
        FileNotFoundError: If a path does not exist or holds no run folder.
        ValueError: If no run is finished.
    """
    stored = [file for path in paths if (file := _findings_file(path)) is not None]
    folders = [path for path in paths if _findings_file(path) is None]
    parts = [load_findings(file) for file in stored]
    if folders:
        records, ignored = read_runs(folders)
        comparisons, repeated = compare(records)
        _require_finished(len(comparisons), paths, ignored)
        found = [(comparison, gather(comparison)) for comparison in comparisons]
        left_out = sorted([*ignored, *repeated], key=lambda item: item.folder.name)
        parts.append(Findings(found, left_out))
    return Findings(
        sorted((c for part in parts for c in part.comparisons), key=lambda c: c[0].data),
        [item for part in parts for item in part.ignored],
    )


def _lead(sections: Sequence[Section]) -> str:
    runs = sum(len(section.comparison.runs) for section in sections)
    trials = sum(len(section.comparison.everything) for section in sections) - runs
    arms = sum(len(section.comparison.arms) for section in sections)
    tried = f" after {trials:,} trials on validation data" if trials else ""
    return f"{runs:,} runs on the test sets{tried}, in {arms:,} arms."


def _draw(sections: Sequence[Section], out: Path) -> Iterator[Path]:
    for section in sections:
        for plate in section.plates:
            figure = draw_plate(plate, f"{section.comparison.data}: {plate.title.lower()}")
            for ending, metadata in _METADATA.items():
                path = out / f"{picture_name(plate, section.comparison.data)}.{ending}"
                figure.savefig(path, metadata=metadata)
                yield path


def write_report(
    paths: Sequence[Path], out: Path | None = None, *, pictures: bool = True
) -> Report:
    """Compare the finished runs below some folders.

    Writes report.html (which needs no other file), report.md, runs.csv, the pictures as PNG and
    PDF, and findings.json, from which the same report is made without the run folders; files of an
    earlier report of the same names are replaced. Unfinished and damaged runs are named and left
    out.

    Args:
        paths: Run folders, folders of run folders, or folders of earlier reports.
        out: Folder of the report; `None` means "report" in the first path.
        pictures: Whether PNG and PDF files are drawn; the page has its charts in any case.

    Returns:
        Where the page is, and its tables as text.

    Raises:
        FileNotFoundError: If a path does not exist or holds no run folder.
        ValueError: If no run is finished.
    """
    findings = collect(paths)
    out = paths[0] / "report" if out is None else out
    out.mkdir(parents=True, exist_ok=True)
    sections = [make_section(*part) for part in findings.comparisons]
    notes = [note for _, evidence in findings.comparisons for note in evidence.notes]
    ignored = ignored_lines(findings.ignored)
    if pictures:
        list(_draw(sections, out))
    save_findings(out / FINDINGS, findings)
    write_csv(out / CSV, [comparison for comparison, _ in findings.comparisons])
    page = html_page(sections, ignored, notes, _lead(sections))
    (out / HTML).write_text(page, encoding="utf-8")
    markdown = markdown_page(sections, findings.ignored, notes, CSV)
    (out / PAGE).write_text(markdown, encoding="utf-8")
    return Report(out / HTML, terminal_text(sections, notes), tuple(findings.ignored))
