"""The user's own parts: modules that a configuration names, imported before it is composed.

    seqnorm-train imports=[mylab.norms] norm=l2 norm.power=3

A module registers what it has when it is imported, see `seqnorm.lab.registry`. Those of installed
packages that announce themselves under the entry-point group ``seqnorm.parts`` are always there.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from seqnorm.lab.config.rules import ConfigError
from seqnorm.lab.config.schema import conf_dir
from seqnorm.lab.quiet import import_quietly

GROUP = "seqnorm.parts"
_KEY = "imports"


def load_parts(modules: Iterable[str]) -> None:
    """Imports modules by name, and whatever installed packages offer.

    The current folder counts as a place to import from, as it does for ``python -m``.

    Raises:
        ConfigError: if there is no such module, or importing it fails.
    """
    _load_installed()
    for name in modules:
        here = os.getcwd()
        if here not in sys.path:
            sys.path.insert(0, here)
        try:
            import_quietly(name)  # which may be the first to load Keras
        except Exception as error:
            absent = f"{name}.".startswith(f"{getattr(error, 'name', None)}.")
            where = ". Start the command in the folder that holds the package, or install it."
            raise ConfigError(
                f"imports needs modules that Python can import; received imports=[{name}] and the "
                f"answer {type(error).__name__}: {error}{where if absent else ''}"
            ) from error


def load_parts_of(overrides: Sequence[str], folders: Iterable[Path] = ()) -> None:
    """`load_parts` of what overrides ask for, themselves or through their experiment's file.

    Args:
        overrides: as on the command line.
        folders: of further configuration files, as given by ``--config-dir``.

    Raises:
        ConfigError: as of `load_parts`, or if `imports` is no list of names.
    """
    wanted: list[str] = []
    for key, value in _values(overrides):
        if key == "experiment":
            for folder in (*folders, conf_dir()):
                wanted += _imports_in(folder / "experiment" / f"{value}.yaml")
        elif key == _KEY:
            wanted += _names(value)
    load_parts(wanted)


def _values(overrides: Sequence[str]) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for token in overrides:
        if token.partition("=")[0].lstrip("+") in (_KEY, "experiment"):
            try:
                override = OverridesParser.create().parse_override(token)
            except HydraException:
                continue  # composing says what is wrong with it
            key = override.key_or_group
            if key == "experiment" and override.is_sweep_override():
                found += [(key, each) for each in override.sweep_string_iterator()]
            else:
                found.append((key, override.value()))
    return found


def _imports_in(file: Path) -> list[str]:
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError):
        return []  # composing says what is wrong with it
    return _names(content.get(_KEY, [])) if isinstance(content, dict) else []


def _names(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise ConfigError(
            "imports must be a list of modules, as in imports=[mylab.norms]; received "
            f"imports={value}."
        )
    return value


@cache
def _load_installed() -> None:
    for entry in entry_points(group=GROUP):
        try:
            import_quietly(entry.module)
            entry.load()
        except Exception as error:
            raise ConfigError(
                f"the installed package of {GROUP} {entry.name!r} ({entry.value}) cannot be "
                f"loaded: {type(error).__name__}: {error}. Mend or uninstall it."
            ) from error
