"""Arms in a row: those that agree in everything but one setting, as the learning rate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.report.arms.arms import Arm, Comparison
from seqnorm.lab.report.arms.floors import is_floor
from seqnorm.lab.report.arms.labels import make_label, written_settings
from seqnorm.lab.report.page.styles import Look, make_looks
from seqnorm.lab.report.statistics.plateau import mean_along

Settings = tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Series:
    """Arms that agree in everything but one setting.

    Attributes:
        key: The setting, as "optim.learning_rate".
        panel: What has a chart of its own: the cell if there are several, and settings beside the
            norm, as "gru, depth=2"; else empty.
        look: Name in the legend, colour and shape.
        label: Its name among those of all panels, as "gru layer, depth=2".
        arms: By rising value of the setting.
    """

    key: str
    panel: str
    look: Look
    label: str
    arms: Sequence[Arm]

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


def series_along(comparison: Comparison, key: str) -> list[Series]:
    """The arms, those alike but for one setting together.

    Each panel has a line for each norm, and there is one for every cell and for all that differs
    beside the norm; if norms would stand alone in their panels, cells only have their own.
    """
    arms = [arm for arm in comparison.arms if key in dict(arm.settings) and not is_floor(arm)]
    several_cells = len({arm.cell for arm in arms}) > 1
    apart = _norms_meet(arms, key)
    found: dict[tuple[str, str, str, str], list[Arm]] = {}
    for arm in arms:
        own = without(arm.settings, key)
        beside = _beside_norm(own) if apart else ()
        panel = ", ".join([*[arm.cell] * several_cells, *written_settings(beside)])
        name = _label(arm, [pair for pair in own if pair not in beside])
        if several_cells:  # whose panel says it
            name = name.removeprefix(f"{arm.cell} ")
        found.setdefault((panel, name, arm.norm, _label(arm, own)), []).append(arm)
    looks = {look.name: look for look in make_looks((name, norm) for _, name, norm, _ in found)}
    return [
        Series(key, panel, looks[name], label, sorted(same, key=lambda arm: _value(arm, key)))
        for (panel, name, _, label), same in found.items()
    ]


def _norms_meet(arms: Iterable[Arm], key: str) -> bool:
    """Whether for each choice of cell and of what is no norm's there are arms of several norms."""
    lines: dict[tuple[str, Settings], set[tuple[str, Settings]]] = {}
    for arm in arms:
        own = without(arm.settings, key)
        beside = _beside_norm(own)
        line = (arm.norm, tuple(pair for pair in own if pair not in beside))
        lines.setdefault((arm.cell, beside), set()).add(line)
    return all(len(own) > 1 for own in lines.values())


def without(settings: Settings, key: str) -> Settings:
    """All settings but one."""
    return tuple(pair for pair in settings if pair[0] != key)


def _beside_norm(settings: Settings) -> Settings:
    return tuple(pair for pair in settings if not pair[0].startswith("norm."))


def _label(arm: Arm, settings: Sequence[tuple[str, Any]]) -> str:
    """An arm's label with some of its settings, and what tells it apart from an equal one."""
    apart = arm.label.removeprefix(make_label(arm.cell, arm.norm, arm.settings))
    return make_label(arm.cell, arm.norm, settings) + apart


def _value(arm: Arm, key: str) -> float:
    return float(dict(arm.settings)[key])
