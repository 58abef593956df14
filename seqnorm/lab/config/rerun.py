"""A run made again from its folder, whole or with some keys changed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import hydra
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, OmegaConf
from yaml import YAMLError

from seqnorm.lab.config.former import in_words_of_today
from seqnorm.lab.config.imports import load_parts
from seqnorm.lab.config.rules import ConfigError
from seqnorm.lab.config.schema import SCHEMAS, conf_dir

# Where a run goes and who is told is not what was run: this comes from the command line anew.
_LEFT_OUT = ("runs_dir", "study", "arm", "tracking", "resume")


def run_again(folder: Path, overrides: Sequence[str]) -> str:
    """Stores the configuration of a run as a preset that the command line can override.

    A group that is overridden is the new choice's alone: ``norm=batch`` brings the values of
    conf/norm/batch.yaml, and keeps none of the run's norm.

    Args:
        folder: the run folder.
        overrides: what is changed.

    Returns:
        The override that chooses the preset.

    Raises:
        ConfigError: if the folder has no configuration, or another preset is asked for as well.
    """
    run = _configuration(folder)
    load_parts(run.get("imports", ()))
    changed = {token.partition("=")[0].lstrip("+~") for token in overrides}
    if "experiment" in changed:
        raise ConfigError(
            f"--from takes every value of a run, a preset some others; received --from {folder} "
            "with experiment=... Leave one of them out."
        )
    if "model" in changed:  # which brings a cell and a norm that fit it
        changed |= {"cell", "norm"}
    groups = {
        group: str(run[group].get("name", "default"))
        for group in SCHEMAS
        if group not in changed and group not in _LEFT_OUT and isinstance(run.get(group), Mapping)
    }
    with hydra.initialize_config_dir(str(conf_dir()), version_base="1.3"):
        plain = hydra.compose("config", [f"{group}={name}" for group, name in groups.items()])
    node = {key: value for key, value in run.items() if key not in (*SCHEMAS, *_LEFT_OUT)}
    for group in groups:
        node[group] = {
            key: value
            for key, value in run[group].items()
            if not _follows(plain, f"{group}.{key}", value, run)
        }
    node["defaults"] = [*({f"override /{group}": name} for group, name in groups.items()), "_self_"]
    name = re.sub(r"[^\w-]", "_", folder.resolve().name)
    ConfigStore.instance().store(group="experiment", name=name, node=node, package="_global_")
    return f"experiment={name}"


def _configuration(folder: Path) -> dict[str, Any]:
    path = folder.expanduser() / "config.yaml"
    try:
        run = OmegaConf.to_container(OmegaConf.load(path))
    except (OSError, YAMLError) as error:
        raise ConfigError(
            f"--from needs a run folder, which holds config.yaml; received {folder} ({error})."
        ) from error
    if not isinstance(run, dict) or not {"seed", "data", "model"} <= run.keys():
        raise ConfigError(
            f"--from needs a run folder; received {folder}, whose config.yaml is none of a run."
        )
    return _in_words_of_today(run)


def _in_words_of_today(run: Mapping[Any, Any]) -> dict[str, Any]:
    """By groups and keys; a mapping below that, as a serialised regulariser, is one value."""
    flat: dict[str, Any] = {}
    for group, keys in run.items():
        if isinstance(keys, Mapping):
            flat |= {f"{group}.{key}": value for key, value in keys.items()}
        else:
            flat[str(group)] = keys
    found: dict[str, Any] = {}
    for name, value in in_words_of_today(flat).items():
        group, _, key = name.partition(".")
        if key:
            found.setdefault(group, {})[key] = value
        else:
            found[group] = value
    return found


def _follows(plain: DictConfig, key: str, value: Any, run: Mapping[str, Any]) -> bool:
    """Whether a value came of another key, as norm.max_steps does; then it follows that one."""
    parent, _, name = key.rpartition(".")
    raw: Any = OmegaConf.to_container(OmegaConf.select(plain, parent), resolve=False)
    source = raw.get(name)
    if not isinstance(source, str) or not source.startswith("${"):
        return False
    return bool(OmegaConf.create({**run, "source": source}).source == value)
