"""What is wrong with ``key=value`` as it was typed, and what to write instead."""

from __future__ import annotations

from collections.abc import Sequence

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, OverrideType
from hydra.errors import HydraException

from seqnorm.lab.config.rules import ConfigError
from seqnorm.lab.config.schema import SCHEMAS, conf_dir

GROUPS = (*SCHEMAS, "experiment")


def refuse_unreadable(tokens: Sequence[str], several: bool = False, one_run: bool = False) -> None:
    """Refuses overrides that are no overrides, or that cannot be meant.

    Args:
        tokens: the arguments that are no flags.
        several: whether several runs were asked for, so that commas may stand between values.
        one_run: whether one configuration is to be shown, so that they may not.

    Raises:
        ConfigError: with what to write instead.
    """
    if "=" in tokens:
        place = list(tokens).index("=")
        together = "".join(tokens[max(place - 1, 0) : place + 2])
        raise ConfigError(f"an override has no spaces; received {' '.join(tokens)}. "
                          f"Write {together}.")  # fmt: skip
    for token in tokens:
        try:
            override = OverridesParser.create().parse_override(token)
        except HydraException as error:
            raise ConfigError(_unreadable(token, error)) from error
        if one_run and override.is_sweep_override():
            raise ConfigError(
                f"the configuration of one run is shown; received {token}. Give one value."
            )
        if advice := _cannot_be_meant(override, token, several):
            raise ConfigError(advice)


def _unreadable(token: str, error: HydraException) -> str:
    key, equals, value = token.partition("=")
    if not equals:
        groups = [group for group in GROUPS if token in choices(group)]
        write = " or ".join(f"{group}={token}" for group in groups) or "key=value"
        return f"an override is key=value; received {token}. Write {write}."
    if value.startswith(("[", "{")):
        reason = str(error).splitlines()[0]
        return (
            f"{key} needs a list or mapping that can be read; received {token} ({reason}). Write "
            f"it as in '{key}=[a,b]', in quotes for the shell, and texts in it in quotes of their "
            "own."
        )
    home = f", or {key}=$HOME{value[1:]}" if value.startswith("~/") else ""
    inner = value.replace('"', '\\"')
    return (
        f"{key} needs a value of plain letters, digits and . / - _ + : % @, or one in quotes; "
        f"received {token}. Write '{key}=\"{inner}\"', quoted once more for the shell{home}."
    )


def _cannot_be_meant(override: Override, token: str, several: bool) -> str | None:
    """What to write for an override that can be read; None if it may be meant."""
    key, value = override.key_or_group, override.value()
    plain = token.lstrip("+").partition("=")[2]
    if key in GROUPS:
        listed = ", ".join(choices(key))
        if override.type in (OverrideType.ADD, OverrideType.FORCE_ADD):
            return f"{key} is there already, and + adds what is not; received {token}. Write " \
                   f"{key}={plain}."  # fmt: skip
        if isinstance(value, list):
            several_of = ",".join(map(str, value))
            return f"{key} takes one choice at a time; received {token}. Write -m " \
                   f"{key}={several_of} for one run of each."  # fmt: skip
        if key != "experiment" and (value is None or value == ""):
            none = f"{key}=none" if "none" in choices(key) else f"{key}= one of {listed}"
            return f"{key} needs one of its choices; received {token}. Write {none}."
    elif plain == "None":
        return f"{key} would be the text None; received {token}. Write {key}=null."
    if override.is_sweep_override() and not several:
        if key in GROUPS:
            return f"several values are several runs; received {token}. Add -m (--multirun)."
        return (
            f"several values are several runs; received {token}. Add -m (--multirun), or write "
            f"'{key}=[{plain}]' for one list and '{key}=\"{plain}\"' for one text."
        )
    return None


def choices(group: str) -> list[str]:
    """The choices of a group: the package's files, and parts of the user's."""
    files = {path.stem for path in (conf_dir() / group).glob("*.yaml")}
    return sorted(files | SCHEMAS.get(group, {}).keys())
