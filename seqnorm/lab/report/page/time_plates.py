"""Charts over time: learning curves, and statistics through the steps of a sequence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.report.arms.arms import Arm
from seqnorm.lab.report.findings.evidence import ArmEvidence
from seqnorm.lab.report.page.charts import Line, LineChart, Plate, plain_band
from seqnorm.lab.report.page.drawn import Drawn, no_band
from seqnorm.lab.report.statistics.curves import Band, common_band, resampled_band
from seqnorm.lab.runs.read import Curve

# Key of the profile, title, whether the values spread over orders of magnitude.
_PROFILES = (
    ("gradient_norm", "gradient norm of the loss in the state", True),
    ("mean", "mean of the recurrent pre-activation", False),
    ("spread", "spread of the recurrent pre-activation", False),
    ("distance", "distance of batch mean from running mean", False),
    ("rows", "valid rows of the probe", False),
)
_AGAINST_ROWS = ("spread", "distance")
_STEP, _SECONDS = 0, 1  # columns of a history


def _run_curves(of_arm: ArmEvidence, metric: str, axis: int, diverged: bool) -> list[Curve]:
    histories = [run.metrics[metric] for run in of_arm.curves if run.diverged == diverged]
    finite = [history[np.isfinite(history[:, axis])] for history in histories]
    return [(history[:, axis], history[:, 2]) for history in finite if len(history)]


def _curve_line(drawn: Drawn, metric: str, axis: int, arm: Arm) -> Line:
    completed = _run_curves(drawn.of(arm), metric, axis, diverged=False)
    broken = _run_curves(drawn.of(arm), metric, axis, diverged=True)
    if axis == _SECONDS:  # which differ from run to run, so what they have in common may be little
        band = resampled_band(completed)
        return replace(drawn.line(arm, band), tails=completed, broken=broken)
    band = common_band(completed)
    last = band.x[-1] if band.x.size else -np.inf
    tails = [(x[x >= last], y[x >= last]) for x, y in completed if (x >= last).sum() > 1]
    return replace(drawn.line(arm, band), tails=tails, broken=broken)


def curves_plate(drawn: Drawn) -> Plate | None:
    """Validation accuracy and loss against steps and against seconds."""
    charts = []
    for metric, title in (
        ("val_accuracy", "validation accuracy"),
        ("val_loss", "validation loss (nats)"),
    ):
        references = drawn.floors() if metric == "val_accuracy" else {}
        against = {"optimiser steps": _STEP, "seconds of training": _SECONDS}
        per_axis = [
            [
                LineChart(f"{title}{ending}", x_label, lines, references)
                for ending, lines in drawn.lines(partial(_curve_line, drawn, metric, axis))
            ]
            for x_label, axis in against.items()
        ]
        charts += [chart for pair in zip(*per_axis, strict=True) for chart in pair]
    if not any(line.band.x.size or line.broken for chart in charts for line in chart.lines):
        return None
    caption = (
        "Line: mean over seeds; band: from the lowest to the highest seed, up to where the first "
        "run stopped. Thin lines: against steps, runs that went on; against seconds, every run. "
        "Thin line with a cross: a run that diverged. Seconds include validation."
        + drawn.restriction
    )
    return Plate("curves", "Learning curves and cost", caption, charts, drawn.legend)


def _profile_line(drawn: Drawn, layer: int, key: str, arm: Arm) -> Line:
    layers = drawn.of(arm).layers
    values = layers[layer].arrays.get(key) if layer < len(layers) else None
    return drawn.line(arm, no_band() if values is None else _profile(values))


def _rows_line(drawn: Drawn, layer: int, key: str, arm: Arm) -> Line:
    layers = drawn.of(arm).layers
    arrays = layers[layer].arrays if layer < len(layers) else {}
    known = {key, "rows"} <= arrays.keys()
    return drawn.line(arm, against_rows(arrays["rows"], arrays[key]) if known else no_band())


def against_rows(rows: NDArray[np.float64], values: NDArray[np.float64]) -> Band:
    """A profile against the number of valid rows: its mean over the time steps of that number.

    Rows (4, 4, 1, 0) and values (1, 3, 7, NaN) give x = (1, 4), mean (7, 2).
    """
    kept = np.isfinite(values) & (rows >= 0.5)
    counts = np.round(rows[kept])
    x, places = np.unique(counts, return_inverse=True)
    return plain_band(x, np.bincount(places, values[kept]) / np.maximum(np.bincount(places), 1))


def _layer_title(drawn: Drawn, layer: int, depth: int) -> str:
    """Which layer it is, unless there is only one; by name if all arms agree on it."""
    if depth == 1:
        return ""
    names = {of.layers[layer].name for of in map(drawn.of, drawn.arms) if layer < len(of.layers)}
    return f", recurrent layer {layer + 1}" + (f" ({names.pop()})" if len(names) == 1 else "")


def statistics_plates(drawn: Drawn) -> Iterator[Plate]:
    """One plate for each recurrent layer: what the last probe saw at every time step."""
    depth = max((len(drawn.of(arm).layers) for arm in drawn.arms), default=0)
    for layer in range(depth):
        title = _layer_title(drawn, layer, depth)
        charts = [
            LineChart(f"{heading}{ending}", "time step", lines, log_y=logarithmic)
            for key, heading, logarithmic in _PROFILES
            for ending, lines in drawn.lines(partial(_profile_line, drawn, layer, key))
            if any(line.band.x.size for line in lines)
        ] + [
            LineChart(f"{heading}{ending}", "valid rows of the probe", lines, log_x=True)
            for key, heading, _ in _PROFILES
            if key in _AGAINST_ROWS
            for ending, lines in drawn.lines(partial(_rows_line, drawn, layer, key))
            if any(line.band.x.size > 1 for line in lines)
        ]
        yield Plate(
            f"statistics-layer{layer + 1}",
            f"Through time{title}",
            f"Statistics of the last probe against the time step{title}; mean over the seeds that "
            "did not diverge. The probe is a batch of its own, at inference, of "
            "train.probe_examples texts whatever the batch size. "
            "Distance (batch normalisation only): norm of the difference between batch mean and "
            "running mean over the features, divided by the norm of the running standard "
            "deviations (where gates and candidate have a norm each, the mean of both). Against "
            "the valid rows: the mean over the time steps at which so many sequences of the probe "
            "are still alive." + drawn.restriction,
            charts,
            drawn.legend,
        )


def _profile(values: NDArray[np.float64]) -> Band:
    """A profile against the time step, without the steps at which no row is valid."""
    steps = np.flatnonzero(np.isfinite(values))
    return plain_band(steps.astype(float), values[steps])
