"""Which runs belong together: one arm per data set, cell, norm and differing setting."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from seqnorm.analysis.records import Ignored, RunRecord

BASELINE = "none"
# What may differ between runs of one arm: the seed, and where files lie or are mirrored to.
_FREE_KEYS = ("seed",)
_FREE_GROUPS = ("tracking.", "hydra.")
_PATH_ENDINGS = (".dir", "_dir", ".path", "_path")
# These three name the arm already.
_NAMED_KEYS = ("data.name", "cell.name", "norm.name")


@dataclass(frozen=True)
class Arm:
    """Runs that differ in nothing but the seed.

    Attributes:
        data, cell, norm: Names.
        settings: (config key, value) of the settings in which this arm differs from others.
        label: Short text for tables and legends.
        runs: The runs by rising seed, one per seed.
    """

    data: str
    cell: str
    norm: str
    settings: tuple[tuple[str, Any], ...]
    label: str
    runs: tuple[RunRecord, ...]

    @property
    def diverged(self) -> int:
        """How many of the runs diverged."""
        return sum(run.diverged for run in self.runs)

    def values(self, metric: str) -> dict[int, float]:
        """One number of every run by seed: "accuracy", "macro_f1" or "seconds"."""
        return {run.seed: getattr(run, metric) for run in self.runs}


@dataclass(frozen=True)
class Comparison:
    """All arms of one data set.

    Attributes:
        data: Name of the data set.
        arms: Ordered by cell, then `none` first, then by name and settings.
        shared: The config keys that all runs have in common, with their values.
    """

    data: str
    arms: tuple[Arm, ...]
    shared: dict[str, Any]

    @property
    def runs(self) -> list[RunRecord]:
        """All runs, arm by arm."""
        return [run for arm in self.arms for run in arm.runs]

    def baseline_of(self, arm: Arm) -> Arm | None:
        """The arm without normalisation to compare an arm of the same cell with.

        It is the one that differs in nothing but the norm. If there is none such, and both norms
        have one arm only (each was tuned on its own), it is that of no normalisation. `None` if
        neither holds, and for an arm without normalisation.
        """
        if arm.norm == BASELINE:
            return None
        plain = [other for other in self.arms if (other.cell, other.norm) == (arm.cell, BASELINE)]
        exact = [other for other in plain if _outside_norm(other) == _outside_norm(arm)]
        alone = sum((other.cell, other.norm) == (arm.cell, arm.norm) for other in self.arms) == 1
        candidates = exact or (plain if alone else [])
        return candidates[0] if len(candidates) == 1 else None


def _outside_norm(arm: Arm) -> dict[str, str]:
    return {key: _text(value) for key, value in arm.settings if not key.startswith("norm.")}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)


def is_setting(key: str) -> bool:
    """Whether a config key can make two arms out of one: neither free to differ nor in the name."""
    free = key in _FREE_KEYS or key.startswith(_FREE_GROUPS) or key.endswith(_PATH_ENDINGS)
    return not free and key not in _NAMED_KEYS


def _scope(key: str, config: dict[str, Any]) -> str | None:
    """Name of the group a key belongs to, among whose runs alone the key is compared."""
    name_key = f"{key.split('.', 1)[0]}.name"
    return None if key == name_key or name_key not in config else _text(config[name_key])


def differing_keys(configs: Sequence[dict[str, Any]]) -> set[tuple[str, str | None]]:
    """Config keys whose value is not the same everywhere, seed and paths aside.

    A key of a group that has a name (as "optim.momentum", with "optim.name") is compared only among
    the runs with the same name: an optimiser without momentum does not differ in it.

    Args:
        configs: Flat configs.

    Returns:
        Pairs of the key and the name of its group (`None` if it has none); the names of data set,
        cell and norm are not among them.
    """
    seen: defaultdict[tuple[str, str | None], set[str]] = defaultdict(set)
    for key in sorted({key for config in configs for key in config}):
        if not is_setting(key):
            continue
        for config in configs:
            value = _text(config[key]) if key in config else "(absent)"
            seen[key, _scope(key, config)].add(value)
    return {place for place, values in seen.items() if len(values) > 1}


def _label(cell: str, norm: str, settings: Sequence[tuple[str, Any]]) -> str:
    last = [key.rsplit(".", 1)[-1] for key, _ in settings]
    parts = [
        f"{short if last.count(short) == 1 and short != 'name' else key}={_text(value)}"
        for short, (key, value) in zip(last, settings, strict=True)
    ]
    return ", ".join([f"{cell} {norm}", *parts])


def _order(arm: Arm) -> tuple[Any, ...]:
    numbers = [
        (key, isinstance(value, str), value if isinstance(value, int | float) else 0, _text(value))
        for key, value in arm.settings
    ]
    return arm.cell, arm.norm != BASELINE, arm.norm, numbers


def _repeated(newer: str) -> str:
    return (
        "an arm needs one run per seed; received a second one with the same config and seed. "
        f"The newer one, {newer}, counts; delete it to count this one."
    )


def _newest_per_seed(runs: Iterable[RunRecord]) -> tuple[list[RunRecord], list[Ignored]]:
    """One run per seed: a repetition with the same seed is no further sample."""
    newest: dict[int, RunRecord] = {}
    ignored: list[Ignored] = []
    for run in sorted(runs, key=lambda run: run.name):  # names end in the time of the start
        if run.seed in newest:
            older = newest[run.seed]
            ignored.append(Ignored(older.folder, _repeated(run.name)))
        newest[run.seed] = run
    return [newest[seed] for seed in sorted(newest)], ignored


def _compare_one(data: str, records: Sequence[RunRecord]) -> tuple[Comparison, list[Ignored]]:
    configs = [record.config for record in records]
    differing = differing_keys(configs)
    groups: defaultdict[tuple[Any, ...], list[RunRecord]] = defaultdict(list)
    for record in records:
        settings = tuple(
            (key, value)
            for key, value in sorted(record.config.items())
            if (key, _scope(key, record.config)) in differing
        )
        identity = tuple((key, _text(value)) for key, value in settings)
        groups[record.cell, record.norm, identity].append(record)
    arms: list[Arm] = []
    ignored: list[Ignored] = []
    for (cell, norm, identity), members in groups.items():
        settings = tuple((key, members[0].config[key]) for key, _ in identity)
        runs, repeated = _newest_per_seed(members)
        ignored.extend(repeated)
        arms.append(Arm(data, cell, norm, settings, _label(cell, norm, settings), tuple(runs)))
    first = configs[0]
    shared = {
        key: value
        for key, value in first.items()
        if is_setting(key)
        and all(key in config and _text(config[key]) == _text(value) for config in configs)
    }
    return Comparison(data, tuple(sorted(arms, key=_order)), shared), ignored


def compare(records: Iterable[RunRecord]) -> tuple[list[Comparison], list[Ignored]]:
    """Group finished runs by data set and arm.

    Args:
        records: Finished runs.

    Returns:
        One comparison per data set, by name, and the runs that a newer run with the same config and
        seed replaces.
    """
    by_data: defaultdict[str, list[RunRecord]] = defaultdict(list)
    for record in records:
        by_data[record.data].append(record)
    comparisons: list[Comparison] = []
    ignored: list[Ignored] = []
    for data in sorted(by_data):
        comparison, repeated = _compare_one(data, by_data[data])
        comparisons.append(comparison)
        ignored.extend(repeated)
    return comparisons, ignored
