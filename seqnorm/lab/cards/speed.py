"""How fast batches are made, against how fast they are trained on; memory."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from seqnorm.lab.config.schema import RunConfig
from seqnorm.lab.data.spec import Dataset
from seqnorm.lab.errors import blame_the_input

if TYPE_CHECKING:
    from seqnorm.lab.data.batching import Batches
    from seqnorm.lab.tasks import Task


def peak_memory() -> float | None:
    """Largest resident memory of this process so far, in MB; None on Windows."""
    try:
        import resource
    except ImportError:
        return None
    unit = 1e6 if sys.platform == "darwin" else 1e3  # bytes there, kilobytes elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def _batches(config: RunConfig, dataset: Dataset) -> tuple[Task, Batches]:
    """The task, and the batches that it trains on."""
    from seqnorm.lab.tasks import make_task
    from seqnorm.lab.tasks.stream import training_batches

    task = make_task(config.task)
    rows = task.rows(task.prepare(dataset), config.data.batch_size)
    return task, training_batches(task, rows.train, config.data, config.seed)


def pipeline_speed(config: RunConfig, dataset: Dataset) -> float:
    """Real tokens per second of one epoch of batches that nobody trains on, its order included."""
    from seqnorm.lab.tasks.stream import stream

    task, batches = _batches(config, dataset)
    targets = task.targets
    next(iter(stream(batches, targets)))  # TensorFlow starts with the first batch it makes
    begin = time.perf_counter()
    batches.epoch = 0
    for _ in stream(batches, targets):
        pass
    return batches.tokens / (time.perf_counter() - begin)


def training_speed(config: RunConfig, dataset: Dataset, steps: int) -> float:
    """Real tokens per second of training steps on batches that are already there.

    The first pass over the ``steps`` batches compiles the step and is not counted.
    """
    import keras

    from seqnorm.lab.data.spec import present
    from seqnorm.lab.models.build import build_model
    from seqnorm.lab.tasks.stream import stream
    from seqnorm.lab.training.optim import make_optimizer

    keras.utils.set_random_seed(config.seed)
    task, batches = _batches(config, dataset)
    dataset = task.prepare(dataset)
    data = stream(batches, task.targets).take(steps).cache()
    with blame_the_input():
        model: Any = build_model(config, dataset)
    model.compile(
        make_optimizer(config.optim, total_steps=steps),
        task.loss(),
        jit_compile=False,  # as in training
    )
    model.optimizer.build(model.trainable_variables)  # or the step is traced twice
    model.fit(data, verbose=0, shuffle=False)
    tokens = sum(int(present(rows.numpy()).sum()) for rows, _ in data)
    begin = time.perf_counter()
    model.fit(data, verbose=0, shuffle=False)
    return tokens / (time.perf_counter() - begin)
