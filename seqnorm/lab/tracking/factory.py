"""From the tracking part of the config to the sinks of a run."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from seqnorm.lab.config.rules import ConfigError
from seqnorm.lab.tracking.jsonl import JsonlSink
from seqnorm.lab.tracking.sink import MultiSink, Sink
from seqnorm.lab.tracking.wandb_sink import WandbSink

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from seqnorm.lab.config.schema import TrackingConfig

NAMES = ("local", "wandb")


def refuse_one_id(tracking: TrackingConfig | DictConfig, where: str) -> None:
    """Refuses the variable by which W&B would write all runs of a command into one.

    Args:
        tracking: The tracking part of the runs' config.
        where: The command, for the message.

    Raises:
        ConfigError: If WANDB_RUN_ID is set and W&B is told.
    """
    given = os.environ.get("WANDB_RUN_ID")
    if tracking.name == "wandb" and tracking.mode != "disabled" and given:
        raise ConfigError(
            f"{where} needs a W&B run for each of its runs; received WANDB_RUN_ID={given}, which "
            "names one. Unset it, and WANDB_RESUME with it; study=... keeps runs together."
        )


def make_sinks(
    config: TrackingConfig, study: str | None = None, arm: str | None = None
) -> MultiSink:
    """Build the sinks a config asks for.

    JSON lines are always among them. `tracking.mode=disabled` leaves W&B out entirely: wandb is
    not even imported.

    Args:
        config: The tracking part of the run's config.
        study: Of the run; W&B's group unless the config names one.
        arm: Of the run; W&B's job type.

    Returns:
        The sinks, not started yet.

    Raises:
        ValueError: If the name or the mode is unknown.
        ImportError: If W&B was asked for and is not installed.
    """
    if config.name not in NAMES:
        raise ValueError(
            f"tracking needs one of {', '.join(NAMES)}; received tracking.name={config.name!r}. "
            "Use tracking=local for JSON lines only or tracking=wandb for W&B as well."
        )
    sinks: list[Sink] = [JsonlSink()]
    if config.name == "wandb" and config.mode != "disabled":
        sinks.append(
            WandbSink(
                project=config.project,
                entity=config.entity,
                group=config.group or study,
                arm=arm,
                tags=config.tags,
                mode=config.mode,
            )
        )
    return MultiSink(sinks)
