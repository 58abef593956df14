"""How fast batches are made, against how fast they are trained on; memory."""

from __future__ import annotations

import sys
import time
from typing import Any

from seqnorm.lab.config.schema import RunConfig
from seqnorm.lab.data.spec import Dataset
from seqnorm.lab.errors import blame_the_input


def peak_memory() -> float | None:
    """Largest resident memory of this process so far, in MB; None on Windows."""
    try:
        import resource
    except ImportError:
        return None
    unit = 1e6 if sys.platform == "darwin" else 1e3  # bytes there, kilobytes elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def pipeline_speed(config: RunConfig, dataset: Dataset) -> float:
    """Real tokens per second of one epoch of batches that nobody trains on, its order included."""
    from seqnorm.lab.data.batching import Batches
    from seqnorm.lab.tasks import make_task
    from seqnorm.lab.tasks.stream import stream

    batches = Batches.configured(dataset.train, config.data, config.seed)
    targets = make_task(config.task).targets
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

    from seqnorm.lab.data.batching import Batches
    from seqnorm.lab.data.spec import present
    from seqnorm.lab.models.build import build_model
    from seqnorm.lab.tasks import make_task
    from seqnorm.lab.tasks.stream import stream
    from seqnorm.lab.training.optim import make_optimizer

    keras.utils.set_random_seed(config.seed)
    batches = Batches.configured(dataset.train, config.data, config.seed)
    task = make_task(config.task)
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
