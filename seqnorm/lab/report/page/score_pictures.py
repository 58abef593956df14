"""Charts of scores: on the test set, against a setting, over trials, by length."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.report.arms.arms import Arm
from seqnorm.lab.report.arms.trials import (
    LEARNING_RATE,
    arm_trials,
    by_learning_rate,
    tried_alike,
    varied_keys,
)
from seqnorm.lab.report.page.charts import (
    Chart,
    Dot,
    DotChart,
    Line,
    LineChart,
    Picture,
    Row,
    plain_band,
)
from seqnorm.lab.report.page.looks import Looks
from seqnorm.lab.report.page.notes import in_words, listed
from seqnorm.lab.report.statistics.budget import expected_maximum
from seqnorm.lab.report.statistics.curves import Band
from seqnorm.lab.report.statistics.estimates import mean_estimate, paired_estimate

MOST_TICKS = 8


def scores_picture(looks: Looks) -> Picture | None:
    """Every run, mean and interval of each arm on the test set."""
    task, charts = looks.comparison.task, []
    for place, score in enumerate(task.scores):
        rows = []
        for arm in looks.arms:
            values = list(arm.values(score.name).values())
            found = mean_estimate(values)
            dot = Dot(arm.label, looks.look(arm), found.value, found.low, found.high, values)
            rows.append(Row(looks.row(arm), [dot]))
        floors = {} if place else looks.floors()
        charts.append(DotChart(f"test {score.title}", rows, floors, score.bounds))
    caption = (
        "Mean over seeds with its 95 % interval (bootstrap); small strokes are single runs. A "
        f"diverged run counts with the scores of the {task.baseline}." + looks.restriction
    )
    return Picture(task.score.name, "Test scores", caption, charts) if looks.arms else None


def _difference_row(looks: Looks, arm: Arm, baseline: Arm, score: str) -> Row:
    ours, theirs = arm.values(score), baseline.values(score)
    points = [ours[seed] - theirs[seed] for seed in sorted(ours.keys() & theirs.keys())]
    found = paired_estimate(ours, theirs)
    dot = Dot(arm.label, looks.look(arm), found.value, found.low, found.high, points)
    return Row(looks.row(arm), [dot])


def differences_picture(looks: Looks) -> Picture | None:
    """Differences by seed to the arms without normalisation."""
    pairs = [(arm, looks.comparison.baseline_of(arm)) for arm in looks.arms]
    charts = [
        DotChart(
            f"Δ test {score.title}",
            [_difference_row(looks, arm, b, score.name) for arm, b in pairs if b is not None],
            {"no difference": 0.0},
        )
        for score in looks.comparison.task.scores
    ]
    caption = (
        "Difference to the arm of the same cell without normalisation, seed by seed: mean with its "
        "95 % interval (bootstrap), and every pair of runs as a small stroke." + looks.restriction
    )
    kept = any(np.isfinite(dot.value) for row in charts[0].rows for dot in row.dots)
    return Picture("differences", "Against no normalisation", caption, charts) if kept else None


def _varied_in_trials(looks: Looks) -> str:
    """What the trials vary beside the learning rate, as "; dropout and gain vary as well"."""
    tried = [[trial.config for trial in arm_trials(arm)] for arm in looks.arms]
    words = in_words(
        key for configs in tried for key in varied_keys(configs) if key != LEARNING_RATE
    )
    if not words:
        return ""
    return f"; {listed(words)} {'vary' if len(words) > 1 else 'varies'} as well"


def trials_picture(looks: Looks) -> Picture | None:
    """What tuning buys: the expected best of n trials, and every trial by its learning rate."""
    score = looks.comparison.task.score
    sign = score.merit(1.0)

    def expected(arm: Arm) -> Line:
        scores = np.array([trial.score for trial in arm_trials(arm)])
        counts = np.arange(1, scores.size + 1, dtype=float)
        return looks.line(arm, plain_band(counts, sign * expected_maximum(sign * scores)))

    def single(arm: Arm) -> Line:
        return Line(looks.look(arm), by_learning_rate(arm), marks=True)

    if not any(arm.trials for arm in looks.arms):
        return None
    pruned = any(arm.pruned for arm in looks.arms)
    charts: list[Chart] = []
    for (ending, curves), (_, points) in zip(
        looks.lines(expected), looks.lines(single), strict=True
    ):
        if not any(line.band.x.size for line in points):  # no arm of this cell was tuned
            continue
        if not pruned:  # of those that were left to the end all are better than most
            title = f"expected best validation {score.title}{ending}"
            charts.append(LineChart(title, "trials", curves, bounds=score.bounds))
        title = f"validation {score.title} of single trials{ending}"
        charts.append(LineChart(title, "learning rate", points, log_x=True, bounds=score.bounds))
    same = "The list of trials is the same for every arm." if tried_alike(looks.arms) else ""
    expectation = (
        f"The first of two charts: expected validation {score.title} of the best of n trials "
        "(Dodge et al., 2019, without replacement): an arm that is "
        f"{'high' if score.higher_is_better else 'low'} at few trials is easy to tune. No band: "
        "over so few trials a bootstrap one covers far less than it says. The second: every trial"
    )
    caption = (
        f"{'Every trial that was not stopped early' if pruned else expectation}"
        f" by its learning rate{_varied_in_trials(looks)}. {same}".rstrip()
        + looks.restriction
    )
    return Picture("trials", "What tuning buys", caption, charts, looks.legend)


def mean_and_range(rows: NDArray[np.float64], x: NDArray[np.float64]) -> Band:
    """Band over the first axis of rows, at the places where any is finite."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a bin without a text is NaN in every run
        mean, low, high = np.nanmean(rows, 0), np.nanmin(rows, 0), np.nanmax(rows, 0)
    kept = np.isfinite(mean)
    return Band(x[kept], mean[kept], low[kept], high[kept])
