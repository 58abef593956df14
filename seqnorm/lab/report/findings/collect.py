"""Everything a report is made of, from run folders and from what earlier reports have kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from seqnorm.lab.report.arms.grouping import REPEATED, compare
from seqnorm.lab.report.arms.join import Part, join_all
from seqnorm.lab.report.arms.pruned import with_pruned
from seqnorm.lab.report.findings.evidence import gather
from seqnorm.lab.report.findings.findings import FINDINGS, Findings, load_findings
from seqnorm.lab.runs.find import Ignored, ignored_lines, read_pruned_runs, read_runs
from seqnorm.lab.runs.read import RunRecord
from seqnorm.lab.runs.result import RESULT


def _require_finished(
    records: Sequence[RunRecord], paths: Sequence[Path], ignored: Sequence[Ignored]
) -> None:
    if all(record.result.trial for record in records):
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


def _read_folders(folders: Sequence[Path]) -> Findings:
    records, ignored = read_runs(folders)
    _require_finished(records, folders, ignored)
    pruned, ignored = read_pruned_runs(ignored)
    comparisons, left_out = compare(records)
    whole = [with_pruned(comparison, pruned) for comparison in comparisons]
    found = [(comparison, gather(comparison)) for comparison in whole]
    return Findings(found, [*ignored, *left_out])


def _still_left_out(parts: Sequence[Part], ignored: Sequence[Ignored]) -> list[Ignored]:
    """By name, each once; a run that is unfinished in one place may be whole in another.

    One whose result differs from that of the same name that counts is named in any case.
    """
    counted = {run.name for comparison, _ in parts for run in comparison.everything}
    once = {(item.folder.name, item.reason): item for item in ignored}
    return [
        once[name, reason]
        for name, reason in sorted(once)
        if name not in counted or reason.startswith(REPEATED)
    ]


def collect(paths: Sequence[Path]) -> Findings:
    """Read run folders, and what earlier reports have kept of theirs.

    Run folders are read together; an arm that they share with an earlier report, or two reports
    with each other, is taken whole from where most of it is (see `join`).

    Args:
        paths: Run folders, folders of run folders, or folders of earlier reports.

    Raises:
        FileNotFoundError: If a path does not exist or holds no run folder.
        ValueError: If no run is finished.
    """
    stored = [file for path in paths if (file := _findings_file(path)) is not None]
    folders = [path for path in paths if _findings_file(path) is None]
    # Run folders first: of equal places the first is taken, and these may have been mended since.
    places = [_read_folders(folders)] if folders else []
    places += [load_findings(file) for file in stored]
    joined, left_out = join_all(part for place in places for part in place.comparisons)
    ignored = [*left_out, *(item for place in places for item in place.ignored)]
    return Findings(joined, _still_left_out(joined, ignored))
