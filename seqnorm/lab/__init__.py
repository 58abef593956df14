"""The experiment around the cells: data, training, comparison, report, and the commands.

What a module of one's own needs to join, see `seqnorm.lab.registry`:

    from seqnorm.lab import NormConfig, register_norm
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seqnorm.lab.config.data import DataConfig as DataConfig
    from seqnorm.lab.config.data import SeriesConfig as SeriesConfig
    from seqnorm.lab.config.data import TextConfig as TextConfig
    from seqnorm.lab.config.models import ModelConfig as ModelConfig
    from seqnorm.lab.config.parts import CellConfig as CellConfig
    from seqnorm.lab.config.parts import NormConfig as NormConfig
    from seqnorm.lab.config.parts import RecurrentConfig as RecurrentConfig
    from seqnorm.lab.config.schema import RunConfig as RunConfig
    from seqnorm.lab.config.tasks import TaskConfig as TaskConfig
    from seqnorm.lab.registry import register_cell as register_cell
    from seqnorm.lab.registry import register_data as register_data
    from seqnorm.lab.registry import register_model as register_model
    from seqnorm.lab.registry import register_norm as register_norm
    from seqnorm.lab.registry import register_task as register_task
    from seqnorm.lab.trained import load as load

# Public name -> the module that holds it, loaded when it is asked for.
_HOMES = {
    "CellConfig": "seqnorm.lab.config.parts",
    "DataConfig": "seqnorm.lab.config.data",
    "ModelConfig": "seqnorm.lab.config.models",
    "NormConfig": "seqnorm.lab.config.parts",
    "RecurrentConfig": "seqnorm.lab.config.parts",
    "RunConfig": "seqnorm.lab.config.schema",
    "SeriesConfig": "seqnorm.lab.config.data",
    "TaskConfig": "seqnorm.lab.config.tasks",
    "TextConfig": "seqnorm.lab.config.data",
    "load": "seqnorm.lab.trained",
    "register_cell": "seqnorm.lab.registry",
    "register_data": "seqnorm.lab.registry",
    "register_model": "seqnorm.lab.registry",
    "register_norm": "seqnorm.lab.registry",
    "register_task": "seqnorm.lab.registry",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'seqnorm.lab' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
