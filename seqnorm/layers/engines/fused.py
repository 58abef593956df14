"""The fast way to run a cell over time: the fused CPU kernels, where they can serve."""

from __future__ import annotations

from typing import Any

from keras import ops

from seqnorm import kernels
from seqnorm.cells import NormCell
from seqnorm.layers.engines.call import Call, Unrolled
from seqnorm.layers.timeline import Timeline
from seqnorm.normalizers import Context, Normalizer
from seqnorm.ops.moments import Moments
from seqnorm.ops.replicas import count_replicas

Norms = dict[str, Normalizer]


def norms_at(cell: NormCell) -> tuple[Norms, Norms, Norms]:
    """The normalisers that stand side by side at each site of the kernels, by name."""
    own, chosen, norms = cell.to_kernel(), cell.normalized_sites(), cell.normalizers
    first, second, state = (
        {name: norms[name] for name in names if name in chosen}
        for names in (own.input, own.recurrent, own.state)
    )
    return first, second, state


def _site(cell: NormCell, norms: Norms, training: bool) -> kernels.SiteSpec:
    if not norms:
        return kernels.SiteSpec()
    kinds = {name: norm.to_kernel(training) for name, norm in norms.items()}
    first = next(iter(kinds.values()))
    parts = tuple((cell.SITES[name].gates, kind.groups) for name, kind in kinds.items())
    return kernels.SiteSpec(first.kind, first.epsilon, parts)


def spec_of(cell: NormCell, training: bool) -> kernels.Spec:
    """The cell as the kernels see it."""
    own = cell.to_kernel()
    first, second, state = (_site(cell, norms, training) for norms in norms_at(cell))
    carry = own.carry and state.kind != "none"
    return kernels.Spec(own.kind, first, second, state, carry, cell.compute_dtype, cell.rests)


def weights_of(cell: NormCell, spec: kernels.Spec) -> kernels.Weights:
    """The parameters side by side, every bias and beta in the offsets."""
    dtype, wide = cell.compute_dtype, spec.gates * cell.units
    widths, own = (wide, wide, cell.units), [*cell.kernel_offsets(), None]
    kinds = [[norm.to_kernel(True) for norm in norms.values()] for norms in norms_at(cell)]
    gains, offsets = (
        [
            _beside([getattr(kind, name) for kind in each], default((width,), dtype))
            for each, width in zip(kinds, widths, strict=True)
        ]
        for name, default in (("gain", ops.ones), ("offset", ops.zeros))
    )
    if not spec.kind.apart:
        offsets[:2] = [offsets[0] + offsets[1], ops.zeros_like(offsets[1])]
    offsets = [a if b is None else a + b for a, b in zip(offsets, own, strict=True)]
    kernel, recurrent = map(ops.convert_to_tensor, (cell.kernel, cell.recurrent_kernel))
    return kernels.Weights(kernel, recurrent, *gains, *offsets)


def _beside(values: list[Any], default: Any) -> Any:
    if not values or values[0] is None:
        return default
    return ops.concatenate([ops.cast(value, default.dtype) for value in values], axis=-1)


Tables = dict[str, dict[str, kernels.KernelTable]]  # site of the kernels -> name of the norm


def _tables(cell: NormCell, training: bool) -> Tables:
    """The running statistics that a batch goes into, of the normalisers side by side at a site."""
    found: Tables = {}
    for site, norms in zip(kernels.SITES, norms_at(cell), strict=True):
        tables = {name: norm.to_kernel(training).table for name, norm in norms.items()}
        found[site] = {
            name: table._replace(
                mean=ops.convert_to_tensor(table.mean),
                variance=ops.convert_to_tensor(table.variance),
                count=ops.convert_to_tensor(table.count),
            )
            for name, table in tables.items()
            if table is not None
        }
    return found


def _kept(given: Tables, found: dict[str, list[Any]]) -> dict[str, Moments]:
    """The next values of the tables whose normalisers take them."""
    return {
        name: Moments(*map(ops.stop_gradient, new))
        for site, own in given.items()
        for (name, table), new in zip(own.items(), found[site], strict=True)
        if table.keeps
    }


class Fused:
    """Runs cells by the fused kernels, batch-major; see `seqnorm.layers.engines.loop.Loop`."""

    def __init__(self, call: Call, timeline: Timeline, context: Context):
        self.call, self.context = call, context
        self.mask, self.backwards = timeline.mask, timeline.backwards
        self.right_padded = timeline.right_padded

    def enter(self, sequences: Any) -> Any:
        """[batch, time, features] as `run` takes it."""
        return sequences

    def leave(self, outputs: Any) -> Any:
        """What `run` gave as [batch, time, units], laid out as Keras does."""
        return outputs

    def run(self, cell: NormCell, x: Any, states: list[Any], outputs: str | None) -> Unrolled:
        """One cell over all steps."""
        spec = spec_of(cell, self.context.training)
        repeat = not self.call.zero_output_for_mask
        # In running order a cell's outputs are the next one's inputs.
        mask = self._running_mask()
        tables = _tables(cell, self.context.training)
        found = kernels.fused_scan(
            spec,
            x,
            weights_of(cell, spec),
            self.mask,
            (states[0], states[-1]),
            self._given(cell),
            {site: list(own.values()) for site, own in tables.items()},
            counted=self.right_padded,
            backwards=self.backwards,
            repeat=repeat,
            outputs=outputs,
        )
        last = found.h
        if mask is not None:
            alive = ops.any(mask, axis=1) if repeat else mask[:, -1]
            last = ops.where(alive[:, None], last, ops.zeros_like(last))
        self.mask, self.backwards = mask, False
        states = cell.at_rest([found.h, found.c][: len(states)])
        # A replica has seen a part of the batch; `fold` sees to the others.
        kept = _kept(tables, found.tables) if count_replicas() == 1 else {}
        moments = self._moments(cell, found.moments, kept, x, mask)
        return Unrolled(last, found.y, states, moments, kept)

    def _moments(
        self, cell: NormCell, seen: dict[str, Any], kept: dict[str, Moments], x: Any, mask: Any
    ) -> dict[str, Moments]:
        """What the batch had at the cell's sites, of those whose tables are not kept already."""
        found: dict[str, Moments] = {}
        counts = None
        for site, norms in zip(kernels.SITES, norms_at(cell), strict=True):
            start = 0
            for name in norms if site in seen else ():
                end = start + cell.SITES[name].gates * cell.units
                if name not in kept:
                    counts = self._counts(x, mask) if counts is None else counts
                    part = ops.stop_gradient(seen[site][..., start:end])
                    count = counts[: ops.shape(part)[0], None]
                    found[name] = Moments(part[:, :1], part[:, 1:], count)
                start = end
        return found

    def _running_mask(self) -> Any:
        flip = self.backwards and self.mask is not None
        return ops.flip(self.mask, axis=1) if flip else self.mask

    def _counts(self, x: Any, mask: Any) -> Any:
        """float[time, 1], rows alive at each step."""
        steps = ops.shape(x)[1]
        if mask is None:
            return ops.ones((steps, 1)) * ops.cast(ops.shape(x)[0], "float32")
        lengths = ops.sum(ops.cast(mask, "int32"), axis=1)
        alive = ops.arange(steps, dtype="int32")[:, None] < lengths[None, :]
        return ops.sum(ops.cast(alive, "float32"), axis=1, keepdims=True)

    def _given(self, cell: NormCell) -> dict[str, Any]:
        """Running statistics of every step where these normalise, as `fused_scan` takes them."""
        found, index = {}, self.context.index
        for site, norms in zip(kernels.SITES, norms_at(cell), strict=True):
            kinds = [norm.to_kernel(self.context.training).kind for norm in norms.values()]
            parts = [
                norm.kernel_statistics(index[:, 0])
                for norm, kind in zip(norms.values(), kinds, strict=True)
                if kind == "fixed"
            ]
            if parts:
                found[site] = ops.cast(ops.concatenate(parts, axis=-1), cell.compute_dtype)
        return found
