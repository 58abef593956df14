"""The user's own parts: modules that a configuration names, imported before it is composed.

    seqnorm-train imports=[mylab.norms] norm=l2 norm.power=3

A module registers what it has when it is imported, see `seqnorm.lab.registry`. Those of installed
packages that announce themselves under the entry-point group ``seqnorm.parts`` are always there.
"""

from __future__ import annotations

import os
import pkgutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from seqnorm.lab.config.rules import ConfigError
from seqnorm.lab.config.schema import SCHEMAS, conf_dir
from seqnorm.lab.quiet import import_quietly
from seqnorm.spelling import did_you_mean

GROUP = "seqnorm.parts"
_KEY = "imports"


class NameTaken(ValueError):
    """Two modules register a part of one name.

    Args:
        part: "cell=min_gru".
        owner: the module that has it, or "seqnorm".
        module: the other one.
    """

    def __init__(self, part: str, owner: str, module: str) -> None:
        self.fact = f"{part} is {owner}'s; received another one of that name from {module}."
        self.owner = owner
        super().__init__(f"{self.fact} Choose another name.")


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
        except NameTaken as taken:
            raise ConfigError(_taken(name, taken)) from taken
        except Exception as error:
            raise ConfigError(
                f"imports needs modules that Python can import; received imports=[{name}] and the "
                f"answer {type(error).__name__}: {error}{_where_to_look(name, error)}"
            ) from error


def _taken(name: str, taken: NameTaken) -> str:
    """What to do where an installed package has the part already, which `imports` names again."""
    package = taken.owner.partition(".")[0]
    for entry in entry_points(group=GROUP):
        if entry.module.partition(".")[0] == package:
            installed = entry.dist.name if entry.dist else package
            return f"{taken.fact} Leave imports=[{name}] out, or uninstall {installed}."
    return str(taken)


def _where_to_look(name: str, error: Exception) -> str:
    """What there is beside a module that does not exist; nothing where another one is missing."""
    missing = getattr(error, "name", None) or ""
    if not f"{name}.".startswith(f"{missing}."):
        return ""
    package, dot, module = missing.rpartition(".")
    places = getattr(sys.modules.get(package), "__path__", ()) if package else [os.getcwd()]
    found = [each.name for each in pkgutil.iter_modules(places)]
    near = did_you_mean(module, found, before=package + dot)
    if not package:
        return f".{near} Start the command in the folder that holds the package, or install it."
    return f".{near} {package} has {', '.join(f'{package}.{each}' for each in found) or 'none'}."


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
    try:
        load_parts(wanted)
    except ConfigError as error:
        if isinstance(error.__cause__, NameTaken):  # the part is there, and so are its keys
            raise ConfigError("\n".join([str(error), *_misspelt(overrides)])) from error
        raise


def _misspelt(overrides: Sequence[str]) -> Iterator[str]:
    """Keys that the parts which overrides choose do not have."""
    given = dict(token.lstrip("+").partition("=")[::2] for token in overrides)
    for token in given:
        group, _, key = token.partition(".")
        schema = SCHEMAS.get(group, {}).get(given.get(group, ""))
        names = [field.name for field in fields(schema)] if schema else []
        if key and schema and key.partition(".")[0] not in names:
            yield f"{group} has no key {key!r}.{did_you_mean(key, names)}"


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
