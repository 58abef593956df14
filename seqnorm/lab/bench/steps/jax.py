"""Steps on JAX, each compiled as a whole and awaited."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import keras
from jax import numpy as jnp

from seqnorm.kernels import CELLS as KERNELS
from seqnorm.lab.bench.shapes import Shape, Step, batch_of, factors_of, model_of


def _values(layer: Any) -> tuple[list[Any], list[Any]]:
    return tuple(
        [variable.value for variable in variables]
        for variables in (layer.trainable_variables, layer.non_trainable_variables)
    )  # type: ignore[return-value]


def _awaited(function: Callable[..., Any], *arrays: Any) -> Step:
    return lambda: jax.block_until_ready(function(*arrays))


def fit(layer: Any, shape: Shape, jit: bool) -> Step:
    """One training step of a Keras model."""
    x, alive, target = map(jnp.asarray, batch_of(shape))
    model, optimizer = model_of(layer, shape), keras.optimizers.SGD()
    optimizer.build(model.trainable_variables)

    def loss(trained: list[Any], others: list[Any]) -> Any:
        outputs, others = model.stateless_call(trained, others, [x, alive], training=True)
        return jnp.mean((outputs - target) ** 2), others

    @jax.jit
    def advance(trained: list[Any], others: list[Any], state: list[Any]) -> Any:
        (_, others), slopes = jax.value_and_grad(loss, has_aux=True)(trained, others)
        return (*optimizer.stateless_apply(state, slopes, trained), others)

    now = [*_values(model), [variable.value for variable in optimizer.variables]]

    def step() -> None:
        trained, state, others = jax.block_until_ready(advance(*now))
        now[:] = [trained, others, state]

    return step


def gradient(layer: Any, shape: Shape, jit: bool) -> Step:
    """Outputs, and the gradients of inputs and weights."""
    mask, x = shape.mask(), jnp.asarray(batch_of(shape)[0])
    layer.build(x.shape)
    trained, others = _values(layer)

    def loss(trained: list[Any], x: Any) -> Any:
        return jnp.mean(layer.stateless_call(trained, others, x, mask=mask, training=True)[0])

    return _awaited(jax.jit(jax.grad(loss, argnums=(0, 1))), trained, x)


def forward(layer: Any, shape: Shape, jit: bool) -> Step:
    """Outputs."""
    mask, x = shape.mask(), jnp.asarray(batch_of(shape)[0])
    layer.build(x.shape)
    values = _values(layer)
    return _awaited(jax.jit(lambda x: layer.stateless_call(*values, x, mask=mask)[0]), x)


def products(cell: str, shape: Shape, mode: str = "fit") -> Step:
    """The matrix products of a step over all tokens at once: the floor."""

    def multiply(x: Any, h: Any, d: Any, kernel: Any, recurrent: Any) -> Sequence[Any]:
        found = [x @ kernel, h @ recurrent]
        if mode != "forward":
            found += [d @ recurrent.T, x.T @ d, h.T @ d]
        if mode == "gradient":
            found.append(d @ kernel.T)
        return found

    factors = map(jnp.asarray, factors_of(KERNELS[cell].gates, shape))
    return _awaited(jax.jit(multiply), *factors)
