"""Arms in a row: those that agree in everything but one setting, as the learning rate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.report.arms.arms import Arm, Comparison
from seqnorm.lab.report.arms.floors import is_floor
from seqnorm.lab.report.arms.labels import make_label, written_settings
from seqnorm.lab.report.arms.varied import Settings, beside_norm, number_of, without
from seqnorm.lab.report.page.styles import Look, make_looks
from seqnorm.lab.report.statistics.plateau import mean_along


@dataclass(frozen=True)
class Series:
    """Arms that agree in everything but one setting.

    Attributes:
        key: The setting, as "optim.learning_rate".
        panel: What has a chart of its own: the cell if there are several, and settings beside the
            norm, as "gru, depth=2"; else empty.
        look: Name in the legend, colour and shape.
        label: Its name among those of all panels, as "gru layer, depth=2".
        by_value: The arms by rising value of the setting.
    """

    key: str
    panel: str
    look: Look
    label: str
    by_value: Mapping[float, Arm]

    @property
    def arms(self) -> list[Arm]:
        """By rising value."""
        return [*self.by_value.values()]

    @property
    def values(self) -> NDArray[np.float64]:
        """The value of each arm."""
        return np.array([*self.by_value])

    def along(self, score: str) -> dict[int, float]:
        """The mean of a score along the curve, of each seed that all arms have."""
        found = {value: arm.values(score) for value, arm in self.by_value.items()}
        seeds = set.intersection(*(set(scores) for scores in found.values()))
        return {
            seed: mean_along({value: scores[seed] for value, scores in found.items()})
            for seed in sorted(seeds)
        }


def series_along(comparison: Comparison, key: str) -> list[Series]:
    """The arms that have a number of a setting, those alike but for it together.

    Each panel has a line for each norm, and there is one for every cell and for all that differs
    beside the norm; where norms would mostly stand alone in their panels, cells only have their
    own. Of arms that are alike in all (of two names, say) there are several series.
    """
    numbers = [(arm, number_of(arm, key)) for arm in comparison.arms if not is_floor(arm)]
    known = [(arm, value) for arm, value in numbers if value is not None]
    several_cells = len({arm.cell for arm, _ in known}) > 1
    apart = _norms_meet([arm for arm, _ in known], key)
    found: dict[tuple[str, str, str, str], list[tuple[Arm, float]]] = {}
    for arm, value in known:
        own = without(arm.settings, key)
        beside = beside_norm(own) if apart else ()
        panel = ", ".join([*[arm.cell] * several_cells, *written_settings(beside, arm.settings)])
        of_line = [pair for pair in own if pair not in beside]
        name, label = (
            make_label(arm.cell, arm.norm, settings, arm.settings) for settings in (of_line, own)
        )
        if several_cells:  # whose panel says it
            name = name.removeprefix(f"{arm.cell} ")
        found.setdefault((panel, name, arm.norm, label), []).append((arm, value))
    rows = [
        (panel, f"{name}{which}", norm, f"{label}{which}", row)
        for (panel, name, norm, label), same in found.items()
        for which, row in _rows(same)
    ]
    looks = {look.name: look for look in make_looks((name, norm) for _, name, norm, *_ in rows)}
    return [Series(key, panel, looks[name], label, row) for panel, name, _, label, row in rows]


def _rows(arms: Iterable[tuple[Arm, float]]) -> Iterator[tuple[str, dict[float, Arm]]]:
    """Arms by rising value, each value once; those of a value that came before make a row more."""
    rows: list[dict[float, Arm]] = []
    for arm, value in arms:
        row = next((row for row in rows if value not in row), None)
        if row is None:
            rows.append(row := {})
        row[value] = arm
    for place, row in enumerate(rows):
        yield f" ({place + 1})" if place else "", {value: row[value] for value in sorted(row)}


def _norms_meet(arms: Iterable[Arm], key: str) -> bool:
    """Whether most choices of cell and of what is no norm's have arms of several norms."""
    lines: dict[tuple[str, Settings], set[tuple[str, Settings]]] = {}
    for arm in arms:
        own = without(arm.settings, key)
        beside = beside_norm(own)
        line = (arm.norm, tuple(pair for pair in own if pair not in beside))
        lines.setdefault((arm.cell, beside), set()).add(line)
    return 2 * sum(len(own) > 1 for own in lines.values()) > len(lines)
