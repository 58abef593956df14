"""What the texts say of the curves along the learning rate is what results/ holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from seqnorm.lab.report.arms.floors import is_floor
from seqnorm.lab.report.page.plateaus import NEAR
from seqnorm.lab.report.statistics.estimates import paired_estimate, plateau_estimate
from tests.lab.report.learning_rates import (
    CURVES,
    IMDB_CURVES,
    IMDB_GRU_CURVES,
    Curve,
    against_none,
    best_of,
    curves_of,
    mean_of,
    on_test,
    over_all,
    width_of,
)
from tests.lab.report.published import points, published, said_in, short

Rates = tuple[float, ...]
ENDS = [
    ("lstm", "layer", (0.0002, 0.0005), (0.05, 0.1)),
    ("lstm", "dyt", (0.0002,), (0.05,)),
    ("gru", "layer", (0.0005,), (0.05, 0.1)),
    ("gru", "batch", (), (0.0002, 0.05, 0.1)),
]
CELLS = [(CURVES, "lstm"), (CURVES, "gru"), (IMDB_CURVES, "lstm"), (IMDB_GRU_CURVES, "gru")]


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
            layer = ahead(found, "layer", "none", part)
            assert layer in readme
            assert part is not over_all or layer in page
    rms, none = (width_of(found[norm]) for norm in ("rms", "none"))
    assert f"over {rms.replace(' ', ' decades ', 1)}, without a norm over {none}" in readme


def test_what_readme_says_of_reviews() -> None:
    readme, page = said_in("README.md"), said_in("docs/results.md")
    lstm, gru = (curves_of(*each) for each in (("lstm", IMDB_CURVES), ("gru", IMDB_GRU_CURVES)))
    lost = ahead(lstm, "none", "layer", over_all)
    layer, *batch = (
        ahead(found, norm, "none", over_all)
        for found, norm in ((gru, "layer"), (lstm, "batch"), (gru, "batch"))
    )
    assert f"layer normalisation is {lost} points below none with the LSTM" in readme
    assert f"{layer} above with the GRU" in readme
    assert f"batch normalisation is {' and '.join(batch)} above, level from .0005 to .1" in readme
    assert f"the LSTM with it is {lost} below none, the GRU {layer} above" in page
    rounded = [round(float(each.split()[0])) for each in (*batch, lost, layer)]
    assert (
        "batch normalisation gains {} to {} points, and layer normalisation loses {} with the "
        "LSTM and gains {} with the GRU".format(*rounded)
    ) in readme
    for found in (lstm, gru):
        batches = [mean_of(on_test(arm)) for rate, arm in found["batch"].items() if rate >= 5e-4]
        assert min(batches) >= (1 - NEAR) * max(batches)


@pytest.mark.parametrize(("cell", "norm", "losses", "gains"), ENDS)
def test_the_ends_of_a_curve_on_reviews(cell: str, norm: str, losses: Rates, gains: Rates) -> None:
    found = curves_of(cell, IMDB_CURVES if cell == "lstm" else IMDB_GRU_CURVES)
    for worse, better, rates in (norm, "none", losses), ("none", norm, gains):
        for rate in rates:
            said = ahead(found, better, worse, lambda curve, at=rate: on_test(curve[at]))
            assert said in said_in("docs/results.md")


def test_what_the_gru_has_on_reviews_without_a_norm() -> None:
    none = curves_of("gru", IMDB_GRU_CURVES)["none"]
    low, lower = (short(mean_of(on_test(none[rate]))) for rate in (0.05, 0.1))
    assert f"without a norm it has {low} at .05 and {lower} at .1" in said_in("docs/results.md")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("None of the {} runs diverged", (CURVES,)),
        (
            "None of the {} runs with the LSTM and none of the {} with the GRU diverged",
            (IMDB_CURVES, IMDB_GRU_CURVES),
        ),
    ],
)
def test_no_run_of_the_curves_diverged(text: str, names: tuple[str, ...]) -> None:
    curves = [
        [run for arm in published(name).arms if not is_floor(arm) for run in arm.runs]
        for name in names
    ]
    assert text.format(*map(len, curves)) in said_in("docs/results.md")
    assert not any(run.result.diverged for runs in curves for run in runs)


def ahead(found: Mapping[str, Curve], better: str, worse: str, part: Callable) -> str:
    """1.0 (0.8 to 1.4): how far a part of one norm's curve is above that of another's."""
    difference = paired_estimate(part(found[better]), part(found[worse]))
    return points(difference).replace("+", "")


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
