"""Optimisers from the configuration, which keep the norm of the last gradient on record."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import keras
from keras import ops

from seqnorm.lab.config.schema import OptimConfig
from seqnorm.lab.training.backend import dense

# Decay pulls towards zero, where a bias, a gain or a slope (α of DyT) has no reason to be.
NOT_DECAYED = ["bias", "gamma", "beta", "alpha"]


class Schedule(keras.optimizers.schedules.LearningRateSchedule):
    """Learning rate by step s, counted from 0.

        rate(s) = learning_rate * min(1, (s + 1) / warmup_steps) * decay(s)

    Args:
        learning_rate: the rate after the warm-up.
        warmup_steps: steps of the linear rise; 0 for none.
        total_steps: where the cosine ``decay(s) = (1 + cos(π s / total_steps)) / 2`` reaches
            zero; None keeps the rate constant.
    """

    def __init__(self, learning_rate: float, warmup_steps: int, total_steps: int | None) -> None:
        self.learning_rate = learning_rate
        self.warmup_steps = warmup_steps
        self.total_steps = total_steps

    def __call__(self, step: Any) -> Any:
        """Rate of the step with index `step`, float32[]."""
        step = ops.cast(step, "float32")
        rate: Any = ops.cast(self.learning_rate, "float32")
        if self.warmup_steps:
            rate *= ops.minimum(1.0, (step + 1.0) / self.warmup_steps)
        if self.total_steps:
            done = ops.minimum(1.0, step / self.total_steps)
            rate *= ops.square(ops.cos(ops.multiply(math.pi / 2, done)))  # (1 + cos 2x) / 2
        return rate

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument."""
        return dict(vars(self))


class _Watched:
    """Mixin: keeps the last step's gradient norm (before clipping) and learning rate."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.gradient_norm = keras.Variable(0.0, trainable=False, name="gradient_norm")
        self.used_rate = keras.Variable(0.0, trainable=False, name="used_rate")

    def apply(self, grads: Iterable[Any], trainable_variables: Any = None) -> Any:
        """One update, as Keras does it, with the two numbers kept."""
        # A weight that the loss does not depend on has none; Keras names and leaves it.
        grads = [None if grad is None else dense(grad) for grad in grads]
        known = [ops.cast(grad, "float32") for grad in grads if grad is not None]
        squares = [ops.sum(ops.square(grad)) for grad in known]
        if squares:
            self.gradient_norm.assign(ops.sqrt(ops.sum(ops.stack(squares))))
        self.used_rate.assign(self.learning_rate)  # type: ignore[attr-defined]
        return super().apply(grads, trainable_variables)  # type: ignore[misc]


class WatchedAdam(_Watched, keras.optimizers.Adam):
    """Adam that keeps its last gradient norm and rate."""


class WatchedSGD(_Watched, keras.optimizers.SGD):
    """SGD that keeps its last gradient norm and rate."""


class WatchedRMSprop(_Watched, keras.optimizers.RMSprop):
    """RMSprop that keeps its last gradient norm and rate."""


OPTIMIZERS: dict[str, type] = {"adam": WatchedAdam, "sgd": WatchedSGD, "rmsprop": WatchedRMSprop}


def make_optimizer(config: OptimConfig, total_steps: int) -> keras.optimizers.Optimizer:
    """The optimiser of a run.

    Args:
        config: the ``optim`` group. Keys beyond the common ones are the optimiser's own arguments.
        total_steps: steps of a run that is not stopped early, for the cosine schedule.

    Raises:
        ValueError: if the name is unknown.
    """
    if config.name not in OPTIMIZERS:
        raise ValueError(
            f"optim.name must be one of {', '.join(OPTIMIZERS)}; received "
            f"optim.name={config.name}. Choose one of them."
        )
    arguments = asdict(config)
    name = arguments.pop("name")
    decaying = arguments.pop("schedule") == "cosine"
    rate = Schedule(
        arguments.pop("learning_rate"),
        arguments.pop("warmup_steps"),
        total_steps if decaying else None,
    )
    clipnorm = arguments.pop("clipnorm")
    optimizer = OPTIMIZERS[name](learning_rate=rate, global_clipnorm=clipnorm, **arguments)
    if config.weight_decay is not None:
        optimizer.exclude_from_weight_decay(var_names=NOT_DECAYED)
    return optimizer
