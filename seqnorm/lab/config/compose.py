"""From overrides to a checked `RunConfig`, and from Hydra's errors to one readable message."""

from __future__ import annotations

import re
import traceback
from collections.abc import Sequence
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, cast

import hydra
from hydra.errors import HydraException, MissingConfigException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from seqnorm.lab.config.imports import load_parts_of
from seqnorm.lab.config.overrides import GROUPS, refuse_unreadable
from seqnorm.lab.config.presets import PLUGINS
from seqnorm.lab.config.rules import ConfigError, validate
from seqnorm.lab.config.schema import BASES, SCHEMAS, RunConfig, conf_dir
from seqnorm.lab.config.tasks import floor
from seqnorm.spelling import did_you_mean

# What a mistake on the command line or in a YAML file raises while composing.
_COMPOSE_ERRORS = (HydraException, OmegaConfBaseException, ConfigError, YAMLError)


def compose(overrides: Sequence[str] = (), name: str = "config") -> RunConfig:
    """The configuration that ``seqnorm-train <overrides>`` would run.

    Args:
        overrides: as on the command line, for example ``["norm=batch", "seed=3"]``.
        name: of the file in conf/ that the overrides start from.

    Returns:
        The checked configuration.

    Raises:
        ConfigError: if an override names something that does not exist, or a value is refused.
    """
    load_parts_of(overrides)
    refuse_unreadable(overrides)
    try:
        with hydra.initialize_config_dir(str(conf_dir()), version_base="1.3"):
            return to_run_config(hydra.compose(name, list(overrides)))
    except Exception as error:
        if isinstance(error, ConfigError) or not is_mistake(error):
            raise
        raise ConfigError(explain(error)) from error


def floor_of(config: RunConfig) -> RunConfig | None:
    """The same run of the model without recurrence that can do its task too; None if none can."""
    name = floor(config.task, config.data)
    if name is None:
        return None
    parts = compose([f"task={config.task.name}", f"model={name}"])
    return replace(config, model=parts.model, cell=parts.cell, norm=parts.norm)


def to_run_config(config: DictConfig) -> RunConfig:
    """Turns what Hydra composed into dataclasses and checks them.

    Raises:
        ConfigError: if a value is out of range or two keys contradict one another.
        MissingMandatoryValue: if a key marked ``???`` was not given.
    """
    refuse_changed_keys(config, "the configuration")
    try:
        run_config = cast(RunConfig, OmegaConf.to_object(config))
    except (TypeError, ValueError) as error:  # a schema of the user's that checks its own values
        if is_mistake(error):
            raise
        raise ConfigError(str(error)) from error
    validate(run_config)
    return run_config


def is_mistake(error: BaseException) -> bool:
    """Whether an error is about the configuration and not about the program."""
    if isinstance(error, _COMPOSE_ERRORS):
        return True
    # Hydra answers norm=5 with a bare ValueError.
    raised_in = traceback.extract_tb(error.__traceback__)[-1].filename
    return isinstance(error, ValueError) and Path(raised_in).name == "defaults_list.py"


def explain(error: BaseException) -> str:
    """One message for a composition error: what is wrong, and what would be right.

    Hydra's own text for a misspelt key proposes to append it with ``+``, which a typed schema
    refuses as well; here the nearest valid keys are named instead.
    """
    text = str(error).strip()
    cause = error.__cause__ or error.__context__
    if isinstance(error, MissingConfigException):
        return _unknown_choice(error)
    if isinstance(error, OmegaConfBaseException):
        return _bad_key_or_value(error)
    if isinstance(cause, OmegaConfBaseException):
        file = re.match(r"In '(.*?)': ", text)
        message = _bad_key_or_value(cause)
        return f"{file.group()}{message}{_schema_for(file[1], message)}" if file else message
    return text


def refuse_changed_keys(config: DictConfig, where: str) -> None:
    """Refuses keys appended with ``+`` or deleted with ``~``: Hydra lets both past a schema."""
    valid = [entry.name for entry in fields(cast(Any, OmegaConf.get_type(config)))]
    for key in config:
        if key not in valid:
            raise ConfigError(_no_such_key(where, str(key), valid))
    for key in valid:
        if key not in config:
            raise ConfigError(f"{where} needs its key {key!r}, which ~ has deleted. Leave it in.")
    for key in valid:
        # A mapping that is no dataclass is one value, such as a serialised regulariser.
        if not OmegaConf.is_missing(config, key) and is_dataclass(OmegaConf.get_type(config, key)):
            refuse_changed_keys(config[key], key)


def _no_such_key(where: str, key: str, valid: Sequence[str]) -> str:
    if key == "compare":
        return f"{where} has no key 'compare': its presets are for seqnorm-compare experiment=..."
    deeper = _in_other_groups(key, where)
    meant = f" Did you mean {' or '.join(deeper)}?" if deeper else did_you_mean(key, valid)
    return f"{where} has no key {key!r}.{meant} The valid keys are {', '.join(valid)}."


def _in_other_groups(key: str, where: str) -> list[str]:
    """Where a key of that name stands, if not here: ``epochs`` is train.epochs.

    Nowhere, if another choice of the same group has it: it is that one's that was meant.
    """
    homes = [
        group
        for group, choices in SCHEMAS.items()
        if any(key in _names(choice) for choice in choices.values())
    ]
    return [] if where in homes else [f"{group}.{key}" for group in homes]


def _schema_for(file: str, message: str) -> str:
    """What a file of the user's is to begin with, if it chose no keys and no values of ours."""
    group = file.rpartition("/")[0]
    if group not in SCHEMAS or not message.endswith("The valid keys are name."):
        return ""
    return (
        f" The keys come from a choice of {group}: let the file begin with 'defaults: [CHOICE, "
        f"_self_]', CHOICE being one of {', '.join(SCHEMAS[group])}."
    )


def _names(choice: type) -> list[str]:
    return [entry.name for entry in fields(choice) if entry.name != "name"]


def _bad_key_or_value(error: OmegaConfBaseException) -> str:
    first_line = str(error).strip().splitlines()[0]
    parent = error.parent_node
    key = str(error.key)
    if isinstance(parent, DictConfig) and key not in parent:
        valid = [str(name) for name in parent if name != "hydra"]
        where = str(error.full_key or key).removesuffix(key).rstrip(".") or "the configuration"
        return _no_such_key(where, key, valid)
    if error.full_key:
        return f"{error.full_key}: {first_line}."
    return first_line


def _unknown_choice(error: MissingConfigException) -> str:
    missing = error.missing_cfg_file or ""
    options = list(error.options or [])
    if not options:
        return str(error).strip()
    group, _, choice = missing.partition("/")
    if group not in GROUPS:  # groups of Hydra's own have a slash in their names
        group, _, choice = missing.rpartition("/")
    return (
        f"{group}={choice} is not one of the choices of {group}."
        f"{did_you_mean(choice, options)} The choices are {', '.join(options)}."
        f"{_extra_for(group, choice)}{_own_file(group, choice) or _own_part(group)}"
    )


def _own_file(group: str, choice: str) -> str:
    """What to write where a file of the user's stands for a choice of data."""
    if group != "data" or "." not in choice.rpartition("/")[2]:
        return ""
    known = "series" if choice.endswith((".npz", ".ts")) else "files"
    return f" To read that file write data={known} data.train={choice}."


def _own_part(group: str) -> str:
    """How one of the user's own comes to be a choice, of the groups that are open to it."""
    if group not in BASES:
        return ""
    return f" One of your own needs imports=[MODULE], the module that registers the {group}."


def _extra_for(group: str, choice: str) -> str:
    """Which extra installs a launcher or a sweeper, if one does."""
    _, extra = PLUGINS.get(f"{group.removeprefix('hydra/')}/{choice}", ("", ""))
    return (
        f" {choice} comes with `pip install '.[{extra}]'` in the folder of seqnorm's source."
        if extra
        else ""
    )
