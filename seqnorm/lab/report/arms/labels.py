"""What an arm is called: cell, norm, and the settings in which it differs from the others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from seqnorm.lab.config.models import FLOORS
from seqnorm.lab.report.arms.arms import Arm, as_text, is_setting
from seqnorm.lab.report.arms.trials import varied_keys
from seqnorm.lab.report.arms.varied import short_names


def scope(key: str, config: Mapping[str, Any]) -> str | None:
    """Model and name of the group a key belongs to, among whose runs alone the key is compared."""
    name_key = f"{key.split('.', 1)[0]}.name"
    keys = ("model.name", *(() if key == name_key else (name_key,)))
    names = dict.fromkeys(as_text(config[key]) for key in keys if key in config)
    return " ".join(names) or None


def differing_keys(configs: Sequence[Mapping[str, Any]]) -> set[tuple[str, str | None]]:
    """Config keys whose value is not the same everywhere, seed and paths aside.

    A key of a group that has a name (as "optim.momentum", with "optim.name") is compared only among
    the runs with the same name: an optimiser without momentum does not differ in it. Likewise all
    keys are compared only among runs of the same model, which the label tells apart already.

    Args:
        configs: Flat configs.

    Returns:
        Pairs of the key and the names of its model and group (`None` if it has neither); the names
        of data set, model, cell and norm are not among them.
    """
    seen: defaultdict[tuple[str, str | None], set[str]] = defaultdict(set)
    for key in sorted({key for config in configs for key in config}):
        if not is_setting(key):
            continue
        for config in configs:
            value = as_text(config[key]) if key in config else "(absent)"
            seen[key, scope(key, config)].add(value)
    return {place for place, values in seen.items() if len(values) > 1}


def make_label(
    cell: str,
    norm: str,
    settings: Sequence[tuple[str, Any]],
    among: Sequence[tuple[str, Any]] | None = None,
) -> str:
    """Text for tables and legends, as "lstm layer, batch_size=8"; see `written_settings`."""
    return ", ".join([FLOORS.get(cell, f"{cell} {norm}"), *written_settings(settings, among)])


def written_settings(
    settings: Sequence[tuple[str, Any]], among: Sequence[tuple[str, Any]] | None = None
) -> list[str]:
    """Settings as text, as "batch_size=8": the end of each key, or all of it if two end alike.

    Args:
        settings: (config key, value).
        among: All settings of the arm, if these are some of them.
    """
    names = short_names([key for key, _ in (settings if among is None else among)])
    return [f"{names[key]}={as_text(value)}" for key, value in settings]


def told_apart(arms: Iterable[Arm]) -> Iterator[Arm]:
    """The arms, each under a label of its own, whatever their order.

    Named arms can come to one label, as two files of the same norm with other keys do: these keys
    are added, save what was tuned. What has no such key (an arm of `seqnorm-compare` beside single
    runs, or under two names) is told apart by the name that its runs keep.
    """
    for alike in _by_label(arms):
        for same in _by_label(_with_differing_keys(alike) if len(alike) > 1 else alike):
            for arm in same:
                name = arm.runs[0].config.get("arm") if len(same) > 1 else None
                yield replace(arm, label=f"{arm.label} ({name})") if name else arm


def _by_label(arms: Iterable[Arm]) -> list[list[Arm]]:
    found: defaultdict[str, list[Arm]] = defaultdict(list)
    for arm in arms:
        found[arm.label].append(arm)
    return [*found.values()]


def _with_differing_keys(arms: Sequence[Arm]) -> Iterator[Arm]:
    configs = [arm.runs[0].config for arm in arms]
    tuned = {key for arm in arms for key in varied_keys([run.config for run in arm.trials])}
    keys = sorted({key for key, _ in differing_keys(configs)} - tuned)
    for arm, config in zip(arms, configs, strict=True):
        own = tuple((key, config[key]) for key in keys if key in config)
        settings = tuple(dict([*arm.settings, *own]).items())
        label = make_label(arm.cell, arm.norm, settings)
        yield replace(arm, settings=settings, label=label)
