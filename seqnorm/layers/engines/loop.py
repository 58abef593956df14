"""The portable way to run a cell over time: one step after the other, on every backend."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from seqnorm.cells import NormCell, SiteNorms
from seqnorm.kernels import STEPS
from seqnorm.layers.engines.call import Call, Unrolled
from seqnorm.layers.timeline import Timeline
from seqnorm.normalizers import Context
from seqnorm.ops.pooling import pool
from seqnorm.ops.scan import masked_scan


class Loop:
    """Runs cells time-major, as a loop of steps.

    Args:
        call: what is asked for.
        timeline: its masks and direction.
        context: step, mask and training flag of all steps together.
    """

    def __init__(self, call: Call, timeline: Timeline, context: Context):
        self.call, self.timeline, self.context = call, timeline, context

    def enter(self, sequences: Any) -> Any:
        """[batch, time, features] as `run` takes it."""
        return self.timeline.enter(sequences)

    def leave(self, outputs: Any) -> Any:
        """What `run` gave as [batch, time, units], laid out as Keras does."""
        return self.timeline.leave(outputs)

    def run(self, cell: NormCell, x: Any, states: list[Any], outputs: str | None) -> Unrolled:
        """One cell over all steps.

        Args:
            cell: of which the layer is made.
            x: what `enter` gave, or the outputs of the cell below.
            states: before the first step, float[batch, units] each.
            outputs: what is wanted of the outputs: "steps" for all, "mean" or "max" of the valid
                ones, [batch, units]; None for nothing.
        """
        if self.context.training:
            # One mask for all steps, made before the loop: the step must stay pure.
            cell.get_dropout_mask(x[0])
            cell.get_recurrent_dropout_mask(states[0])
        try:
            found = self._run(cell, x, states, outputs is not None)
        finally:  # or the next call would take the masks of one that failed
            cell.reset_dropout_mask()
            cell.reset_recurrent_dropout_mask()
        if outputs in (None, STEPS):
            return found
        valid = self.context.valid
        valid = None if valid is None else ops.swapaxes(valid, 0, 1)[..., 0]
        return found._replace(outputs=pool(ops.swapaxes(found.outputs, 0, 1), valid, outputs))

    def _run(self, cell: NormCell, x: Any, states: list[Any], keep_outputs: bool) -> Unrolled:
        call, context, seen = self.call, self.context, self.call.seen
        norm = SiteNorms(cell.normalizers, context, seen is not None)
        whole = any(normalizer.whole_sequence for normalizer in cell.normalizers.values())
        inputs = {
            # Projected step by step where it can be: what a step makes of its inputs stays in the
            # cache, while the products of all steps together go through memory several times.
            "x": cell.project(x, norm) if whole else x,
            "valid": context.valid,
            "index": context.index,
            "kept": cell.draw_kept((ops.shape(x)[0], ops.shape(x)[1]), context.training),
            "perturbation": call.perturbation,
        }
        inputs = {name: value for name, value in inputs.items() if value is not None}

        def step(inputs_t: dict[str, Any], states: list[Any]) -> tuple[Any, list[Any], Any]:
            here = Context(inputs_t.get("index"), inputs_t.get("valid"), context.training)
            norm_t = SiteNorms(cell.normalizers, here, seen is not None)
            a_t = inputs_t["x"] if whole else cell.project(inputs_t["x"], norm_t)
            output, states = cell.advance(a_t, states, norm_t, inputs_t.get("kept"))
            if "perturbation" in inputs_t:
                output = output + ops.cast(inputs_t["perturbation"], output.dtype)
                states = cell.at_rest([output, *states[1:]])
            return output, states, (norm_t.moments, norm_t.observed or {})

        # Read once: a TensorFlow loop keeps what it reads from variables anew at each step.
        with keras.StatelessScope([(w, ops.copy(w.value)) for w in cell.weights]):
            last, outputs, states, every, (moments, observed) = masked_scan(
                step,
                inputs,
                states,
                ops.zeros_like(states[0]),
                # Keras's last output of a backward run is never a padded one.
                zero_output_for_mask=call.zero_output_for_mask and not self.timeline.padding_last,
                keep_outputs=keep_outputs,
                keep_states=call.all_states,
                unroll=call.unroll,
            )
        if seen is not None:
            seen.append({**(norm.observed or {}), **observed})
        return Unrolled(last, outputs, states, {**norm.moments, **moments}, {}, every)
