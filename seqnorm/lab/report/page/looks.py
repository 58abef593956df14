"""The arms that are drawn and how they look: one look per norm, one panel per cell."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.report.arms.arms import Arm, Comparison, as_text
from seqnorm.lab.report.arms.floors import baseline_score, floor_scores, floor_title, is_floor
from seqnorm.lab.report.arms.varied import number_of, short_names, varied_settings
from seqnorm.lab.report.findings.evidence import ArmEvidence, Evidence
from seqnorm.lab.report.page.charts import Line
from seqnorm.lab.report.page.plateaus import Found, find_plateaus
from seqnorm.lab.report.page.series import Series, series_along
from seqnorm.lab.report.page.styles import Look, make_looks
from seqnorm.lab.report.statistics.curves import Band

# More lines than this cannot be told apart.
MAX_LOOKS = 10
MAX_PANELS = 6


@dataclass(frozen=True)
class Looks:
    """The arms that are drawn, and what there is of each.

    Attributes:
        comparison: All arms.
        evidence: What there is of each.
        arms: Those that are drawn, in the order of the tables.
        varied: Settings that are varied, as the batch size.
        axis: The one of them each value of which has a panel of its own.
        restriction: A sentence that says so if some are left out.
    """

    comparison: Comparison
    evidence: Evidence
    arms: Sequence[Arm]
    varied: Sequence[str] = ()
    axis: str | None = None
    restriction: str = ""

    @property
    def panels(self) -> list[str]:
        """What has charts of its own: each cell, and each value of an axis as the batch size."""
        return list(dict.fromkeys(map(self.panel, self.arms)))

    @cached_property
    def legend(self) -> list[Look]:
        """One look per variant, the same for the same norm in every cell."""
        return make_looks((self.variant(arm), arm.norm) for arm in self.arms)

    @cached_property
    def short(self) -> Mapping[str, str]:
        """What a varied setting is called, as "batch_size"."""
        return short_names(self.varied)

    @cached_property
    def series(self) -> Mapping[str, list[Series]]:
        """The arms along each setting that is varied."""
        return {key: series_along(self.comparison, key) for key in self.varied}

    @cached_property
    def plateaus(self) -> Mapping[str, list[Found]]:
        """Where the arms are good, for each setting that is varied."""
        return {key: find_plateaus(self.comparison, series) for key, series in self.series.items()}

    @cached_property
    def several_cells(self) -> bool:
        """Whether the arms are of more than one cell."""
        return len({arm.cell for arm in self.arms}) > 1

    @cached_property
    def _alone(self) -> bool:
        """Whether cell and norm tell the arms apart, so that settings are left to the tables."""
        return len({(arm.cell, arm.norm) for arm in self.arms}) == len(self.arms)

    def _label(self, arm: Arm) -> str:
        return arm.label.partition(", ")[0] if self._alone else arm.label

    def row(self, arm: Arm) -> str:
        """An arm's label, without a cell that all arms share."""
        label = self._label(arm)
        return label if self.several_cells else label.removeprefix(f"{arm.cell} ")

    def panel(self, arm: Arm) -> str:
        """The panel an arm is drawn in, as "gru" or "lstm, batch_size=8"; empty if there is one."""
        cell, value = arm.cell if self.several_cells else "", _axis_text(arm, self.axis)
        return ", ".join(filter(None, (cell, value)))

    def variant(self, arm: Arm) -> str:
        """What an arm is among those of its panel, as "layer"."""
        value = _axis_text(arm, self.axis)
        label = arm.label.replace(f", {value}", "") if value else self._label(arm)
        return label.removeprefix(f"{arm.cell} ") if self.several_cells else label

    def look(self, arm: Arm) -> Look:
        """Its look, the same for the same norm in every cell."""
        return next(look for look in self.legend if look.name == self.variant(arm))

    def of(self, arm: Arm) -> ArmEvidence:
        """The evidence of one arm."""
        return self.evidence.arms[arm.label]

    def lines(self, make: Callable[[Arm], Line]) -> Iterator[tuple[str, list[Line]]]:
        """For every panel the text that ends a chart's title, and a line per arm."""
        for panel in self.panels:
            ending = f", {panel}" if panel else ""
            yield ending, [make(arm) for arm in self.arms if self.panel(arm) == panel]

    def line(self, arm: Arm, band: Band) -> Line:
        """A line in the look of an arm."""
        return Line(self.look(arm), band)

    def floors(self) -> dict[str, float]:
        """First test score of the task's baseline and of what has no recurrence, by name."""
        task, found = self.comparison.task, floor_scores(self.comparison)
        name = f"{floor_title(self.comparison)} (test)"
        floor = {} if found is None else {name: found[task.score.name]}
        return {f"{task.baseline} (test)": baseline_score(self.comparison), **floor}


def _axis_text(arm: Arm, key: str | None) -> str:
    """How an arm's label names its value of a setting; empty if it does not."""
    own = dict(arm.settings)
    if key is None or key not in own:
        return ""
    texts = [f"{name}={as_text(own[key])}" for name in (key.rsplit(".", 1)[-1], key)]
    return next((text for text in texts if f", {text}" in arm.label), "")


def _panel_axis(arms: Sequence[Arm], varied: Sequence[str]) -> str | None:
    """The first varied setting with few values that all arms have, if there is a look more."""
    for key in varied:
        values = {number_of(arm, key) for arm in arms}
        if None not in values and len(values) <= MAX_PANELS and len(arms) > len(values):
            return key
    return None


def arm_looks(comparison: Comparison, evidence: Evidence) -> Looks:
    """Arms of at most `MAX_LOOKS` looks, those with the best scores; floors are references."""
    arms = [arm for arm in comparison.arms if not is_floor(arm)]
    varied = varied_settings(arms)
    axis = _panel_axis(arms, varied)
    everything = Looks(comparison, evidence, arms, varied, axis)
    score, best = comparison.task.score, dict[str, float]()
    for arm in arms:
        variant, mean = everything.variant(arm), np.mean([*arm.values(score.name).values()])
        best[variant] = max(score.merit(float(mean)), best.get(variant, -np.inf))
    if len(best) <= MAX_LOOKS:
        return everything
    variants = sorted(best, key=lambda variant: best[variant])[-MAX_LOOKS:]
    kept = [arm for arm in arms if everything.variant(arm) in variants]
    those = f"the {len(kept)} with the {score.best} {score.title}"
    sentence = f" Of {len(arms)} arms, {those} are drawn."
    return Looks(comparison, evidence, kept, varied, axis, sentence)


def no_band() -> Band:
    """Of an arm with nothing to show."""
    empty: NDArray[np.float64] = np.empty(0)
    return Band(empty, empty, empty, empty)
