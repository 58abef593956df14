"""Our values for launchers and sweepers that are plugins of Hydra's, where they are installed.

They stand in ``conf/preset``. Hydra takes no file of the name of a plugin's choice, so they are
written into that choice: ``hydra/launcher=submitit_slurm`` is the plugin's with our values in it.
"""

from __future__ import annotations

import logging
from importlib.util import find_spec
from pathlib import Path

from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from omegaconf import OmegaConf

from seqnorm.lab.config.schema import conf_dir

# group/choice -> the plugin that has it, and our extra that installs the plugin
PLUGINS = {
    "launcher/joblib": ("hydra_joblib_launcher", "parallel"),
    "launcher/submitit_local": ("hydra_submitit_launcher", "slurm"),
    "launcher/submitit_slurm": ("hydra_submitit_launcher", "slurm"),
    "launcher/ray": ("hydra_ray_launcher", "ray"),
    "sweeper/optuna": ("hydra_optuna_sweeper", "optuna"),
}


def register() -> None:
    """Writes our values into the choices of the plugins that are installed."""
    # They log what is said here in a sentence, and with Hydra's logging off it would be printed.
    logging.getLogger("hydra_plugins").setLevel(logging.CRITICAL)
    Plugins.instance()  # stores the plugins' own values, once in a process
    store = ConfigStore.instance()
    for place, (plugin, _) in PLUGINS.items():
        group, choice = place.split("/")
        if not _is_installed(plugin):
            continue
        theirs = store.load(f"hydra/{place}.yaml")
        ours = OmegaConf.load(Path(conf_dir()) / "preset" / f"{place}.yaml")
        store.store(
            group=f"hydra/{group}",
            name=choice,
            node=OmegaConf.merge(theirs.node, ours),
            provider=theirs.provider,
        )


def _is_installed(plugin: str) -> bool:
    """Whether a plugin is there; without any plugin there is no package of plugins either."""
    try:
        return find_spec(f"hydra_plugins.{plugin}") is not None
    except ModuleNotFoundError:
        return False
