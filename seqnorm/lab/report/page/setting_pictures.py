"""Charts of scores against a setting that is varied, as the learning rate or a batch size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from seqnorm.lab.report.arms.floors import capitalised, is_floor
from seqnorm.lab.report.arms.trials import varied_keys
from seqnorm.lab.report.arms.varied import number_of
from seqnorm.lab.report.page.axes import rise_by_ratios
from seqnorm.lab.report.page.charts import Chart, Line, LineChart, Picture, plain_band
from seqnorm.lab.report.page.looks import Looks
from seqnorm.lab.report.page.plateau_displays import DRAWN, plateau_charts
from seqnorm.lab.report.page.series import Series
from seqnorm.lab.report.statistics.curves import Band
from seqnorm.lab.report.statistics.estimates import mean_estimate
from seqnorm.lab.runs.portable import portable_name
from seqnorm.lab.tasks.score import Score

AGAINST = "against-"  # begins the key of each of these pictures
MOST_TICKS = 8


def setting_pictures(looks: Looks) -> Iterator[Picture]:
    """One picture for each setting that is varied."""
    for key, series in looks.series.items():
        yield _picture(looks, key, series)


def setting_picture_key(looks: Looks, key: str) -> str:
    """The key of the picture of a setting."""
    return portable_name(f"{AGAINST}{looks.short[key]}")


def _picture(looks: Looks, key: str, series: Sequence[Series]) -> Picture:
    task = looks.comparison.task
    score = task.score
    charts: list[Chart] = [
        _chart(key, f"test {score.title}{ending}", lines, score.bounds, looks.floors())
        for ending, lines in _panels(series, lambda one: _scores(one, score))
    ]
    caption = f"Mean over seeds with its 95 % interval (bootstrap), against {key}."
    caption += _varied_beside(series) + _left_out(looks, key)
    if plateaus := plateau_charts(looks, key):
        charts += plateaus
        caption += DRAWN
    if any(arm.diverged for one in series for arm in one.arms):
        charts += [
            _chart(key, f"share of runs that diverged{ending}", lines, (0.0, 1.0))
            for ending, lines in _panels(series, _diverged)
        ]
        caption += f" A diverged run counts with the scores of the {task.baseline}."
    title = f"{capitalised(score.title)} against {looks.short[key].replace('_', ' ')}"
    looks_of = {one.look.name: one.look for one in series}
    return Picture(setting_picture_key(looks, key), title, caption, charts, [*looks_of.values()])


def _panels(
    series: Sequence[Series], band: Callable[[Series], Band]
) -> Iterator[tuple[str, list[Line]]]:
    """For every panel the text that ends a chart's title, and a line for each of its series."""
    for panel in dict.fromkeys(one.panel for one in series):
        ending = f", {panel}" if panel else ""
        yield ending, [Line(one.look, band(one)) for one in series if one.panel == panel]


def _scores(series: Series, score: Score) -> Band:
    found = [mean_estimate([*arm.values(score.name).values()]) for arm in series.arms]
    mean, low, high = (
        np.array([getattr(one, name) for one in found]) for name in ("value", "low", "high")
    )
    single = np.isnan(low)
    return Band(series.values, mean, np.where(single, mean, low), np.where(single, mean, high))


def _diverged(series: Series) -> Band:
    return plain_band(
        series.values, np.array([arm.diverged / len(arm.runs) for arm in series.arms])
    )


def _chart(
    key: str,
    title: str,
    lines: Sequence[Line],
    bounds: tuple[float, float] | None,
    floors: Mapping[str, float] | None = None,
) -> LineChart:
    ticks = np.unique(np.concatenate([line.band.x for line in lines]))
    return LineChart(
        title,
        key,
        lines,
        floors or {},
        log_x=rise_by_ratios(ticks),
        x_ticks=ticks.tolist() if len(ticks) <= MOST_TICKS else (),
        bounds=bounds,
    )


def _left_out(looks: Looks, key: str) -> str:
    """A sentence that names arms which have no number of a setting, as null or none at all."""
    arms = [arm for arm in looks.comparison.arms if not is_floor(arm)]
    labels = [arm.label for arm in arms if number_of(arm, key) is None]
    return f" Not drawn, since it has no number of it: {'; '.join(labels)}." if labels else ""


def _varied_beside(series: Sequence[Series]) -> str:
    """A sentence that names what else differs along a line, as a rate that grows with the batch."""
    keys = dict.fromkeys(
        found
        for one in series
        for found in varied_keys([arm.runs[0].config for arm in one.arms])
        if found != one.key
    )
    return f" Along a line {', '.join(keys)} varies as well." if keys else ""
