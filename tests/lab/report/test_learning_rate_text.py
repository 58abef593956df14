"""What the texts say of the curves along the learning rate is what results/ holds."""

from __future__ import annotations

import pytest

from seqnorm.lab.report.arms.floors import is_floor
from seqnorm.lab.report.page.plateaus import NEAR
from seqnorm.lab.report.statistics.estimates import paired_estimate, plateau_estimate
from tests.lab.report.learning_rates import (
    CURVES,
    IMDB_CURVES,
    Curve,
    against_none,
    best_of,
    curves_of,
    mean_of,
    on_test,
    over_all,
    width_of,
)
from tests.lab.report.published import points, published, said_in

Rates = tuple[float, ...]
ENDS = [("layer", (0.0002, 0.0005), (0.05, 0.1)), ("dyt", (0.0002,), (0.05,))]
CELLS = [(CURVES, "lstm"), (CURVES, "gru"), (IMDB_CURVES, "lstm")]


@pytest.mark.parametrize(("name", "cell"), CELLS)
def test_where_norms_are_good_along_the_learning_rate(name: str, cell: str) -> None:
    """Both tables of the text: where the mean is within 2 % of the best, and all differences."""
    found, text = curves_of(cell, name), said_in("docs/results.md")
    for curve in found.values():
        assert len(curve) == 9 and {len(arm.runs) for arm in curve.values()} == {5}
    for row in (*plateau_rows(name, cell), *rows_at_each_rate(name, cell)):
        assert row in text
    for part in (best_of, from_a_thousandth):
        assert against_none(found, part) in text


def test_what_readme_says_of_the_curves() -> None:
    readme = said_in("README.md")
    page = said_in("docs/results.md")
    for cell in ("lstm", "gru"):
        found = curves_of(cell)
        for part in (over_all, from_a_thousandth):
            layer = paired_estimate(part(found["layer"]), part(found["none"]))
            assert points(layer).replace("+", "") in readme
            assert part is not over_all or points(layer).replace("+", "") in page
    rms, none = (width_of(found[norm]) for norm in ("rms", "none"))
    assert f"over {rms.replace(' ', ' decades ', 1)}, without a norm over {none}" in readme


def test_what_readme_says_of_reviews() -> None:
    found, readme = curves_of("lstm", IMDB_CURVES), said_in("README.md")
    none, layer, batch = (over_all(found[norm]) for norm in ("none", "layer", "batch"))
    lost, won = (points(paired_estimate(*each)) for each in ((none, layer), (batch, none)))
    assert f"{lost.replace('+', '')} points below none" in readme
    page = said_in("docs/results.md")
    assert f"layer normalisation is {lost.replace('+', '')} below none" in page
    assert f"{won.replace('+', '')} above, level from .0005 to .1" in readme
    batches = [mean_of(on_test(arm)) for rate, arm in found["batch"].items() if rate >= 5e-4]
    assert min(batches) >= (1 - NEAR) * max(batches)


@pytest.mark.parametrize(("norm", "behind", "ahead"), ENDS)
def test_the_ends_of_the_curve_on_reviews(norm: str, behind: Rates, ahead: Rates) -> None:
    found, page = curves_of("lstm", IMDB_CURVES), said_in("docs/results.md")
    for worse, better, rates in (norm, "none", behind), ("none", norm, ahead):
        for rate in rates:
            values = [on_test(found[each][rate]) for each in (better, worse)]
            assert points(paired_estimate(*values)).replace("+", "") in page


@pytest.mark.parametrize("name", [CURVES, IMDB_CURVES])
def test_no_run_of_the_curves_diverged(name: str) -> None:
    runs = [run for arm in published(name).arms if not is_floor(arm) for run in arm.runs]
    assert f"None of the {len(runs)} runs diverged" in said_in("docs/results.md")
    assert not any(run.result.diverged for run in runs)


def from_a_thousandth(curve: Curve) -> dict[int, float]:
    return over_all(curve, 1e-3)


def plateau_rows(name: str, cell: str) -> list[str]:
    """Each norm's best rate, where it is within 2 % of it, and the mean along the curve."""
    found, score = curves_of(cell, name), published(name).task.score
    rows, none = [], over_all(found["none"])
    for norm, curve in found.items():
        by_rate = {rate: [*on_test(arm).values()] for rate, arm in curve.items()}
        plateau, along = plateau_estimate(by_rate, score, NEAR), over_all(curve)
        best = f"{plateau.best:g}".lstrip("0")
        cells = [
            norm,
            f"{mean_of(on_test(curve[plateau.best])):.4f}".lstrip("0") + f" at {best}",
            f"{plateau.begin:#.2g}".lstrip("0") + " or less" * plateau.open_begin,
            f"{plateau.end:.2g}".lstrip("0") + " or more" * plateau.open_end,
            width_of(curve),
            f"{mean_of(along):.3f}".lstrip("0"),
            "" if norm == "none" else points(paired_estimate(along, none)),
        ]
        rows.append(f"| {' | '.join(cells)} |".replace("|  |", "| |"))
    return rows


def rows_at_each_rate(name: str, cell: str) -> list[str]:
    """Each norm's difference to none at every rate."""
    found = curves_of(cell, name)
    none = {rate: on_test(arm) for rate, arm in found.pop("none").items()}
    rows = []
    for norm, curve in found.items():
        at_each = [points(paired_estimate(on_test(curve[rate]), none[rate])) for rate in none]
        rows.append(f"| {norm} | {' | '.join(at_each)} |")
    return rows
