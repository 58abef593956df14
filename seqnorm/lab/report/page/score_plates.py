"""Charts of scores: on the test set, against a setting, over trials, by length and by class."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.report.arms.arms import Arm
from seqnorm.lab.report.arms.trials import arm_trials, by_learning_rate, tried_alike, varied_keys
from seqnorm.lab.report.page.charts import (
    SHARE,
    Chart,
    Dot,
    DotChart,
    Line,
    LineChart,
    Plate,
    Row,
    plain_band,
)
from seqnorm.lab.report.page.drawn import Drawn, no_band, without
from seqnorm.lab.report.page.styles import make_looks
from seqnorm.lab.report.statistics.budget import expected_maximum
from seqnorm.lab.report.statistics.curves import Band
from seqnorm.lab.report.statistics.estimates import mean_estimate, paired_estimate
from seqnorm.lab.runs.portable import portable_name

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
            dot = Dot(arm.label, drawn.look(arm), found.value, found.low, found.high, values)
            rows.append(Row(drawn.row(arm), [dot]))
        floors = drawn.floors() if metric == "accuracy" else {}
        charts.append(DotChart(title, rows, floors, SHARE))
    caption = (
        "Mean over seeds with its 95 % interval (bootstrap); small strokes are single runs. A "
        "diverged run counts with the scores of the majority class." + drawn.restriction
    )
    return Plate("accuracy", "Test scores", caption, charts) if drawn.arms else None


def _difference_row(drawn: Drawn, arm: Arm, baseline: Arm, metric: str) -> Row:
    ours, theirs = arm.values(metric), baseline.values(metric)
    points = [ours[seed] - theirs[seed] for seed in sorted(ours.keys() & theirs.keys())]
    found = paired_estimate(ours, theirs)
    dot = Dot(arm.label, drawn.look(arm), found.value, found.low, found.high, points)
    return Row(drawn.row(arm), [dot])


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


Series = dict[tuple[str, str], list[Arm]]


def _series(drawn: Drawn, key: str) -> Series:
    """The arms that agree in everything but one setting, by panel and label."""
    series: Series = {}
    if key == drawn.axis:  # the other charts have a panel for each of its values: looks as there
        for arm in drawn.arms:
            panel = arm.cell if drawn.several_cells else ""
            series.setdefault((panel, drawn.variant(arm)), []).append(arm)
        return series
    for arm in drawn.comparison.arms:
        if key in dict(arm.settings):
            rest = (f"{name}={value}" for name, value in without(arm.settings, key))
            label = f"{arm.cell} {arm.norm} {', '.join(rest)}".rstrip()
            series.setdefault(("", label), []).append(arm)
    return series


def _against(key: str, arms: Sequence[Arm]) -> Band:
    """Test accuracy of each arm against its value of a setting."""
    ordered = sorted(arms, key=lambda arm: dict(arm.settings)[key])
    x = np.array([dict(arm.settings)[key] for arm in ordered], dtype=float)
    found = [mean_estimate(list(arm.values("accuracy").values())) for arm in ordered]
    mean = np.array([one.value for one in found])
    low, high = (np.array([getattr(one, end) for one in found]) for end in ("low", "high"))
    single = np.isnan(low)
    return Band(x, mean, np.where(single, mean, low), np.where(single, mean, high))


def _against_chart(drawn: Drawn, key: str, panel: str, lines: Sequence[Line]) -> LineChart:
    ticks = sorted({float(value) for line in lines for value in line.band.x})
    return LineChart(
        f"test accuracy, {panel}" if panel else "test accuracy",
        key,
        lines,
        drawn.floors(),
        log_x=ticks[0] > 0,
        x_ticks=ticks if len(ticks) <= MOST_TICKS else (),
        bounds=SHARE,
    )


def _varied_beside(key: str, series: Series) -> str:
    """A sentence that names what else differs along a line, as a rate that grows with the batch."""
    keys = dict.fromkeys(
        found
        for arms in series.values()
        for found in varied_keys([arm.runs[0].config for arm in arms])
        if found != key
    )
    return f" Along a line {', '.join(keys)} varies as well." if keys else ""


def setting_plates(drawn: Drawn) -> Iterator[Plate]:
    """One plate for each setting that is varied, as the size of a batch."""
    for key in drawn.varied:
        series = _series(drawn, key)
        legend = drawn.legend
        if key != drawn.axis:
            legend = make_looks((label, arms[0].norm) for (_, label), arms in series.items())
        looks = {look.name: look for look in legend}
        charts = []
        for panel in dict.fromkeys(panel for panel, _ in series):
            lines = [
                Line(looks[label], _against(key, arms))
                for (place, label), arms in series.items()
                if place == panel
            ]
            charts.append(_against_chart(drawn, key, panel, lines))
        short = key.rsplit(".", 1)[-1]
        caption = f"Mean over seeds with its 95 % interval (bootstrap), against {key}."
        caption += _varied_beside(key, series)
        title = f"Accuracy against {short.replace('_', ' ')}"
        yield Plate(portable_name(f"against-{short}"), title, caption, charts, legend)


def trials_plate(drawn: Drawn) -> Plate | None:
    """What tuning buys: the expected best of n trials, and every trial by its learning rate."""

    def expected(arm: Arm) -> Line:
        scores = np.array([trial.score for trial in arm_trials(arm)])
        counts = np.arange(1, scores.size + 1, dtype=float)
        return drawn.line(arm, plain_band(counts, expected_maximum(scores)))

    def single(arm: Arm) -> Line:
        return Line(drawn.look(arm), by_learning_rate(arm), marks=True)

    if not any(arm.trials for arm in drawn.arms):
        return None
    charts: list[Chart] = []
    for (ending, curves), (_, points) in zip(
        drawn.lines(expected), drawn.lines(single), strict=True
    ):
        title = f"expected best validation accuracy{ending}"
        charts.append(LineChart(title, "trials", curves, bounds=SHARE))
        title = f"validation accuracy of single trials{ending}"
        charts.append(LineChart(title, "learning rate", points, log_x=True, bounds=SHARE))
    same = "The list of trials is the same for every arm." if tried_alike(drawn.arms) else ""
    caption = (
        "The first of two charts: expected validation accuracy of the best of n trials (Dodge et "
        "al., 2019, without replacement): an arm that is high at few trials is easy to tune. No "
        "band: over so few trials a bootstrap one covers far less than it says. The second: every "
        f"trial by its learning rate; dropout and gain vary as well. {same}".rstrip()
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
        LineChart(
            f"test accuracy{ending}",
            "tokens of the text, as the network reads it",
            lines,
            bounds=SHARE,
        )
        for ending, lines in drawn.lines(line)
    ]
    if not any(line.band.x.size > 1 for chart in charts for line in chart.lines):
        return None
    caption = (
        "Test texts in bins of about equal number by length (texts that were cut share the last "
        "one); mean over seeds, band from the lowest to the highest. A diverged run answers with "
        "the majority class." + drawn.restriction
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
                Dot(drawn.variant(arm), drawn.look(arm), mean)
                for arm, mean in zip(arms, means, strict=True)
            ]
            rows.append(Row(f"{names[index]} ({support[index]})", dots))
        if arms:
            charts.append(DotChart(f"F1, {panel}" if panel else "F1", rows, bounds=SHARE))
    if not charts:
        return None
    caption = (
        "F1 of each class on the test set, mean over seeds; in brackets the number of test texts. "
        "From the largest class to the smallest. A diverged run answers with the majority class."
        + drawn.restriction
    )
    return Plate("classes", "F1 by class", caption, charts, drawn.legend)
