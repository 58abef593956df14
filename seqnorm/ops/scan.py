"""The one time loop of the project, with masks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras import ops

from seqnorm.ops import backend
from seqnorm.ops.masking import hold

Step = Callable[[dict[str, Any], list[Any]], tuple[Any, list[Any], Any]]


def masked_scan(
    step: Step,
    inputs: dict[str, Any],
    states: list[Any],
    output: Any,
    *,
    zero_output_for_mask: bool = False,
    keep_outputs: bool = True,
    keep_states: bool = False,
    unroll: bool = False,
) -> tuple[Any, Any, list[Any], list[Any] | None, Any]:
    """Run `step` over time; a row whose step is masked keeps its output and states.

    Args:
        step: `output, states, records = step(inputs_t, states)`, pure.
        inputs: tensors [time, ...] by name; "valid", bool[time, batch, 1], is the mask if present.
        states: initial states, [batch, ...] each.
        output: [batch, features], what a row that starts with padding puts out.
        zero_output_for_mask: put out zeros on masked steps instead of the output before.
        keep_outputs: whether to stack the outputs of all steps, which costs memory.
        keep_states: whether to stack the states of all steps.
        unroll: write the steps out one after the other.

    Returns:
        The last output [batch, features]; all outputs [time, batch, features], or None; the last
        states; those of all steps [time, batch, ...], or None; the records, stacked over time.
    """
    masked = "valid" in inputs
    # Every carried tensor costs a loop something, and the last of all outputs is the last one.
    carries_output = not keep_outputs or (masked and not zero_output_for_mask)
    zeros = ops.zeros_like(output)

    def body(carry: Any, inputs_t: dict[str, Any]) -> tuple[Any, Any]:
        states, before = carry
        valid = inputs_t.get("valid")
        output, new, records = step(inputs_t, states)
        new = [hold(valid, n, s) for n, s in zip(new, states, strict=True)]
        if masked:
            output = hold(valid, output, zeros if zero_output_for_mask else before[0])
        if carries_output and (zero_output_for_mask or not masked):
            output = backend.succeed(before[0], output)
        carry = (new, [output] if carries_output else [])
        return carry, (output if keep_outputs else (), new if keep_states else [], records)

    carry = (states, [output] if carries_output else [])
    (states, last), (outputs, every, records) = backend.scan(body, carry, inputs, unroll=unroll)
    if not keep_outputs:
        return last[0], None, states, every or None, records
    return outputs[-1], outputs, states, every or None, records
