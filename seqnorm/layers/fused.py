"""The fast way to run a cell over time: the fused CPU kernels, where they can serve."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from keras import ops

from seqnorm import kernels
from seqnorm.cells import NormCell
from seqnorm.layers.loop import Ran
from seqnorm.layers.timeline import Timeline
from seqnorm.normalizers import BatchNorm, Context, Identity, LayerNorm, Normalizer, RMSNorm
from seqnorm.normalizers.small_batch import WEIGHTS
from seqnorm.ops.moments import Moments

if TYPE_CHECKING:
    from seqnorm.layers.recurrent import NormRNN

KINDS = {Identity: "none", LayerNorm: "layer", RMSNorm: "rms", BatchNorm: "batch"}
_OF_SITE = {"input": ("input",), "recurrent": ("recurrent",), "state": ("carry", "output")}


def norms_at(cell: NormCell, site: str) -> list[tuple[str, Normalizer]]:
    """The normalisers that stand side by side at a site of the kernels, and their names."""
    chosen = cell.normalized_sites()
    return [
        (name, norm)
        for name, norm in cell.normalizers.items()
        if name in chosen and name.split("_")[0] in _OF_SITE[site]
    ]


def _kind(norms: list[tuple[str, Normalizer]], training: bool) -> str:
    if not norms:
        return "none"
    norm = norms[0][1]
    if not isinstance(norm, BatchNorm):
        return KINDS[type(norm)]
    if not (training and norm.trainable):
        return "fixed"
    return "renorm" if norm.small_batch == "renorm" else "batch"


def spec_of(cell: NormCell, training: bool) -> kernels.Spec:
    """The cell as the kernels see it."""
    sites = [norms_at(cell, site) for site in kernels.SITES]
    first, second, state = (_kind(norms, training) for norms in sites)
    epsilons = [getattr(norms[0][1], "epsilon", 0.0) if norms else 0.0 for norms in sites]
    return kernels.Spec(
        cell.NAME,
        first,
        second,
        state,
        carry=state != "none" and "carry" in cell.normalized_sites(),
        split=getattr(cell, "gate_norm", "") == "split",
        epsilons=(epsilons[0], epsilons[1], epsilons[2]),
        dtype=cell.compute_dtype,
        rests=cell.rests,
    )


def _weights(cell: NormCell) -> kernels.Weights:
    """The parameters side by side, every bias and beta in the offsets."""
    gains, offsets = [], []
    for site in kernels.SITES:
        width = cell.units if site == "state" else cell.kernel.shape[-1]
        norms = [norm for _, norm in norms_at(cell, site) if not isinstance(norm, Identity)]
        gains.append(_beside(norms, "gamma", width, ops.ones, cell.compute_dtype))
        offsets.append(_beside(norms, "beta", width, ops.zeros, cell.compute_dtype))
    bias = cell.bias if cell.NAME == "gru" else cell.offset()
    if cell.NAME != "gru":
        offsets[:2] = [offsets[0] + offsets[1], ops.zeros_like(offsets[1])]
        bias = None if bias is None else (bias, 0.0)
    if bias is not None:
        offsets[:2] = [offsets[0] + bias[0], offsets[1] + bias[1]]
    return kernels.Weights(
        ops.convert_to_tensor(cell.kernel), ops.convert_to_tensor(cell.recurrent_kernel),
        *gains, *offsets,
    )  # fmt: skip


def _beside(norms: list[Normalizer], name: str, width: int, default: Any, dtype: str) -> Any:
    if not norms or getattr(norms[0], name) is None:
        return default((width,), dtype)
    return ops.concatenate([ops.cast(getattr(norm, name), dtype) for norm in norms], axis=-1)


class Fused:
    """Runs cells by the fused kernels, batch-major; see `seqnorm.layers.loop.Loop`."""

    def __init__(self, layer: NormRNN, timeline: Timeline, context: Context):
        self.layer, self.context = layer, context
        self.mask, self.backwards = timeline.mask, timeline.backwards

    def enter(self, sequences: Any) -> Any:
        """[batch, time, features] as `run` takes it."""
        return sequences

    def leave(self, outputs: Any) -> Any:
        """What `run` gave as [batch, time, units], laid out as Keras does."""
        return outputs

    def run(self, cell: NormCell, x: Any, states: list[Any], keep_outputs: bool) -> Ran:
        """One cell over all steps."""
        spec = spec_of(cell, self.context.training)
        repeat = not self.layer.zero_output_for_mask
        # In running order a cell's outputs are the next one's inputs.
        mask = self._running_mask()
        counts = self._counts(x, mask)
        found = kernels.fused_scan(
            spec,
            x,
            _weights(cell),
            self.mask,
            (states[0], states[-1]),
            self._given(cell, spec, counts),
            backwards=self.backwards,
            repeat=repeat,
            sequences=keep_outputs,
        )
        last = found.h
        if mask is not None:
            alive = ops.any(mask, axis=1) if repeat else mask[:, -1]
            last = ops.where(alive[:, None], last, ops.zeros_like(last))
        self.mask, self.backwards = mask, False
        states = cell.at_rest([found.h, found.c][: len(states)])
        return Ran(last, found.sequence, states, self._moments(cell, found.moments, counts))

    def _running_mask(self) -> Any:
        flip = self.backwards and self.mask is not None
        return ops.flip(self.mask, axis=1) if flip else self.mask

    def _counts(self, x: Any, mask: Any) -> Any:
        """float[time, 1], rows alive at each step, where statistics need them."""
        if self.context.index is None:
            return None
        steps = ops.shape(x)[1]
        if mask is None:
            return ops.ones((steps, 1)) * ops.cast(ops.shape(x)[0], "float32")
        lengths = ops.sum(ops.cast(mask, "int32"), axis=1)
        alive = ops.arange(steps, dtype="int32")[:, None] < lengths[None, :]
        return ops.sum(ops.cast(alive, "float32"), axis=1, keepdims=True)

    def _given(self, cell: NormCell, spec: kernels.Spec, counts: Any) -> dict[str, Any]:
        """Running statistics of every step, as `fused_scan` takes them."""
        found = {}
        for site, kind in zip(kernels.SITES, spec.norms, strict=True):
            norms = [norm for _, norm in norms_at(cell, site)]
            if kind == "fixed":
                parts = [_fixed(norm, self.context.index[:, 0]) for norm in norms]
            elif kind in kernels.OF_BATCH and norms[0].small_batch != "naive":
                parts = [_prior(norm, self.context.index[:, 0], counts) for norm in norms]
            else:
                continue
            found[site] = ops.cast(ops.concatenate(parts, axis=-1), cell.compute_dtype)
        return found

    def _moments(self, cell: NormCell, seen: dict[str, Any], counts: Any) -> dict[str, Moments]:
        """The moments of the kernels' sites as those of the cell's."""
        found = {}
        for site, both in seen.items():
            both, start = ops.stop_gradient(both), 0
            count = counts[: ops.shape(both)[0], None]
            for name, norm in norms_at(cell, site):
                part = both[..., start : start + norm.moving_mean.shape[-1]]
                found[name] = Moments(part[:, :1], part[:, 1:], count)
                start += part.shape[-1]
        return found


def _fixed(norm: BatchNorm, index: Any) -> Any:
    """Mean and scale of every step at inference: [time, 2, features]."""
    known = norm.running(norm.trusted_row(index))
    return ops.stack([known.mean, ops.rsqrt(known.variance + norm.epsilon)], axis=1)


def _prior(norm: BatchNorm, index: Any, counts: Any) -> Any:
    """Weight of the batch, and the running mean and variance: [time, 3, features]."""
    known = norm.running(norm.row(index))
    if norm.small_batch == "renorm":  # a variance of -1: nothing to correct towards yet
        variance = ops.where(known.count > 0, known.variance, -ops.ones_like(known.variance))
        return ops.stack([ops.ones_like(known.mean), known.mean, variance], axis=1)
    weight = WEIGHTS[norm.small_batch](ops.cast(counts, known.count.dtype), known.count, norm.few)
    return ops.stack([weight * ops.ones_like(known.mean), known.mean, known.variance], axis=1)
