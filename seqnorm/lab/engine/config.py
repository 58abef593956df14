"""The schema of the engines: where the runs of a comparison are made, one dataclass per choice."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING

from seqnorm.lab.config.ranges import at_least, ranged
from seqnorm.lab.config.rules import ConfigError


@dataclass
class EngineConfig:
    """What every engine takes.

    Attributes:
        name: "loky" or "dask".
        retries: how often a run is begun again that was lost: its process killed, its node gone, a
            disk full. An error of the run's own is none of these.
    """

    name: str = MISSING
    retries: int = ranged(MISSING, at_least(0))


@dataclass
class LokyConfig(EngineConfig):
    """The cores of this machine."""


@dataclass
class DaskConfig(EngineConfig):
    """The workers of a Dask cluster.

    Attributes:
        address: of a scheduler that runs, as tcp://HOST:8786; None for a cluster of one's own.
        cluster: the class of a cluster that is started and stopped with the command, `_target_`,
            and its arguments; None to use the one at `address`.
        scale: workers that the cluster is asked for; None leaves that to its class.
        shared: whether the workers see the files of the command under the same names.
        scratch: where workers that do not make their runs; None for their temporary folder.
    """

    address: str | None = None
    cluster: dict[str, Any] | None = field(default_factory=dict)
    scale: int | None = ranged(None, at_least(1))
    shared: bool = True
    scratch: str | None = None


SCHEMAS: dict[str, type[EngineConfig]] = {"loky": LokyConfig, "dask": DaskConfig}


def check(config: EngineConfig) -> None:
    """Refuses an engine that could make no run.

    Raises:
        ConfigError: naming the keys with their values.
    """
    if isinstance(config, DaskConfig) and bool(config.address) == bool(config.cluster):
        raise ConfigError(
            "engine=dask needs engine.address, the address of a scheduler that runs "
            "(tcp://HOST:8786), or a choice that starts a cluster, such as engine=dask_slurm; "
            f"received engine.address={config.address}, engine.cluster={config.cluster}."
        )


for _name, _schema in SCHEMAS.items():
    ConfigStore.instance().store(group="schema/engine", name=_name, node=_schema)
