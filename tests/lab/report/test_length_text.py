"""What docs/results.md says of short and long texts is what results/ holds."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from seqnorm.lab.report.statistics.estimates import paired_estimate
from tests.lab.report.published import COLUMNS, ROOT, arm_of, points, said_in, short, with_evidence

NAMES = dict(zip(COLUMNS, ("IMDB", "Reuters", "clean Reuters"), strict=True))
EIGHTHS = {0: "shortest", -1: "longest"}


@pytest.mark.parametrize(("cell", "name"), [*product(("lstm", "gru"), COLUMNS)])
def test_the_table_of_lengths(cell: str, name: str) -> None:
    lines = (ROOT / "docs/results.md").read_text(encoding="utf-8").splitlines()
    assert all(row in lines for row in length_rows(cell, name))


@pytest.mark.parametrize(
    ("cell", "name"), [("lstm", "compare_imdb"), ("gru", "compare_reuters_clean")]
)
def test_readme_s_sentence_about_lengths(cell: str, name: str) -> None:
    for place in EIGHTHS:
        found = by_seed(cell, name, place)
        difference = paired_estimate(
            found["none"], found["layer"]
        )  # a cost, so the other way round
        ends = sorted(abs(end) for end in (difference.low, difference.high))
        cost, low, high = (f"{100 * each:.1f}" for each in (difference.value, *ends))
        assert f"{cost} ({low} to {high})" in said_in("README.md")


def length_rows(cell: str, name: str) -> list[str]:
    """Accuracy without a norm, and differences, in the shortest and the longest eighth."""
    rows = []
    for place, which in EIGHTHS.items():
        low, high = edges(name)[[0, 1]] if place == 0 else edges(name)[[-2, -1]]
        words = f"{low} to {high - 1} words" if high - low > 1 else f"{low} words, or cut to them"
        found = by_seed(cell, name, place)
        none = short(float(np.mean([*found["none"].values()])))
        others = [
            points(paired_estimate(found[norm], found["none"]))
            for norm in ("layer", "rms", "batch")
        ]
        place_of = f"{cell.upper()}, {NAMES[name]}"
        rows.append(f"| {' | '.join([place_of, f'{which}, {words}', none, *others])} |")
    return rows


def by_seed(cell: str, name: str, place: int) -> dict[str, dict[int, float]]:
    """The accuracy in a bin of lengths, by norm and seed."""
    comparison, evidence = with_evidence(name)
    found = {}
    for norm in ("none", "layer", "rms", "batch"):
        arm = arm_of(comparison, cell, norm)
        scores = np.asarray(evidence.arms[arm.label].answers["by_length"])[:, place]
        seeds = [run.result.seed for run in arm.runs]
        found[norm] = dict(zip(seeds, scores.tolist(), strict=True))
    return found


def edges(name: str) -> np.ndarray:
    return np.asarray(with_evidence(name)[1].common["edges"])


def test_in_most_pairs_a_norm_costs_more_in_the_longest_eighth() -> None:
    found = {}
    for cell, name in product(("lstm", "gru"), COLUMNS):
        shortest, longest = (by_seed(cell, name, place) for place in EIGHTHS)
        for norm in ("layer", "rms", "batch"):
            gains = [
                {seed: each[norm][seed] - each["none"][seed] for seed in each["none"]}
                for each in (longest, shortest)
            ]
            found[cell, name, norm] = paired_estimate(*gains)
    lower = [key for key, estimate in found.items() if estimate.value < 0]
    told_apart = [key for key, estimate in found.items() if estimate.high < 0]
    assert {*found} - {*lower} == {("lstm", "compare_reuters", "batch")}
    assert (
        f"In {len(lower)} of {len(found)} comparisons with no norm the difference is lower in the "
        f"longest eighth than in the shortest, in {len(told_apart)} with an interval below 0"
    ) in said_in("docs/results.md")
