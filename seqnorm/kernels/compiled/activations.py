"""tanh and sigmoid that vectorise, in place over one row.

float32: tanh(x) = x P(x^2) / Q(x^2) on [-9, 9] and +-1 beyond, fitted in relative error;
|error| <= 4e-7, and sigmoid(x) = (1 + tanh(x / 2)) / 2 has |error| <= 2e-7. Other types use the
exact functions. NaN stays NaN: every bound is tested with a comparison that NaN fails.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import overload, register_jitable

from seqnorm.kernels.compiled.options import JIT

_OPTIONS: Any = JIT
_EDGE = np.float32(9.0)
_ONE = np.float32(1.0)
_HALF = np.float32(0.5)
# Least maximum relative error on [0, 9] (2e-8 before rounding), numerator then denominator, from
# x^0.
_P = tuple(
    np.float32(v)
    for v in (
        1.0,
        0.13381023705005646,
        0.0034955856390297413,
        2.0609038983820938e-05,
        1.335459831608432e-08,
    )
)
_Q = tuple(
    np.float32(v)
    for v in (
        1.0,
        0.46714338660240173,
        0.0258769728243351,
        0.0003285630664322525,
        7.776532697789662e-07,
    )
)


@register_jitable
def _tanh_single(x):
    x = _EDGE if x > _EDGE else x
    x = -_EDGE if x < -_EDGE else x
    s = x * x
    top = ((((_P[4] * s + _P[3]) * s + _P[2]) * s + _P[1]) * s + _P[0]) * x
    below = (((_Q[4] * s + _Q[3]) * s + _Q[2]) * s + _Q[1]) * s + _Q[0]
    y = top / below
    y = _ONE if y > _ONE else y
    return -_ONE if y < -_ONE else y


@register_jitable
def _tanh_exact(x):
    return np.tanh(x)


def tanh(x: Any) -> Any:
    """Tanh of a scalar, inside compiled code."""
    raise NotImplementedError(
        "seqnorm.kernels.compiled.activations.tanh only works inside compiled code."
    )


@overload(tanh, jit_options=_OPTIONS)
def _tanh(x):
    if x == types.float32:
        return lambda x: _tanh_single(x)
    return lambda x: _tanh_exact(x)


@njit(**JIT)
def tanh_in_place(row):
    """Computes row = tanh(row)."""
    for j in range(row.size):
        row[j] = tanh(row[j])


@njit(**JIT)
def sigmoid_in_place(row):
    """Computes row = sigmoid(row)."""
    for j in range(row.size):
        row[j] = _HALF + _HALF * tanh(_HALF * row[j])
