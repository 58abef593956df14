"""What the texts say of the curve along the learning rate is what results/ holds."""

from __future__ import annotations

import numpy as np
import pytest

from seqnorm.lab.report.arms.floors import is_floor
from seqnorm.lab.report.page.plateaus import NEAR
from seqnorm.lab.report.statistics.estimates import paired_estimate, plateau_estimate
from tests.lab.report.learning_rates import (
    CURVES,
    best_of,
    curves_of,
    on_test,
    over_all,
    width_of,
)
from tests.lab.report.published import points, published, said_in


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_where_norms_are_good_along_the_learning_rate(cell: str) -> None:
    """Both tables of the text: where the mean is within 2 % of the best, and all differences."""
    comparison, found = published(CURVES), curves_of(cell)
    score, text = comparison.task.score, said_in("docs/results.md")
    for norm, curve in found.items():
        assert len(curve) == 9 and {len(arm.runs) for arm in curve.values()} == {5}
        by_rate = {rate: [*on_test(arm).values()] for rate, arm in curve.items()}
        plateau, along = plateau_estimate(by_rate, score, NEAR), over_all(curve)
        begin, end, best, mean, height = (
            f"{value:{digits}}".lstrip("0")
            for value, digits in (
                (plateau.begin, "#.2g"), (plateau.end, ".2g"), (plateau.best, "g"),
                (np.mean(by_rate[plateau.best]), ".4f"), (np.mean([*along.values()]), ".3f"),
            )
        )  # fmt: skip
        at_each = [
            paired_estimate(on_test(arm), on_test(found["none"][rate]))
            for rate, arm in curve.items()
        ]
        difference = paired_estimate(along, over_all(found["none"]))
        assert (
            f"| {norm} | {mean} at {best} | {begin} | {end}{' or more' * plateau.open_end} "
            f"| {width_of(curve)} | {height} "
            f"| {points(difference) if norm != 'none' else ''} |".replace("|  |", "| |")
        ) in text
        if norm == "none":
            continue
        assert f"| {norm} | {' | '.join(map(points, at_each))} |" in text
        for part in (best_of, lambda each: over_all(each, 1e-3)):
            own = paired_estimate(part(curve), part(found["none"]))
            assert f"{norm} {points(own)}" in text
        if norm == "layer":
            assert points(difference).replace("+", "") in said_in("README.md")
            assert points(difference).replace("+", "") in text
            above = paired_estimate(over_all(curve, 1e-3), over_all(found["none"], 1e-3))
            assert points(above).replace("+", "") in said_in("README.md")
        if cell == "gru" and norm == "rms":
            none = width_of(found["none"])
            assert (
                f"over {width_of(curve).replace(' ', ' decades ', 1)}, without a norm over {none}"
            ) in said_in("README.md")
    runs = [run for arm in comparison.arms for run in arm.runs if not is_floor(arm)]
    assert f"None of the {len(runs)} runs diverged" in text
    assert not any(run.result.diverged for run in runs)
