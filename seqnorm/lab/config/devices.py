"""What of a configuration several devices cannot share, see docs/devices.md."""

from __future__ import annotations

from collections.abc import Iterator

from seqnorm.lab.config.models import FLOORS
from seqnorm.lab.config.schema import RunConfig

TOGETHER = "multi_worker"


def contradictions_of_devices(config: RunConfig) -> Iterator[str]:
    """A sentence for each key that contradicts `train.strategy`."""
    train, norm = config.train, config.norm
    if train.replicas is not None and train.strategy != "mirrored":
        yield (
            "train.replicas is the number of devices of train.strategy=mirrored; received "
            f"train.replicas={train.replicas} with train.strategy={train.strategy}. Add "
            "train.strategy=mirrored, or leave it out."
        )
    if train.strategy == "none":
        return
    if getattr(config.task, "carry_state", False):
        yield (
            "task.carry_state=true keeps a state for each row of a batch, which several devices "
            f"would have to share out; received train.strategy={train.strategy}. Leave one of the "
            "two out."
        )
    if train.steps_per_execution > 1:
        yield (
            "train.steps_per_execution=1 is needed where devices exchange gradients, which they "
            "cannot inside a loop of TensorFlow's; received train.strategy="
            f"{train.strategy} with train.steps_per_execution={train.steps_per_execution}. Leave "
            "it out."
        )
    if norm.name == "keras_batch" and not getattr(norm, "synchronized", True):
        yield (
            "norm=keras_batch on several devices would keep the running statistics of one of them; "
            f"received train.strategy={train.strategy} with norm.synchronized=false. Add "
            "norm.synchronized=true."
        )
    if train.strategy == TOGETHER and config.model.name in FLOORS:
        yield (
            f"model={config.model.name} is counted in one process; received train.strategy="
            f"{train.strategy}. Leave it out."
        )
