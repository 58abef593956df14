"""The kernels as a differentiable JAX operation, eager and under `jax.jit`.

XLA hands its own memory to the callback, and the outputs of all steps are written into it. (A
`jax.pure_callback` would make arrays of its own, in threads that the callback may be holding up.)
What the backward pass needs waits under a number. XLA may drop a call, make it twice or use its
result for two gradients: then a record is not fetched, or is gone when it is asked for, and is
computed again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

import jax
import numpy as np
from jax import numpy as jnp
from jax.custom_derivatives import SymbolicZero
from jax.experimental.buffer_callback import buffer_callback

from seqnorm.kernels.host.ahead import backward_ready, forward_ready
from seqnorm.kernels.host.arrays import Inputs, Outputs, require_shapes
from seqnorm.kernels.host.compile import expect_gradients
from seqnorm.kernels.host.operation import FIRST_ONLY, TICKET, Scan
from seqnorm.kernels.spec import OF_BATCH, STEPS

# Tickets of the last forward passes: what no backward pass comes for is kept until as many others
# were made.
_TICKETS: deque[np.ndarray] = deque(maxlen=16)

_NO_JVP = (
    "The fused kernels have no forward-mode derivatives (jax.jvp, jax.jacfwd, jax.linearize). "
    "Build the layer with implementation='loop'."
)


def run(scan: Scan, inputs: Inputs) -> Outputs:
    """See `seqnorm.kernels.fused_scan`."""
    # Without x64 a layer of float64 is float32.
    dtype = jax.dtypes.canonicalize_dtype(scan.spec.dtype)
    spec, x = replace(scan.spec, dtype=str(dtype)), jnp.asarray(inputs.x, dtype)
    inputs = inputs.filled(
        x,
        ones=lambda: jnp.ones(x.shape[:2], bool),
        zeros=lambda: jnp.zeros((x.shape[0], inputs.weights.recurrent_kernel.shape[0]), dtype),
        none=jnp.zeros(0, dtype),
    )
    require_shapes(inputs)  # what a callback raises is told by XLA, with a page around it
    if isinstance(x, jax.core.Tracer):  # of what, or for what, cannot be seen from here
        expect_gradients(spec)
    forward_ready(spec)  # calls come in threads that Ctrl-C does not reach
    scan = replace(scan, spec=spec, keep=False)
    own = [inputs.mask, inputs.counted, *inputs.tables]  # of another dtype
    values = [
        jnp.asarray(value, None if any(value is each for each in own) else dtype)
        for value in inputs.flat()
    ]
    try:
        h, c, *rest = _operation(scan, *values)
    except TypeError as error:
        if "forward-mode" in str(error):
            raise TypeError(_NO_JVP) from error
        raise
    return scan.outputs_of(h, c, rest)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _operation(scan: Scan, *values: jax.Array) -> list[jax.Array]:
    """The operation on `Inputs.flat`: h, c, seen moments, tables and, if wanted, y."""
    h, c, _, *rest = _forward(scan, *values)
    return [h, c, *rest]


# The backward pass gets it with the arrays that are handed on to it.
jax.tree_util.register_static(Scan)


def _with_record(scan: Scan, *primals: Any) -> tuple[list[jax.Array], Any]:
    backward_ready(scan.spec)
    scan = replace(scan, keep=True, need_x=primals[0].perturbed)
    values = [primal.value for primal in primals]
    h, c, ticket, *rest = _forward(scan, *values)
    return [h, c, *rest], (scan, ticket, rest[scan.statistics :], values)


def _gradients(_: Scan, kept: Any, slopes: list[Any]) -> list[Any]:
    scan, ticket, y, values = kept
    d_h, d_c, *d_rest = (
        jnp.zeros(d.shape, d.dtype) if isinstance(d, SymbolicZero) else d for d in slopes
    )
    found = list(_backward(scan, ticket, d_h, d_c, *d_rest[scan.statistics :], *y, *values))
    d_x = found.pop(0) if scan.need_x else None
    return [d_x, None, *found, *[None] * Inputs.of(values).constants]


_operation.defvjp(_with_record, _gradients, symbolic_zeros=True)


def _first_only(call: Callable[..., Any]) -> Callable[..., Any]:
    """The call, where to ask how it depends on its inputs is an error."""
    refusing = jax.custom_jvp(call, nondiff_argnums=(0,))

    @refusing.defjvp
    def refuse(*_: Any) -> Any:
        raise LookupError(FIRST_ONLY)

    return refusing


@_first_only
def _forward(scan: Scan, *values: jax.Array) -> list[jax.Array]:
    """What `Scan.forward` gives, with moments for every step."""
    inputs = Inputs.of(values)
    (batch, steps, _), units, dtype = inputs.x.shape, inputs.h.shape[1], inputs.x.dtype
    states = jax.ShapeDtypeStruct((batch, units), dtype)
    widths = (scan.spec.gates * units,) * 2 + (units,)
    shapes = [states, states, jax.ShapeDtypeStruct(TICKET, np.int32)]
    shapes += [
        jax.ShapeDtypeStruct((steps, 2, width) if name in OF_BATCH else (0, 2, 0), dtype)
        for name, width in zip(scan.spec.norms, widths, strict=True)
    ]
    shapes += [jax.ShapeDtypeStruct(each.shape, each.dtype) for each in inputs.tables]
    shapes += [jax.ShapeDtypeStruct(y, dtype) for y in scan.shapes_of_y(batch, steps, units)]
    return buffer_callback(_run_forward(scan), shapes, vmap_method="sequential")(*values)


@_first_only
def _backward(scan: Scan, *arrays: jax.Array) -> list[jax.Array]:
    """What `Scan.backward` gives."""
    inputs = Inputs.of(arrays[5 if scan.outputs else 3 :])
    like = [inputs.h, inputs.c, *inputs.weights]
    like = [inputs.x, *like] if scan.need_x else like
    shapes = [jax.ShapeDtypeStruct(value.shape, value.dtype) for value in like]
    return buffer_callback(_run_backward(scan), shapes, vmap_method="sequential")(*arrays)


# One function for equal scans: outside of `jax.jit`, JAX compiles the callback of each anew.
@lru_cache(maxsize=256)
def _run_forward(scan: Scan) -> Callable[..., None]:
    def run(_: Any, outs: list[Any], *buffers: Any) -> None:
        outs = [np.asarray(out) for out in outs]
        room = outs[-1] if scan.outputs == STEPS else None
        found = scan.forward(*map(np.asarray, buffers), room=room)
        if scan.keep:
            _TICKETS.append(found[2])
        _write(outs, found)

    return run


@lru_cache(maxsize=256)
def _run_backward(scan: Scan) -> Callable[..., None]:
    def run(_: Any, outs: list[Any], *buffers: Any) -> None:
        _write([np.asarray(out) for out in outs], scan.backward(*map(np.asarray, buffers)))

    return run


def _write(outs: list[np.ndarray], found: list[np.ndarray]) -> None:
    """Copies what is not there yet; steps that no row reached are zero."""
    for out, value in zip(outs, found, strict=True):
        if value is not out:
            out[: len(value)] = value
            out[len(value) :] = 0
