"""Charts of scores: on the test set, against a setting, over trials, by length and by class."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from seqnorm.analysis.arms import Arm
from seqnorm.analysis.budget import expected_maximum
from seqnorm.analysis.charts import Chart, Dot, DotChart, Line, LineChart, Plate, Row, plain_band
from seqnorm.analysis.drawn import Drawn, no_band, without
from seqnorm.analysis.estimates import mean_estimate, paired_estimate
from seqnorm.analysis.portable import portable_name
from seqnorm.analysis.statistics import Band
from seqnorm.analysis.trials import arm_trials, by_learning_rate, tried_alike

MAX_CLASSES = 60
MOST_TICKS = 8


def accuracy_plate(drawn: Drawn) -> Plate | None:
    """Every run, mean and interval of each arm on the test set."""
    charts = []
    for metric, title in (("accuracy", "test accuracy"), ("macro_f1", "test macro-F1")):
        rows = []
        for arm in drawn.arms:
            values = list(arm.values(metric).values())
            found = mean_estimate(values)
            dot = Dot(arm.label, drawn.style(arm), found.value, found.low, found.high, values)
            rows.append(Row(arm.label, [dot]))
        floors = drawn.floors() if metric == "accuracy" else {}
        charts.append(DotChart(title, rows, floors))
    caption = (
        "Mean over seeds with its 95 % interval (bootstrap); small strokes are single runs. A "
        "diverged run counts with the scores of the majority class." + drawn.restriction
    )
    return Plate("accuracy", "Test scores", caption, charts) if drawn.arms else None


def _difference_row(drawn: Drawn, arm: Arm, baseline: Arm, metric: str) -> Row:
    ours, theirs = arm.values(metric), baseline.values(metric)
    points = [ours[seed] - theirs[seed] for seed in sorted(ours.keys() & theirs.keys())]
    found = paired_estimate(ours, theirs)
    dot = Dot(arm.label, drawn.style(arm), found.value, found.low, found.high, points)
    return Row(arm.label, [dot])


def differences_plate(drawn: Drawn) -> Plate | None:
    """Differences by seed to the arms without normalisation."""
    pairs = [(arm, drawn.comparison.baseline_of(arm)) for arm in drawn.arms]
    charts = [
        DotChart(
            title,
            [_difference_row(drawn, arm, base, metric) for arm, base in pairs if base is not None],
            {"no difference": 0.0},
        )
        for metric, title in (("accuracy", "Δ test accuracy"), ("macro_f1", "Δ test macro-F1"))
    ]
    caption = (
        "Difference to the arm of the same cell without normalisation, seed by seed: mean with its "
        "95 % interval (bootstrap), and every pair of runs as a small stroke." + drawn.restriction
    )
    kept = any(np.isfinite(dot.value) for row in charts[0].rows for dot in row.dots)
    return Plate("differences", "Against no normalisation", caption, charts) if kept else None


def _against_setting(drawn: Drawn, key: str) -> LineChart:
    """Test accuracy against one setting, a line for the arms that agree in everything else."""
    series: dict[str, list[Arm]] = {}
    for arm in drawn.comparison.arms:
        if key in dict(arm.settings):
            rest = ", ".join(f"{name}={value}" for name, value in without(arm.settings, key))
            series.setdefault(f"{arm.cell} {arm.norm}{' ' + rest if rest else ''}", []).append(arm)
    lines = []
    for style, (label, arms) in enumerate(series.items()):
        ordered = sorted(arms, key=lambda arm: dict(arm.settings)[key])
        x = np.array([dict(arm.settings)[key] for arm in ordered], dtype=float)
        found = [mean_estimate(list(arm.values("accuracy").values())) for arm in ordered]
        mean = np.array([one.value for one in found])
        low, high = (np.array([getattr(one, end) for one in found]) for end in ("low", "high"))
        single = np.isnan(low)
        band = Band(x, mean, np.where(single, mean, low), np.where(single, mean, high))
        lines.append(Line(label, style, band))
    positive = all((line.band.x > 0).all() for line in lines)
    ticks = sorted({float(value) for line in lines for value in line.band.x})
    return LineChart(
        "test accuracy",
        key,
        lines,
        drawn.floors(),
        log_x=positive,
        x_ticks=ticks if len(ticks) <= MOST_TICKS else (),
    )


def setting_plates(drawn: Drawn) -> Iterator[Plate]:
    """One plate for each setting that is varied, as the size of a batch."""
    for key in drawn.varied:
        chart = _against_setting(drawn, key)
        short = key.rsplit(".", 1)[-1]
        caption = f"Mean over seeds with its 95 % interval (bootstrap), against {key}."
        labels = [line.label for line in chart.lines]
        title = f"Accuracy against {short.replace('_', ' ')}"
        yield Plate(portable_name(f"against-{short}"), title, caption, [chart], labels)


def trials_plate(drawn: Drawn) -> Plate | None:
    """What tuning buys: the expected best of n trials, and every trial by its learning rate."""

    def expected(arm: Arm) -> Line:
        scores = np.array([trial.score for trial in arm_trials(arm)])
        counts = np.arange(1, scores.size + 1, dtype=float)
        return drawn.line(arm, plain_band(counts, expected_maximum(scores)))

    def single(arm: Arm) -> Line:
        return Line(drawn.variant(arm), drawn.style(arm), by_learning_rate(arm), marks=True)

    if not any(arm.trials for arm in drawn.arms):
        return None
    charts: list[Chart] = []
    for (ending, curves), (_, points) in zip(
        drawn.lines(expected), drawn.lines(single), strict=True
    ):
        title = f"expected best validation accuracy{ending}"
        charts.append(LineChart(title, "trials", curves))
        title = f"validation accuracy of single trials{ending}"
        charts.append(LineChart(title, "learning rate", points, log_x=True))
    same = "The list of trials is the same for every arm." if tried_alike(drawn.arms) else ""
    caption = (
        "Left: expected validation accuracy of the best of n trials (Dodge et al., 2019, without "
        "replacement): an arm that is high at few trials is easy to tune. No band: over so few "
        "trials a bootstrap one covers far less than it says. Right: every trial by its learning "
        f"rate; dropout and gain vary as well. {same}".rstrip()
        + drawn.restriction
    )
    return Plate("trials", "What tuning buys", caption, charts, drawn.legend)


def mean_and_range(rows: NDArray[np.float64], x: NDArray[np.float64]) -> Band:
    """Band over the first axis of rows, at the places where any is finite."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a bin without a text is NaN in every run
        mean, low, high = np.nanmean(rows, 0), np.nanmin(rows, 0), np.nanmax(rows, 0)
    kept = np.isfinite(mean)
    return Band(x[kept], mean[kept], low[kept], high[kept])


def lengths_plate(drawn: Drawn) -> Plate | None:
    """Test accuracy by length of the text."""
    edges = drawn.evidence.edges.astype(float)
    middles = (edges[:-1] + edges[1:] - 1) / 2

    def line(arm: Arm) -> Line:
        rows = drawn.of(arm).by_length
        return drawn.line(arm, mean_and_range(rows, middles) if rows.size else no_band())

    charts = [
        LineChart(f"test accuracy{ending}", "tokens of the text, as the network reads it", lines)
        for ending, lines in drawn.lines(line)
    ]
    if not any(line.band.x.size > 1 for chart in charts for line in chart.lines):
        return None
    caption = (
        "Test texts in bins of about equal number by length (texts that were cut share the last "
        "one); mean over seeds, band from the lowest to the highest." + drawn.restriction
    )
    return Plate("lengths", "Accuracy by length", caption, charts, drawn.legend)


def classes_plate(drawn: Drawn) -> Plate | None:
    """F1 of every class, where there are more than two."""
    names, support = drawn.evidence.classes, drawn.evidence.support
    if len(names) <= 2:
        return None
    order = [index for index in np.argsort(-support, kind="stable") if support[index]]
    charts = []
    for panel in drawn.panels:
        of_panel = [arm for arm in drawn.arms if drawn.panel(arm) == panel]
        arms = [arm for arm in of_panel if drawn.of(arm).by_class.size]
        rows = []
        for index in order[:MAX_CLASSES]:
            means = [float(drawn.of(arm).by_class[:, index].mean()) for arm in arms]
            dots = [
                Dot(drawn.variant(arm), drawn.style(arm), mean)
                for arm, mean in zip(arms, means, strict=True)
            ]
            rows.append(Row(f"{names[index]} ({support[index]})", dots))
        if arms:
            charts.append(DotChart(f"F1, {panel}" if panel else "F1", rows))
    if not charts:
        return None
    caption = (
        "F1 of each class on the test set, mean over seeds; in brackets the number of test texts. "
        "From the largest class to the smallest." + drawn.restriction
    )
    return Plate("classes", "F1 by class", caption, charts, drawn.legend)
