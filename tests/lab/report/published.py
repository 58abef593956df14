"""What results/ holds and how the texts write it: for tests that recompute their numbers."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from seqnorm.lab.report.arms.arms import Arm, Comparison
from seqnorm.lab.report.findings.collect import collect
from seqnorm.lab.report.findings.evidence import Evidence
from seqnorm.lab.report.statistics.bootstrap import Estimate
from seqnorm.lab.report.statistics.estimates import paired_estimate

ROOT = Path(__file__).parents[3]
COLUMNS = ("compare_imdb", "compare_reuters", "compare_reuters_clean")  # of README's tables


@cache
def with_evidence(name: str) -> tuple[Comparison, Evidence]:
    (found,) = collect([ROOT / "results" / name]).comparisons
    return found


def published(name: str) -> Comparison:
    return with_evidence(name)[0]


def arm_of(comparison: Comparison, cell: str, norm: str) -> Arm:
    (arm,) = (arm for arm in comparison.arms if (arm.cell, arm.norm) == (cell, norm))
    return arm


def by_norm(name: str, cell: str) -> dict[str, Arm]:
    """The arms of one cell."""
    return {norm: arm_of(published(name), cell, norm) for norm in ("none", "layer", "rms", "batch")}


def short(value: float, signed: bool = False) -> str:
    """As README writes it: .803, and -.010 for a difference."""
    return f"{value:{'+' if signed else ''}.3f}".replace("0.", ".", 1)


def cell_text(found: Estimate, signed: bool = False) -> str:
    ends = (short(end, signed) for end in (found.low, found.high))
    return f"{short(found.value, signed)} ({' to '.join(ends)})"


def points(found: Estimate) -> str:
    """As the texts write a difference: +0.7 (-0.3 to +1.9)."""
    value, low, high = (f"{100 * each:+.1f}" for each in (found.value, found.low, found.high))
    return f"{value.replace('+0.0', '0.0')} ({low} to {high})"


def said_in(name: str) -> str:
    """A text of the project, its lines joined."""
    return " ".join((ROOT / name).read_text(encoding="utf-8").split())


def differences(name: str, cell: str, metric: str) -> list[str]:
    """Of layer, rms and batch against none, by seed."""
    ours = {norm: arm.values(metric) for norm, arm in by_norm(name, cell).items()}
    return [points(paired_estimate(ours[norm], ours["none"])) for norm in list(ours)[1:]]
