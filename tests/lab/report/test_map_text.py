"""README's map of where a norm pays is what results/ holds: `map_rows` makes all of its rows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from seqnorm.lab.report.arms.floors import floor_scores, is_floor
from seqnorm.lab.report.statistics.bootstrap import Estimate
from seqnorm.lab.report.statistics.estimates import paired_estimate
from seqnorm.lab.tasks.score import Score
from tests.lab.report.grids import DEPTH, NORMS, READOUT, curves
from tests.lab.report.learning_rates import (
    CURVES,
    IMDB_CURVES,
    IMDB_GRU_CURVES,
    best_of,
    curves_of,
    mean_of,
    on_test,
    over_all,
)
from tests.lab.report.published import (
    COLUMNS,
    ROOT,
    arm_of,
    cell_text,
    points,
    published,
    said_in,
    short,
)

IMDB, REUTERS, CLEAN = COLUMNS


class Arms(NamedTuple):
    """What is compared: the score, and its values by seed with each norm."""

    score: Score
    none: Mapping[int, float]
    layer: Mapping[int, float]
    batch: Mapping[int, float]


def test_the_map() -> None:
    assert "\n".join(map_rows()) in (ROOT / "README.md").read_text(encoding="utf-8")


def test_what_is_said_against_norms() -> None:
    readme, floors = said_in("README.md"), floor_scores(published(IMDB))
    assert floors is not None
    assert f"a bag of words and pairs, {short(floors['accuracy'])}," in readme
    for name in COLUMNS:
        means = {
            (arm.cell, arm.norm): mean_of(arm.values("accuracy"))
            for arm in published(name).arms
            if not is_floor(arm)
        }
        assert max(means, key=means.__getitem__) == ("gru", "none")
        if name == IMDB:
            assert max(means.values()) < floors["accuracy"]


def test_the_ranges_of_the_first_paragraph() -> None:
    places = {
        "{} to {} points where the mean over time is read out": [
            best(READOUT, two, "mean") for two in (False, True)
        ],
        "{} to {} with the last state": [best(READOUT, two, "last") for two in (False, True)],
        "{} to {} where the rate is not tuned": [along("lstm"), along("gru")],
        "{} to {} in three layers": [best(DEPTH, 3)],
        "up to {1}, at one rate": [
            small_gain("compare_mnist_permuted"),
            small_gain("compare_mnist_rows"),
            labelled("compare_japanese_vowels"),
        ],
    }
    for text, arms in places.items():
        gains = [
            100 * paired_estimate(norm, each.none).value
            for each in arms
            for norm in (each.layer, each.batch)
        ]
        assert text.format(f"{min(gains):.0f}", f"{max(gains):.0f}") in said_in("README.md"), text


def test_what_batch_norm_gains_at_low_rates_only() -> None:
    found = [
        paired_estimate(*(over_all(curves_of(cell)[norm], 1e-3) for norm in ("batch", "none")))
        for cell in ("lstm", "gru")
    ]
    said = ", and ".join(re.sub(r" \((.*)\)", r", \1", points(each)) for each in found)
    assert f"(from .001 on {said})" in said_in("README.md")


def map_rows() -> list[str]:
    """Where, which learning rate, the score without a norm, what norms gain on it, and seeds."""
    return [
        map_row("IMDB, maximum over time", "tuned", tuned(IMDB, "lstm")),
        map_row("the same, GRU", "tuned", tuned(IMDB, "gru")),
        map_row("Reuters, maximum over time", "tuned", tuned(REUTERS, "lstm")),
        map_row("the same, GRU", "tuned", tuned(REUTERS, "gru")),
        map_row("clean Reuters, maximum over time", "tuned", tuned(CLEAN, "lstm")),
        map_row("the same, GRU", "tuned", tuned(CLEAN, "gru")),
        map_row("clean Reuters, maximum over time", "whole curve", along("lstm")),
        map_row("the same, GRU", "whole curve", along("gru")),
        map_row("IMDB, maximum over time, 50 words", "whole curve", along("lstm", IMDB_CURVES)),
        map_row("the same, GRU", "whole curve", along("gru", IMDB_GRU_CURVES)),
        map_row("clean Reuters, mean over time", "best of 5", best(READOUT, True, "mean")),
        map_row("the same, one direction", "best of 5", best(READOUT, False, "mean")),
        map_row("clean Reuters, last state", "best of 5", best(READOUT, True, "last")),
        map_row("the same, one direction", "best of 5", best(READOUT, False, "last")),
        map_row(
            "IMDB, mean over time, 200 words", "best of 2", best("compare_imdb_readout", "mean")
        ),
        map_row("IMDB, last state, two layers, 200 words", "given", labelled("compare_imdb_keras")),
        map_row("clean Reuters, three layers", "best of 3", best(DEPTH, 3)),
        map_row(
            "Reuters, 2 newswires a batch",
            "scaled",
            labelled("compare_reuters_batch_size", "{}, batch_size=2"),
        ),
        map_row("JapaneseVowels", "given", labelled("compare_japanese_vowels")),
        map_row(
            "MNIST line by line, last state (γ = .1)", "given", small_gain("compare_mnist_rows")
        ),
        map_row(
            "MNIST, 196 permuted pixels, last state (γ = .1)",
            "given",
            small_gain("compare_mnist_permuted"),
        ),
        map_row(
            "newswires by character, bits per character", "given", labelled("compare_characters")
        ),
        map_row(
            "adding problem, 100 steps, mean absolute error",
            "given",
            labelled("compare_adding", "{}, max_length=100"),
        ),
    ]


def map_row(where: str, rate: str, arms: Arms) -> str:
    score, none, *norms = arms
    (seeds,) = {len(each) for each in (none, *norms)}
    cells = [gain(paired_estimate(each, none), score) for each in norms]
    return f"| {' | '.join([where, rate, short(mean_of(none)), *cells, str(seeds)])} |"


def gain(found: Estimate, score: Score) -> str:
    """A difference, in points if they are points; bold if all of it is better, italic if worse."""
    text = points(found) if score.unit == "points" else cell_text(found, signed=True)
    low, high = sorted((score.merit(found.low), score.merit(found.high)))
    return f"**{text}**" if low > 0 else f"*{text}*" if high < 0 else text


def tuned(name: str, cell: str) -> Arms:
    """Each at the setting that validation data chose for it."""
    comparison = published(name)
    return of_norms(name, {norm: on_test(arm_of(comparison, cell, norm)) for norm in NORMS})


def labelled(name: str, pattern: str = "{}", batch: str = "batch") -> Arms:
    """The LSTM's, by what their labels say beside the cell."""
    comparison = published(name)
    arms = {arm.label: arm.values(comparison.task.score.name) for arm in comparison.arms}
    own = {"none": "none", "layer": "layer", "batch": batch}
    return of_norms(name, {norm: arms[f"lstm {pattern.format(own[norm])}"] for norm in NORMS})


def small_gain(name: str) -> Arms:
    return labelled(name, batch="batch, gamma=0.1")


def best(name: str, *choice: object) -> Arms:
    """Each at the rate that validation data prefer, of those that all were given."""
    return of_norms(name, {norm: best_of(curves(name)[choice][norm]) for norm in NORMS})


def along(cell: str, name: str = CURVES) -> Arms:
    return of_norms(name, {norm: over_all(curves_of(cell, name)[norm]) for norm in NORMS})


def of_norms(name: str, values: Mapping[str, Mapping[int, float]]) -> Arms:
    return Arms(published(name).task.score, **values)
