"""Norms and cells as users write them: right ones, and mutants with one fault each."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from seqnorm.cells import NormLSTMCell, NormSimpleRNNCell, SiteNorms
from seqnorm.normalizers import Context, Normalizer
from seqnorm.normalizers.base import AffineNormalizer

register = keras.saving.register_keras_serializable(package="tests")


@register
class PowerNorm(AffineNormalizer):
    """Divides each row by a power mean; right."""

    def __init__(self, power: float = 2.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.power = power

    def call(self, x: Any, context: Context) -> tuple[Any, None]:
        mean = ops.mean((ops.square(x) + 1e-2) ** (self.power / 2), axis=-1, keepdims=True)
        return self.affine(x / mean ** (1 / self.power), x.dtype), None

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "power": self.power}


@register
class CutNorm(PowerNorm):
    """No gradient through the mean."""

    def call(self, x: Any, context: Context) -> tuple[Any, None]:
        mean = ops.mean(ops.square(x) + 1e-2, axis=-1, keepdims=True)
        return self.affine(x * ops.rsqrt(ops.stop_gradient(mean)), x.dtype), None


@register
class MixingNorm(Normalizer):
    """Subtracts a share of the mean over the batch and does not declare it."""

    def call(self, x: Any, context: Context) -> tuple[Any, None]:
        return x - 0.5 * ops.mean(x, axis=-2, keepdims=True), None


@register
class ForgetfulNorm(PowerNorm):
    """Leaves its argument out of its configuration."""

    def get_config(self) -> dict[str, Any]:
        return {key: value for key, value in super().get_config().items() if key != "power"}


class UnregisteredNorm(Normalizer):
    """Not registered with Keras, so no file that holds it can be loaded."""

    def call(self, x: Any, context: Context) -> tuple[Any, None]:
        return ops.tanh(x), None


@register
class OverflowingNorm(Normalizer):
    """Passes through numbers that float16 does not hold."""

    def call(self, x: Any, context: Context) -> tuple[Any, None]:
        large = ops.square(1e4 * x)
        return x * large / (large + 1.0), None


@register
class PositionNorm(Normalizer):
    """Depends on which row of the batch it is."""

    def call(self, x: Any, context: Context) -> tuple[Any, None]:
        rows = ops.cast(ops.arange(ops.shape(x)[-2]), x.dtype)
        return x * (1 + 0.1 * rows[:, None]), None


@register
class LeakyCell(NormSimpleRNNCell):
    """The simple cell with a leak; right."""

    NAME = "leaky"

    def step(self, a_t: Any, states: list[Any], norm: SiteNorms) -> tuple[Any, list[Any]]:
        (h,) = states
        h = 0.5 * h + 0.5 * self.activation(self.preactivation(a_t, h, norm))
        return h, [h]


@register
class CentringCell(LeakyCell):
    """Reads padding: a row's inputs lose their mean over all steps, where it is given them."""

    def project(self, inputs: Any, norm: SiteNorms) -> Any:
        projected = super().project(inputs, norm)
        if len(inputs.shape) == 3:
            projected = projected - ops.mean(projected, axis=0, keepdims=True)
        return projected


@register
class CountingCell(LeakyCell):
    """Counts its steps in a variable."""

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        super().build(input_shape)
        self.steps = self.add_weight(shape=(), name="steps", trainable=False)

    def step(self, a_t: Any, states: list[Any], norm: SiteNorms) -> tuple[Any, list[Any]]:
        self.steps.assign_add(1.0)
        return super().step(a_t, states, norm)


@register
class RememberingCell(LeakyCell):
    """Keeps its last output on the object, also that of padded steps, and reads it."""

    before: Any = 0.0

    def step(self, a_t: Any, states: list[Any], norm: SiteNorms) -> tuple[Any, list[Any]]:
        h, _ = super().step(a_t, states, norm)
        h = h + 0.1 * self.before
        self.before = h
        return h, [h]


@register
class AppendingCell(LeakyCell):
    """Writes into the list of states that it is given."""

    def step(self, a_t: Any, states: list[Any], norm: SiteNorms) -> tuple[Any, list[Any]]:
        states[0] = 0.5 * states[0]
        return super().step(a_t, states, norm)


@register
class CutCell(NormLSTMCell):
    """No gradient through the cell state's forget gate."""

    def step(self, a_t: Any, states: list[Any], norm: SiteNorms) -> tuple[Any, list[Any]]:
        h, c = states
        return super().step(a_t, [h, ops.stop_gradient(c)], norm)
