"""Arms in a row: those that agree in everything but one setting, as the learning rate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.report.arms.arms import Arm
from seqnorm.lab.report.page.looks import Looks, without
from seqnorm.lab.report.page.styles import Look, make_looks
from seqnorm.lab.report.statistics.plateau import mean_along


@dataclass(frozen=True)
class Series:
    """Arms that agree in everything but one setting.

    Attributes:
        key: The setting, as "optim.learning_rate".
        panel: The cell, if there are several; else empty.
        look: Name in the legend, colour and shape.
        arms: By rising value of the setting.
    """

    key: str
    panel: str
    look: Look
    arms: list[Arm]

    @property
    def values(self) -> NDArray[np.float64]:
        """The value of each arm."""
        return np.array([_value(arm, self.key) for arm in self.arms])

    def along(self, score: str) -> dict[int, float]:
        """The mean of a score along the curve, of each seed that all arms have."""
        found = {_value(arm, self.key): arm.values(score) for arm in self.arms}
        seeds = set.intersection(*(set(scores) for scores in found.values()))
        return {
            seed: mean_along({value: scores[seed] for value, scores in found.items()})
            for seed in sorted(seeds)
        }

    @property
    def label(self) -> str:
        """Its name among those of all cells."""
        cell = self.arms[0].cell
        return f"{cell} {self.look.name.removeprefix(f'{cell} ')}"


def series_along(looks: Looks, key: str) -> list[Series]:
    """The arms, those alike but for one setting together."""
    as_elsewhere = key == looks.axis  # the other charts have a panel for each of its values
    found: dict[tuple[str, str], list[Arm]] = {}
    for arm in looks.arms if as_elsewhere else looks.comparison.arms:
        if key in dict(arm.settings):
            panel = arm.cell if looks.several_cells else ""
            name = looks.variant(arm) if as_elsewhere else _name(arm, key)
            found.setdefault((panel, name), []).append(arm)
    own = make_looks((name, arms[0].norm) for (_, name), arms in found.items())
    by_name = {look.name: look for look in (looks.legend if as_elsewhere else own)}
    return [
        Series(key, panel, by_name[name], sorted(arms, key=lambda arm: _value(arm, key)))
        for (panel, name), arms in found.items()
    ]


def _name(arm: Arm, key: str) -> str:
    return ", ".join([arm.norm, *(f"{k}={value}" for k, value in without(arm.settings, key))])


def _value(arm: Arm, key: str) -> float:
    return float(dict(arm.settings)[key])
