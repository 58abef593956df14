"""The arms of a comparison, written as overrides of a multirun."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException

from seqnorm.lab.config.rules import ConfigError


def expand(arms: Sequence[str]) -> list[tuple[str, ...]]:
    """All combinations: "cell=lstm,gru norm=none" gives (cell=lstm, norm=none) and (cell=gru, ...).

    Raises:
        ConfigError: If there is none, one comes twice, or one is no list of overrides.
    """
    found = [arm for line in arms for arm in combinations(_overrides(line))]
    if not found or len(set(found)) < len(found):
        raise ConfigError(
            f"compare.arms needs one or more different arms; received compare.arms={list(arms)}. "
            'Give overrides, as in compare.arms=["norm=none,layer"].'
        )
    return found


def combinations(overrides: Iterable[Override]) -> list[tuple[str, ...]]:
    """Every choice of one value for each override, in the order of a multirun.

    Raises:
        ConfigError: If the values of one cannot be listed.
    """
    found: list[tuple[str, ...]] = [()]
    for override in overrides:
        tokens = [f"{override.get_key_element()}={value}" for value in _values(override)]
        found = [(*before, token) for before in found for token in tokens]
    return found


def check_quotes(tokens: Sequence[str]) -> None:
    """Refuses what a shell has left of arms that were quoted too little.

    Raises:
        ConfigError: If a token that sets compare.arms cannot be read.
    """
    for token in tokens:
        key, _, value = token.partition("=")
        if key == "compare.arms":
            try:
                arms = OverridesParser.create().parse_override(token).value()
            except HydraException as error:
                raise _badly_quoted(value) from error
            if not isinstance(arms, list):
                raise _badly_quoted(value)


def _values(override: Override) -> list[str]:
    if not override.is_sweep_override():
        return [override.get_value_element_as_str()]
    try:
        return [str(value) for value in override.sweep_string_iterator()]
    except HydraException as error:  # glob and interval, which only some sweepers can list
        raise ConfigError(
            "compare.arms needs values that can be listed, as in norm=none,layer or "
            f"range(0,3); received {override.input_line}."
        ) from error


def _overrides(line: str) -> list[Override]:
    try:
        return OverridesParser.create().parse_overrides(line.split())
    except HydraException as error:
        raise _badly_quoted(line) from error


def _badly_quoted(received: str) -> ConfigError:
    return ConfigError(
        "compare.arms needs overrides separated by spaces, as in "
        f"'compare.arms=[\"cell=lstm norm=none,layer\"]'; received {received}. Quote the whole "
        "option once for the shell, and each arm once inside it."
    )
