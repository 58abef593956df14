"""What docs/results.md says of comparisons of several settings is what results/ holds."""

from __future__ import annotations

from typing import Any

import pytest

from seqnorm.lab.report.statistics.estimates import mean_estimate, paired_estimate
from tests.lab.report.grids import DEPTH, GIVEN, GRIDS, NORMS, READOUT, Curves, curves
from tests.lab.report.learning_rates import CURVES, best_of, mean_of, on_test
from tests.lab.report.published import COLUMNS, ROOT, cell_text, points, published, said_in, short


@pytest.mark.parametrize("name", GRIDS)
def test_the_table_of_a_grid(name: str) -> None:
    lines = (ROOT / "docs/results.md").read_text(encoding="utf-8").splitlines()
    assert all(row in lines for row in grid_rows(name))


def test_what_is_said_of_depth() -> None:
    found = {depth: compared(each)[1:] for (depth,), each in curves(DEPTH).items()}
    layer, batch = ([found[depth][place] for depth in (1, 2, 3)] for place in (0, 1))
    claims = said_in("docs/claims.md")
    assert ", ".join(batch) in claims and ", ".join(layer) in claims
    means = {norm: [] for norm in NORMS}
    for by_norm in curves(DEPTH).values():
        for norm, each in by_norm.items():
            means[norm].append(short(mean_of(best_of(each))))
    assert f"accuracy {', '.join(means['layer'])}, none {', '.join(means['none'])}" in claims
    assert all(max(each) == each[0] for each in means.values())
    assert f"every arm is best with one layer, {means['none'][0]} without" in said_in("README.md")
    of_three = curves(DEPTH)[3,]
    assert (
        ", ".join(
            " ".join(
                [
                    norm,
                    " and ".join(
                        short(mean_of(on_test(of_three[norm][rate]))) for rate in (0.006, 0.018)
                    ),
                ]
            )
            for norm in NORMS
        )
        in claims
    )


def test_what_is_said_of_what_is_read_out() -> None:
    found = {choice: compared(each)[1:] for choice, each in curves(READOUT).items()}
    claims = said_in("docs/claims.md")
    for pooling in ("last", "mean", "max"):
        for two in (False, True):
            layer, batch = found[two, pooling]
            assert f"{layer}, {batch}" in claims or f"layer {layer}, batch {batch}" in claims
    text = said_in("docs/results.md")
    for choice in ((False, "mean"), (True, "mean"), (False, "last")):
        assert all(difference.replace("+", "") in text for difference in found[choice])
    highest = [
        mean_of(on_test(by_rate[0.1])) for by_rate in curves(READOUT)[False, "last"].values()
    ]
    none, layer, batch = map(short, highest)
    assert f"has {none} without a norm, {layer} with layer and {batch} with batch" in text
    maxima = [each for two in (False, True) for each in found[two, "max"]]
    assert all("(-" in each and " to +" in each for each in maxima)  # none is told apart


def test_what_is_said_of_the_mean_on_imdb() -> None:
    found = {
        pooling: compared(each)[1:] for (pooling,), each in curves("compare_imdb_readout").items()
    }
    page = said_in("docs/results.md")
    layer, batch = found["mean"]
    assert f"layer {layer}, batch {batch}" in page
    layer, batch = found["max"]
    assert f"layer {layer}, batch {batch}" in page


def test_what_is_said_of_cut_reviews() -> None:
    found = {words: compared(each)[1:] for (words,), each in curves("compare_imdb_length").items()}
    cost, low, high = found[50][0].replace("-", "").replace("(", "").replace("to ", "").split()
    assert f"does not remove its cost, {cost} ({high[:-1]} to {low})" in said_in("README.md")
    layer, batch = ([float(each[place].split()[0]) for each in found.values()] for place in (0, 1))
    assert all(-1.3 < each < -0.4 for each in layer)  # about a point at every length
    assert all(0 <= each < 0.5 for each in batch)  # level or a little above


def test_the_highest_of_the_lstms() -> None:
    of_mean = curves(READOUT)[False, "mean"]["batch"]
    highest, text = on_test(of_mean[0.05]), said_in("docs/results.md")
    assert cell_text(mean_estimate([*highest.values()])) in text
    assert f"validation data prefer .018 there, with {short(mean_of(best_of(of_mean)))}" in text
    assert best_of(of_mean) == on_test(of_mean[0.018])
    for name in (*(each for each in GRIDS if "imdb" not in each), COLUMNS[2], CURVES):
        arms = [arm for arm in published(name).arms if arm.cell == "lstm"]
        assert max(mean_of(on_test(arm)) for arm in arms) <= mean_of(highest), name


def grid_rows(name: str) -> list[str]:
    """A row for each choice and rate, and one for each norm at its best rate: none, differences.

    Where the rate was not varied, a row for each choice.
    """
    rows = []
    for choice, by_norm in curves(name).items():
        rates = sorted({*by_norm["none"]} - {GIVEN})
        own = [[f"{rate:g}".lstrip("0"), *compared(by_norm, rate)] for rate in rates]
        own.append([*(["its best"] if rates else []), *compared(by_norm)])
        rows += [f"| {' | '.join([*map(written, choice), *cells])} |" for cells in own]
    return rows


def compared(by_norm: Curves, rate: float | None = None) -> list[str]:
    """The mean without a norm and the others' differences; each at its best without a rate."""
    found = {
        norm: best_of(curve) if rate is None else on_test(curve[rate])
        for norm, curve in by_norm.items()
    }
    plain = found["none"]
    differences = [points(paired_estimate(found[norm], plain)) for norm in NORMS[1:]]
    return [short(mean_of(plain)), *differences]


def written(value: Any) -> str:
    if isinstance(value, bool):
        return "two" if value else "one"  # directions
    return str(value)
