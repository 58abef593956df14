"""From the tracking part of the config to the sinks of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqnorm.lab.tracking.jsonl import JsonlSink
from seqnorm.lab.tracking.sink import MultiSink, Sink
from seqnorm.lab.tracking.wandb_sink import WandbSink

if TYPE_CHECKING:
    from seqnorm.lab.config.schema import TrackingConfig

NAMES = ("local", "wandb")


def make_sinks(config: TrackingConfig) -> MultiSink:
    """Build the sinks a config asks for.

    JSON lines are always among them. `tracking.mode=disabled` leaves W&B out entirely: wandb is
    not even imported.

    Args:
        config: The tracking part of the run's config.

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
                group=config.group,
                arm=config.arm,
                tags=config.tags,
                mode=config.mode,
            )
        )
    return MultiSink(sinks)
