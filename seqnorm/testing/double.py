"""float64 as it is named, on every backend."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import keras


@contextmanager
def double() -> Iterator[None]:
    """Let float64 be float64 inside the context.

    Beside TensorFlow, Keras computes tanh (JAX) or products (torch) of float64 in float32, and JAX
    makes every float64 a float32 unless it is told otherwise.
    """
    if keras.backend.backend() == "tensorflow":
        yield
        return
    from keras.src.backend.common import dtypes

    table = dtypes.BIT64_TO_BIT32_DTYPE
    before, of_jax = table["float64"], _jax_double()
    table["float64"] = "float64"
    try:
        yield
    finally:
        table["float64"] = before
        _jax_double(of_jax)


def _jax_double(on: bool = True) -> bool:
    """Turn float64 on or off in JAX; whether it was on."""
    if keras.backend.backend() != "jax":
        return False
    import jax

    before = bool(jax.config.jax_enable_x64)
    jax.config.update("jax_enable_x64", on)
    return before
