"""Overrides that a comparison has no use for, of its command line and of its arms."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from seqnorm.lab.config.rules import ConfigError

_HYDRA_S_OWN = re.compile(r"\+*hydra[./=]")
# What a comparison sets for each run.
_ITS_OWN = ("seed", "train.test", "study", "arm")


def refuse_fixed_keys(
    overrides: Sequence[str], arms: Sequence[str], searched: Collection[str]
) -> None:
    """What a comparison sets for each run cannot be given as well: it would not be heard.

    Args:
        overrides: Of the command line.
        arms: The arms, each of overrides separated by spaces.
        searched: The keys that are tried.

    Raises:
        ConfigError: If it is given.
    """
    tokens = [*overrides, *(token for arm in arms for token in arm.split())]
    given = {token: token.partition("=")[0].lstrip("+") for token in tokens}
    own = [token for token, key in given.items() if key in _ITS_OWN]
    if own:
        raise ConfigError(
            f"a comparison sets {', '.join(_ITS_OWN)} itself; received {', '.join(own)}. "
            "Leave it out."
        )
    fixed = [token for token, key in given.items() if key in searched]
    if fixed:
        raise ConfigError(
            f"a comparison varies {', '.join(sorted(set(searched)))}; received "
            f"{', '.join(fixed)}. "
            "Leave it out, narrow compare.space.<name>.low and .high, or set compare.trials=0 "
            "to take settings as they are given."
        )


def refuse_what_has_no_effect(overrides: Sequence[str], arms: Sequence[str]) -> None:
    """What would have no effect in any part of a comparison.

    Raises:
        ConfigError: If it is given.
    """
    of_arms = [token for arm in arms for token in arm.split()]
    idle = [token for token in of_arms if token.startswith(("compare.", "runs_dir"))]
    idle += [token for token in [*overrides, *of_arms] if _HYDRA_S_OWN.match(token)]
    if idle:
        raise ConfigError(
            "a comparison trains, starts its own processes, and has one folder and one list of "
            f"seeds and trials; received {', '.join(idle)}. "
            "Leave it out, or give it beside compare.arms."
        )
