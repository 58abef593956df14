"""The kernels as a differentiable torch operation. Tensors cross without a copy, both ways.

What the backward pass needs is saved as torch saves tensors: the inputs, the outputs of all steps
and the ticket of the record. So torch finds out what was changed in place in between, and lets go
of the record when it lets go of the graph, also where hooks replace what was saved
(`torch.utils.checkpoint`, `torch.autograd.graph.save_on_cpu`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from seqnorm.kernels.host.arrays import Inputs, Outputs
from seqnorm.kernels.host.compile import expect_gradients
from seqnorm.kernels.host.operation import FIRST_ONLY, Scan


def run(scan: Scan, inputs: Inputs) -> Outputs:
    """See `seqnorm.kernels.fused_scan`."""
    spec, dtype = scan.spec, getattr(torch, scan.spec.dtype)
    x = torch.as_tensor(inputs.x, dtype=dtype)
    units, device = inputs.weights.recurrent_kernel.shape[0], x.device
    _require_cpu([x, *inputs.weights])
    inputs = inputs.filled(
        x,
        ones=lambda: torch.ones(x.shape[:2], dtype=torch.bool, device=device),
        zeros=lambda: torch.zeros((x.shape[0], units), dtype=dtype, device=device),
        none=torch.zeros(0, dtype=dtype, device=device),
    )
    values = [torch.as_tensor(value) for value in inputs.flat()]
    keep = torch.is_grad_enabled() and any(value.requires_grad for value in values)
    scan = replace(scan, keep=keep)
    if any(value.is_meta for value in values):
        h, c, *rest = _shapes(scan, x, units, inputs.tables)
        return scan.outputs_of(h, c, rest)
    if keep:
        expect_gradients(spec)
        # The variables themselves get their next values in place, before a backward pass.
        own = len(values) - len(inputs.tables)
        values[own:] = [torch.from_numpy(_array(value).copy()) for value in values[own:]]
    h, c, *rest = _Operation.apply(scan, *values)
    return scan.outputs_of(h, c, rest)


class _Operation(torch.autograd.Function):
    """The operation on `Inputs.flat`: h, c, seen moments, tables and, if wanted, y."""

    @staticmethod
    def forward(ctx: Any, scan: Scan, *values: torch.Tensor) -> tuple[torch.Tensor, ...]:
        found = map(torch.from_numpy, scan.forward(*map(_array, values)))
        h, c, ticket, *rest = found
        ctx.scan = scan
        ctx.save_for_backward(ticket, *rest[scan.statistics :], *values)
        ctx.mark_non_differentiable(*rest[: scan.statistics])
        ctx.set_materialize_grads(False)
        return h, c, *rest

    @staticmethod
    def backward(ctx: Any, d_h: Any, d_c: Any, *d_rest: Any) -> Any:
        _require_one_gradient((d_h, d_c, *d_rest))
        ticket, *saved = ctx.saved_tensors
        d_y = d_rest[ctx.scan.statistics :]
        inputs = Inputs.of(saved[len(d_y) :])
        slopes = zip((d_h, d_c, *d_y), (inputs.h, inputs.c, *saved), strict=False)
        known = [torch.zeros_like(like) if d is None else d for d, like in slopes]
        arrays = [ticket, *known, *saved]
        asked = replace(ctx.scan, need_x=ctx.needs_input_grad[1])
        found = [torch.from_numpy(each) for each in asked.backward(*map(_array, arrays))]
        if torch.is_grad_enabled():  # create_graph=True
            found = list(_FirstOnly.apply(found, *arrays[1:]))
        d_x = found.pop(0) if asked.need_x else None
        return None, d_x, None, *found, *[None] * inputs.constants


class _FirstOnly(torch.autograd.Function):
    """`found`; asking how it depends on the sources is an error instead of a silent zero."""

    @staticmethod
    def forward(ctx: Any, found: list[torch.Tensor], *_: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple(found)

    @staticmethod
    def backward(ctx: Any, *_: torch.Tensor) -> Any:
        raise LookupError(FIRST_ONLY)


def _array(value: torch.Tensor) -> np.ndarray:
    return value.detach().contiguous().numpy()


def _shapes(
    scan: Scan, x: torch.Tensor, units: int, tables: Sequence[torch.Tensor]
) -> list[torch.Tensor]:
    """What the operation gives, on the device "meta", where Keras asks for shapes alone."""
    batch, steps = x.shape[:2]
    columns = (scan.spec.gates * units,) * 2 + (units,)
    shapes: list[Sequence[int]] = [(batch, units)] * 2 + [(steps, 2, each) for each in columns]
    shapes += [each.shape for each in tables]
    shapes += scan.shapes_of_y(batch, steps, units)
    return [torch.empty(shape, dtype=x.dtype, device="meta") for shape in shapes]


def _require_one_gradient(slopes: Sequence[Any]) -> None:
    if any(d is not None and torch._C._functorch.is_legacy_batchedtensor(d) for d in slopes):
        raise NotImplementedError(
            "The fused kernels take one gradient at a time. Received: several at once "
            "(is_grads_batched=True, vectorize=True). Leave that out, or build the layer with "
            "implementation='loop'."
        )


def _require_cpu(values: list[torch.Tensor]) -> None:
    devices = sorted({str(value.device) for value in values} - {"meta"})
    if devices not in (["cpu"], []):
        raise ValueError(
            "The fused kernels need tensors on the CPU. Received: tensors on "
            f"{', '.join(devices)}. Build the layer with implementation='loop'."
        )
