"""The strategy of `tf.distribute` that a run asks for, and the processes it is shared by."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import cache, cached_property
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from seqnorm.lab.config.schema import TrainConfig
from seqnorm.lab.errors import UserError
from seqnorm.lab.runs.checkpoint import pack, unpacked
from seqnorm.lab.signals import at_once
from seqnorm.lab.training.replicas.place import TF_CONFIG, Place, place_of

# What TensorFlow raises in a process that waits for one that is gone.
_LOST = (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError)


class Replicas:
    """The devices that train one model together; by default it is one.

    Args:
        strategy: of `tf.distribute`; None for one device.
        place: of this process.

    Attributes:
        count: how many devices there are, in all processes.
    """

    def __init__(self, strategy: Any = None, place: Place | None = None) -> None:
        self.strategy, self.place = strategy, place or Place()
        self.count = strategy.num_replicas_in_sync if strategy else 1

    @property
    def is_chief(self) -> bool:
        """Whether this process keeps the run."""
        return self.place.is_chief

    def scope(self) -> AbstractContextManager[Any]:
        """Where variables are made of which each device has a copy."""
        return self.strategy.scope() if self.strategy else nullcontext()

    def on_one_device(self, model: keras.Model) -> keras.Model:
        """The same layers as a model that answers by itself.

        Keras has one that was made in `scope` share every batch out, in `predict` as well, and does
        not know batches of another number of rows.
        """
        if not self.strategy:
            return model
        return keras.Model(model.input, model.output, name=model.name)

    @contextmanager
    def naming_losses(self) -> Iterator[None]:
        """Says in one message that another process has gone, which ends what waits for it.

        Raises:
            UserError: likewise.
        """
        try:
            yield
        except _LOST as error:
            if self.place.processes == 1:
                raise
            raise UserError(
                f"the {self.place.processes} processes of a run end together; process "
                f"{self.place.index} has lost another one ({_reason(error)}). Start all of them "
                "again: the run goes on where it was saved."
            ) from error

    def described(self) -> dict[str, Any]:
        """What a run keeps of them; empty for one device."""
        if not self.strategy:
            return {}
        return {
            "strategy": type(self.strategy).__name__,
            "replicas": self.count,
            "processes": self.place.processes,
        }

    def from_chief(self, content: bytes) -> bytes:
        """What the chief has called this with, in each process; all have to call it."""
        if self.place.processes == 1:
            return content
        whole = np.frombuffer(content + bytes(-len(content) % 4), np.int32)
        own = np.append(np.int32(len(content)), whole) if self.is_chief else whole[:0]
        found = np.asarray(self._gathered(tf.constant(own, tf.int32)), np.int32)
        return found[1:].tobytes()[: found[0]]

    @cached_property
    def _gathered(self) -> Callable[[Any], Any]:
        """What all processes hold, int32[.], one after the other."""

        @tf.function(input_signature=[tf.TensorSpec([None], tf.int32)])
        def gathered(own: Any) -> Any:
            def gather() -> Any:  # of a copy, which has a device
                return tf.distribute.get_replica_context().all_gather(tf.identity(own), axis=0)

            found = self.strategy.run(gather)
            return self.strategy.experimental_local_results(found)[0]

        return gathered

    def leave(self) -> None:
        """Waits until no other process needs this one; all have to call it before they go.

        What a process has sent may be lost if it goes at once: its exchange has ended, that of who
        receives it fails. The first exchange waits for the chief, which has more to do than the
        others; who comes to the second has all of the first, so that it may fail. The chief needs
        nothing of the others any more.

        Raises:
            Whatever TensorFlow does if the chief has gone before.
        """
        if self.place.processes == 1:
            return
        with suppress(*(_LOST if self.is_chief else ())):
            self.from_chief(b"")
        with suppress(*_LOST):
            self.from_chief(b"")

    def state_of_chief(self, saved: dict[str, Any] | None) -> dict[str, Any] | None:
        """What the chief goes on from, in each process; all have to call it."""
        if self.place.processes == 1:
            return saved
        found = unpacked(self.from_chief(pack({"saved": saved})))["saved"]
        return saved if self.is_chief else found


def _reason(error: tf.errors.OpError) -> str:
    """The line of TensorFlow's report that says what happened."""
    lines = str(error.message).splitlines()
    told = [line for line in lines if "aborted by" in line]
    return (told or lines)[0].rpartition("aborted by: ")[2]


def make_replicas(config: TrainConfig) -> Replicas:
    """The devices that a run is trained on. To be called before TensorFlow does anything.

    Args:
        config: the ``train`` group.

    Raises:
        ConfigError: if several processes are asked for and the environment does not name them.
        UserError: if there are fewer devices than asked for, or it is too late.
    """
    place = place_of(config)
    if config.strategy == "mirrored":
        return Replicas(_mirrored(*_devices(config.replicas)), place)
    if config.strategy == "multi_worker":
        return Replicas(_joined(), place)
    return Replicas()


@cache
def _mirrored(*devices: str) -> tf.distribute.Strategy:
    """One for all runs of a process: a second one numbers its exchanges from the start again.

    TensorFlow keeps the shape of each number, and a network of other shapes then fails.
    """
    return tf.distribute.MirroredStrategy(devices)


def _devices(count: int | None) -> list[str]:
    gpus = len(tf.config.list_physical_devices("GPU"))
    if gpus == 0 and count is None:
        raise UserError(
            "train.strategy=mirrored trains on the GPUs that are visible; received none. Leave it "
            "out, or add train.replicas=2, which divides the processor, to try it."
        )
    if gpus == 0:
        _divide_processor(count or 1)
    elif count is not None and count > gpus:
        raise UserError(
            f"train.replicas must be at most the number of GPUs; received train.replicas={count} "
            f"where {gpus} can be seen. Lower it, or leave it out for all of them."
        )
    kind = "GPU" if gpus else "CPU"
    return [f"{kind}:{number}" for number in range(count or gpus)]


def _divide_processor(count: int) -> None:
    """Has TensorFlow see so many processors, or more where an earlier run has asked for more."""
    (processor,) = tf.config.list_physical_devices("CPU")
    there = tf.config.get_logical_device_configuration(processor) or [None]
    if len(there) >= count:
        return
    try:
        tf.config.set_logical_device_configuration(
            processor, [tf.config.LogicalDeviceConfiguration()] * count
        )
    except RuntimeError as error:
        raise UserError(
            "a processor is divided before TensorFlow's first operation; received train.replicas="
            f"{count} in a process that has trained on {len(there)} before. Make the run in a "
            "process of its own."
        ) from error


@cache
def _joined() -> tf.distribute.Strategy:
    """A process joins the others once, and waits for them, however long they take."""
    if not os.environ.get(TF_CONFIG):
        os.environ[TF_CONFIG] = json.dumps(tf_config_of_slurm())
    try:
        with at_once():  # but SIGTERM, which TensorFlow keeps to itself until all have come
            return tf.distribute.MultiWorkerMirroredStrategy()
    except RuntimeError as error:
        raise UserError(
            "a process joins the others before TensorFlow's first operation; received "
            f"train.strategy=multi_worker in one that is past it ({error}). Make the run in a "
            "process of its own."
        ) from error


def tf_config_of_slurm() -> dict[str, Any]:
    """TF_CONFIG of a task of SLURM's, which gives each task its own GPUs.

    TensorFlow's resolver would count a node's GPUs and deal them out, and fails where there are
    none: it is told that there is one for each task, and only asked for the addresses.
    """
    tasks = int(os.environ["SLURM_STEP_NUM_TASKS"])
    found = tf.distribute.cluster_resolver.SlurmClusterResolver(
        gpus_per_node=tasks, gpus_per_task=1, auto_set_gpu=False
    )
    cluster = found.cluster_spec().as_dict()
    job, index = found.get_task_info()
    return {"cluster": cluster, "task": {"type": job, "index": index}}
