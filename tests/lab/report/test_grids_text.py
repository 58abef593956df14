"""What docs/results.md says of comparisons of several settings is what results/ holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from seqnorm.lab.report.arms.floors import is_floor
from seqnorm.lab.report.statistics.estimates import paired_estimate
from tests.lab.report.published import ROOT, points, published, said_in, short

GRIDS = {
    "compare_reuters_clean_depth": ("model.depth",),
    "compare_reuters_clean_readout": ("model.bidirectional", "model.pooling"),
}
NORMS = ("none", "layer", "batch")
RATES = (0.002, 0.006, 0.018, 0.05)
ONE_RATE = {
    "compare_imdb_length": "data.max_length",
}


@pytest.mark.parametrize("name", GRIDS)
def test_the_table_of_a_grid(name: str) -> None:
    lines = (ROOT / "docs/results.md").read_text(encoding="utf-8").splitlines()
    assert all(f"  {row}" in lines for row in grid_rows(name))


def test_what_is_said_of_depth() -> None:
    found = {
        depth: compared(each)[1:]
        for (depth,), each in scores("compare_reuters_clean_depth").items()
    }
    layer, batch = ([found[depth][place] for depth in (1, 2, 3)] for place in (0, 1))
    claims, readme = said_in("docs/claims.md"), said_in("README.md")
    assert ", ".join(batch) in claims and ", ".join(layer) in claims
    for difference in (layer[-1], batch[-1]):
        assert difference.replace("+", "") in readme
    means = {norm: [] for norm in NORMS}
    for by_norm in scores("compare_reuters_clean_depth").values():
        for norm, each in by_norm.items():
            means[norm].append(short(mean_of(each[best(each)])))
    assert f"accuracy {', '.join(means['layer'])}, none {', '.join(means['none'])}" in claims
    assert all(max(each) == each[0] for each in means.values())  # one layer is best for all
    of_three = scores("compare_reuters_clean_depth")[3,]
    assert (
        ", ".join(
            " ".join(
                [norm, " and ".join(short(mean_of(of_three[norm][rate])) for rate in RATES[1:3])]
            )
            for norm in NORMS
        )
        in claims
    )


@pytest.mark.parametrize("name", ONE_RATE)
def test_the_table_of_a_comparison_at_one_rate(name: str) -> None:
    lines = (ROOT / "docs/results.md").read_text(encoding="utf-8").splitlines()
    assert all(f"  {row}" in lines for row in value_rows(name))


def value_rows(name: str) -> list[str]:
    """A row for each value of a setting: accuracy without a norm, differences of the others."""
    key, found = ONE_RATE[name], dict[float, dict[str, Mapping[int, float]]]()
    for arm in published(name).arms:
        if not is_floor(arm):
            values = found.setdefault(dict(arm.settings)[key], {})
            values[arm.norm] = arm.values("accuracy")
    rows = []
    for value, by_norm in sorted(found.items()):
        assert {len(each) for each in by_norm.values()} == {3}
        none = by_norm["none"]
        differences = [points(paired_estimate(by_norm[norm], none)) for norm in NORMS[1:]]
        cells = [f"{value:g}", short(mean_of(none)), *differences]
        rows.append(f"| {' | '.join(cells)} |")
    return rows


def grid_rows(name: str) -> list[str]:
    """A row for each choice and rate, and one for each norm at its best rate: none, differences."""
    rows = []
    for choice, by_rate in scores(name).items():
        for rate in sorted(by_rate["none"]):
            cells = [*map(written, choice), f"{rate:g}".lstrip("0"), *compared(by_rate, rate)]
            rows.append(f"| {' | '.join(cells)} |")
        rows.append(f"| {' | '.join([*map(written, choice), 'its best', *compared(by_rate)])} |")
    return rows


Scores = Mapping[str, Mapping[float, Mapping[int, float]]]  # by norm, rate and seed


def compared(by_norm: Scores, rate: float | None = None) -> list[str]:
    """The mean without a norm and the others' differences; each at its best without a rate."""
    found = {norm: each[best(each) if rate is None else rate] for norm, each in by_norm.items()}
    plain = found["none"]
    differences = [points(paired_estimate(found[norm], plain)) for norm in NORMS[1:]]
    return [short(mean_of(plain)), *differences]


def mean_of(by_seed: Mapping[int, float]) -> float:
    return float(np.mean([*by_seed.values()]))


def best(by_rate: Mapping[float, Mapping[int, float]]) -> float:
    """The rate with the best mean."""
    return max(by_rate, key=lambda rate: mean_of(by_rate[rate]))


def scores(name: str) -> dict[tuple[Any, ...], Scores]:
    """Accuracy by the choice of settings, norm, rate and seed; every arm has three seeds."""
    found: dict[tuple[Any, ...], dict[str, dict[float, Mapping[int, float]]]] = {}
    for arm in published(name).arms:
        if is_floor(arm):
            continue
        settings = dict(arm.settings)
        choice = tuple(settings[key] for key in GRIDS[name])
        by_norm = found.setdefault(choice, {norm: {} for norm in NORMS})
        by_norm[arm.norm][settings["optim.learning_rate"]] = values = arm.values("accuracy")
        assert sorted(values) == [0, 1, 2]
    return {choice: found[choice] for choice in sorted(found)}


def written(value: Any) -> str:
    if isinstance(value, bool):
        return "two" if value else "one"  # directions
    return str(value)
