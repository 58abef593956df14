"""Charts over time: learning curves, and statistics through the steps of a sequence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.report.arms.arms import Arm
from seqnorm.lab.report.findings.evidence import ArmEvidence, curve_metrics
from seqnorm.lab.report.page.charts import Line, LineChart, Picture, plain_band
from seqnorm.lab.report.page.looks import Looks, no_band
from seqnorm.lab.report.page.styles import Look
from seqnorm.lab.report.statistics.curves import Band, common_band, timed_band
from seqnorm.lab.report.statistics.profiles import ROWS
from seqnorm.lab.runs.read import Curve

# Key of the profile, title, whether the values spread over orders of magnitude.
_PROFILES = (
    ("gradient_norm", "gradient norm of the loss in the state", True),
    ("mean", "mean of the recurrent pre-activation", False),
    ("spread", "spread of the recurrent pre-activation", False),
    ("distance", "distance of batch mean from running mean", False),
)
_AGAINST_ROWS = ("spread", "distance")
_SAME = 0.03  # of the height of a panel: less than twice the width of a line
# What a word in the title of a panel means.
_MEANINGS = {
    "spread": "Spread: standard deviation over rows and features.",
    "distance": "Distance (batch normalisation only): norm of the difference between batch mean "
    "and running mean over the features, divided by the norm of the running standard deviations "
    "(where gates and candidate have a norm each, the mean of both).",
    "by valid rows": "By valid rows: the mean over the time steps at which so many sequences of "
    "the probe are still alive.",
}
_STEP, _SECONDS = 0, 1  # columns of a history
_AXES = {"steps": ("optimiser steps", _STEP), "seconds": ("seconds of training", _SECONDS)}


def _histories(of_arm: ArmEvidence, metric: str, diverged: bool) -> list[NDArray[np.float64]]:
    found = [run.metrics[metric] for run in of_arm.curves if run.diverged == diverged]
    return [history for history in found if len(history)]


def _curve(history: NDArray[np.float64], axis: int, since: float = -np.inf) -> Curve:
    kept = history[np.isfinite(history[:, axis]) & (history[:, _STEP] >= since)]
    return kept[:, axis], kept[:, 2]


def _curve_line(looks: Looks, metric: str, axis: int, arm: Arm) -> Line:
    completed = _histories(looks.of(arm), metric, diverged=False)
    band = common_band([_curve(history, _STEP) for history in completed])
    last = band.x[-1] if band.x.size else -np.inf
    tails = [_curve(history, axis, since=last) for history in completed]
    broken = [_curve(history, axis) for history in _histories(looks.of(arm), metric, diverged=True)]
    if axis == _SECONDS:
        band = timed_band(band, [history[:, :2] for history in completed])
    return replace(
        looks.line(arm, band),
        tails=[(x, y) for x, y in tails if len(x) > 1],
        broken=[(x, y) for x, y in broken if len(x)],
    )


def _is_curve(line: Line) -> bool:
    """Whether there is more to see than one point, which the tables hold as well."""
    return line.band.x.size > 1 or bool(line.tails or line.broken)


def curves_picture(looks: Looks) -> Picture | None:
    """First score and loss on validation data against steps and against seconds."""
    score, charts = looks.comparison.task.score, []
    scored, loss = curve_metrics(looks.comparison)
    for metric, title, bounds in (
        (scored, f"validation {score.title}", score.bounds),
        (loss, "validation loss (nats)", None),
    ):
        references = looks.floors() if metric == scored else {}
        per_axis = [
            [
                LineChart(
                    f"{title} against {short}{ending}", x_label, lines, references, bounds=bounds
                )
                for ending, lines in looks.lines(partial(_curve_line, looks, metric, axis))
            ]
            for short, (x_label, axis) in _AXES.items()
        ]
        charts += [chart for pair in zip(*per_axis, strict=True) for chart in pair]
    charts = [chart for chart in charts if any(map(_is_curve, chart.lines))]
    if not charts:
        return None
    caption = (
        "Line: mean over seeds; band: from the lowest to the highest seed, up to where the first "
        "run stopped. Against seconds: the same points, each at the median over seeds of the time "
        "at which that epoch had ended, validation included. Thin lines: runs that went on; with a "
        "cross: a run that diverged." + looks.restriction
    )
    return Picture("curves", "Learning curves and cost", caption, charts, looks.legend)


def _profile_line(looks: Looks, layer: int, key: str, arm: Arm) -> Line:
    layers = looks.of(arm).layers
    values = layers[layer].arrays.get(key) if layer < len(layers) else None
    return looks.line(arm, no_band() if values is None else _profile(values))


def _rows_line(looks: Looks, layer: int, key: str, arm: Arm) -> Line:
    layers = looks.of(arm).layers
    arrays = layers[layer].arrays if layer < len(layers) else {}
    known = {key, ROWS} <= arrays.keys()
    return looks.line(arm, against_rows(arrays[ROWS], arrays[key]) if known else no_band())


def against_rows(rows: NDArray[np.float64], values: NDArray[np.float64]) -> Band:
    """A profile against the number of valid rows: its mean over the time steps of that number.

    Rows (4, 4, 1, 0) and values (1, 3, 7, NaN) give x = (1, 4), mean (7, 2).
    """
    kept = np.isfinite(values) & (rows >= 0.5)
    counts = np.round(rows[kept])
    x, places = np.unique(counts, return_inverse=True)
    return plain_band(x, np.bincount(places, values[kept]) / np.maximum(np.bincount(places), 1))


def _layer_titles(looks: Looks, depth: int) -> list[str]:
    """Which layer each is, unless there is only one.

    Of a bidirectional layer it is the half, else the name if all arms agree on it.
    """
    if depth <= 1:
        return [""] * depth
    found = [of.layers for of in map(looks.of, looks.arms)]
    names = [{each[layer].name for each in found if layer < len(each)} for layer in range(depth)]
    ways = [_way(each) for each in names]
    if all(ways):
        numbers = [ways[:layer].count(way) + 1 for layer, way in enumerate(ways)]
        several = max(numbers) > 1
        return [
            f", layer {number}, {way}s" if several else f", {way}s"
            for number, way in zip(numbers, ways, strict=True)
        ]
    own = [f" ({min(each)})" if len(each) == 1 else "" for each in names]
    return [f", recurrent layer {layer + 1}{name}" for layer, name in enumerate(own)]


def _way(names: set[str]) -> str:
    """The half of a keras.layers.Bidirectional that all are, as "forward"; empty if none."""
    ways = {name.partition("_")[0] for name in names}
    return ways.pop() if len(ways) == 1 and ways <= {"forward", "backward"} else ""


def _rows_charts(looks: Looks, layer: int) -> Iterator[LineChart]:
    """The rows alive at each step; one line, their mean, where no eye could tell the arms apart."""
    title = "valid rows of the probe"
    panels = list(looks.lines(partial(_profile_line, looks, layer, ROWS)))
    bands = [line.band for _, lines in panels for line in lines if line.band.x.size]
    if len({band.x.size for band in bands}) == 1:
        rows = np.stack([band.mean for band in bands])
        if np.ptp(rows, axis=0).max() <= _SAME * rows.max():
            common = plain_band(bands[0].x, rows.mean(axis=0))
            yield LineChart(title, "time step", [Line(Look("all arms"), common)])
            return
    for ending, lines in panels if bands else ():
        yield LineChart(f"{title}{ending}", "time step", lines)


def _statistics_charts(looks: Looks, layer: int) -> Iterator[LineChart]:
    for key, heading, logarithmic in _PROFILES:
        for ending, lines in looks.lines(partial(_profile_line, looks, layer, key)):
            if any(line.band.x.size for line in lines):
                yield LineChart(f"{heading}{ending}", "time step", lines, log_y=logarithmic)
    for key in _AGAINST_ROWS:
        for ending, lines in looks.lines(partial(_rows_line, looks, layer, key)):
            if any(line.band.x.size > 1 for line in lines):
                title = f"{key} by valid rows{ending}"
                yield LineChart(title, "valid rows of the probe", lines, log_x=True)
    yield from _rows_charts(looks, layer)


def statistics_pictures(looks: Looks) -> Iterator[Picture]:
    """One picture for each recurrent layer: what the last probe saw at every time step."""
    depth = max((len(looks.of(arm).layers) for arm in looks.arms), default=0)
    for layer, title in enumerate(_layer_titles(looks, depth)):
        charts = list(_statistics_charts(looks, layer))
        meanings = [
            meaning
            for word, meaning in _MEANINGS.items()
            if any(word in chart.title for chart in charts)
        ]
        yield Picture(
            f"statistics-layer{layer + 1}",
            f"Through time{title}",
            f"Statistics of the last probe against the time step{title}; mean over the seeds that "
            "did not diverge. The probe is a batch of its own, at inference, of "
            f"train.probe_examples texts whatever the batch size. {' '.join(meanings)}".rstrip()
            + looks.restriction,
            charts,
            looks.legend,
        )


def _profile(values: NDArray[np.float64]) -> Band:
    """A profile against the time step, without the steps at which no row is valid."""
    steps = np.flatnonzero(np.isfinite(values))
    return plain_band(steps.astype(float), values[steps])
