"""The arguments of ``seqnorm-train`` before Hydra reads them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from seqnorm.lab.config.overrides import refuse_unreadable
from seqnorm.lab.config.rerun import run_again
from seqnorm.lab.config.rules import ConfigError
from seqnorm.lab.config.schema import conf_dir
from seqnorm.spelling import did_you_mean

MULTIRUN = ("-m", "--multirun")
FROM = "--from"
CONFIG_DIR = ("--config-dir", "-cd")
SHOW = ("--cfg", "-c")
_WITH_VALUE = (FROM, *CONFIG_DIR, *SHOW, "--package", "-p")
_REFUSED = ("--config-path", "-cp", "--config-name", "-cn", "--experimental-rerun")
_INFO = ("--info", "-i")  # whose value may be left out
_MODES = (*MULTIRUN, *SHOW, *_INFO, "--run", "-r", "--shell-completion", "-sc")  # one of them
_OTHERS = ("--resolve", "--hydra-help", "--help", "-h", "--version")
_FLAGS = tuple(dict.fromkeys((*_WITH_VALUE, *_MODES, *_OTHERS)))


def for_hydra(arguments: Sequence[str]) -> list[str]:
    """The same arguments as Hydra takes them: flags after all overrides, and ``--from`` resolved.

    Raises:
        ConfigError: if something is refused that Hydra would misread, or pass over.
    """
    overrides, flags = split(arguments)
    for flag, *_ in flags:
        if flag in _REFUSED:
            raise ConfigError(
                "there is one configuration, the package's; received "
                f"{flag}. {FROM} RUN makes the run of a folder again, and --config-dir DIR adds "
                "choices of your own."
            )
        if flag not in _FLAGS:
            near = did_you_mean(flag, _FLAGS) or f" The flags are {', '.join(_FLAGS)}."
            raise ConfigError(f"there is no flag {flag}.{near}")
    refuse_hidden(config_dirs(arguments))
    modes = [flag for flag, *_ in flags if flag in _MODES]
    if len(modes) > 1:
        raise ConfigError(f"{' and '.join(modes)} do not go together. Keep one of them.")
    several = bool({*modes} & {*MULTIRUN}) or any("hydra.mode" in token for token in overrides)
    refuse_unreadable(overrides, several, one_run=bool({*modes} & {*SHOW, *_INFO}))
    runs = [value for flag, *values in flags if flag == FROM for value in values]
    if len(runs) > 1:
        raise ConfigError(f"one run is made again at a time; received {FROM} {' '.join(runs)}.")
    if runs:
        overrides = [run_again(Path(runs[0]), overrides), *overrides]
    kept = [part for flag, *values in flags if flag != FROM for part in (flag, *values)]
    return [*overrides, *kept]


def split(arguments: Sequence[str]) -> tuple[list[str], list[tuple[str, ...]]]:
    """Overrides, and flags each with its value; Hydra would refuse a flag between overrides."""
    overrides: list[str] = []
    flags: list[tuple[str, ...]] = []
    rest = list(arguments)
    while rest:
        token = rest.pop(0)
        flag, equals, value = token.partition("=")
        if not token.startswith("-"):
            overrides.append(token)
        elif equals:
            flags.append((flag, value))
        elif flag in (*_WITH_VALUE, *_REFUSED) or (flag in _INFO and rest and "=" not in rest[0]):
            if not rest:
                raise ConfigError(f"{flag} needs a value; received none.")
            flags.append((flag, rest.pop(0)))
        else:
            flags.append((flag,))
    return overrides, flags


def config_dirs(arguments: Sequence[str]) -> list[Path]:
    """The folders of choices of one's own."""
    folders = [Path(value) for flag, value in pairwise(arguments) if flag in CONFIG_DIR]
    for argument in arguments:
        flag, _, value = argument.partition("=")
        if flag in CONFIG_DIR and value:
            folders.append(Path(value))
    return folders


def refuse_hidden(folders: Sequence[Path]) -> None:
    """Refuses files that would be passed over without a word: the package's own come first.

    Raises:
        ConfigError: naming them.
    """
    for folder in folders:
        if (folder / "config.yaml").is_file() and (folder / "environment.json").is_file():
            raise ConfigError(
                "--config-dir needs a folder of choices, as norm/mine.yaml; received the run "
                f"{folder}. Write {FROM} {folder} to make that run again."
            )
        files = sorted(path.relative_to(folder) for path in folder.rglob("*.y*ml"))
        hidden = [path for path in files if (conf_dir() / path).is_file()]
        if hidden:
            raise ConfigError(
                "a choice needs a name of its own, since the package's comes first; received "
                f"--config-dir {folder} with {', '.join(map(str, hidden))}. Rename it, as in "
                f"{hidden[0].with_name('my_' + hidden[0].name)}."
            )
        if unread := [path for path in files if path.suffix != ".yaml"]:
            raise ConfigError(
                f"a choice is a file that ends in .yaml; received {folder / unread[0]}. Rename it "
                f"to {unread[0].with_suffix('.yaml').name}."
            )
