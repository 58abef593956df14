"""Where each token stands in time: masks, steps and direction of one call of a layer."""

from __future__ import annotations

from typing import Any

from keras import ops

from seqnorm.normalizers import Context
from seqnorm.ops import backend
from seqnorm.ops.masking import is_right_padded, lengths, reverse_valid
from seqnorm.ops.moments import Moments

NOT_RIGHT_PADDED = (
    "Per-step normalisation needs a right-padded mask: in every row all valid tokens first, then "
    "padding, so that step t means the same for all rows. Received a mask with a valid token after "
    "a padded one. Pad on the right (padding='post'); with norm='layer', which does not depend on "
    "the step, any mask will do unless the layer is being observed."
)


class Timeline:
    """Masks, steps and direction of one call, batch-major outside and time-major inside.

    Args:
        mask: bool or integer[batch, time], or None.
        age: float[batch, 1], steps that each row has already seen, where a normaliser depends on
            time; else None.
        carried: whether `age` may differ from zero (a state was handed in).
        backwards: whether to run from the last valid token to the first.
        aligned: whether step t must be the same token of every row counted from where the run
            starts, which takes padding on the right.
    """

    def __init__(self, mask: Any, age: Any, *, carried: bool, backwards: bool, aligned: bool):
        self.mask: Any = None if mask is None else ops.cast(mask, "bool")
        self.age = age
        self.carried = carried
        self.backwards = backwards
        self.aligned = aligned
        self.right_padded = None
        if mask is not None and aligned:
            self.right_padded = backend.require(is_right_padded(self.mask), NOT_RIGHT_PADDED)

    @property
    def padding_last(self) -> bool:
        """Whether a backward run meets padding last, where Keras's meets it first."""
        return self.backwards and self.aligned and self.mask is not None

    def enter(self, x: Any) -> Any:
        """[batch, time, features] -> [time, batch, features] in running order, padding zeroed."""
        if self.mask is not None:
            # NaN in padding must not reach the gradient of the input product.
            x = backend.kept(self.mask[..., None], x)
        return ops.swapaxes(self._turn(x), 0, 1)

    def leave(self, outputs: Any, before: Any = None) -> Any:
        """[time, batch, features] -> [batch, time, features], laid out as Keras does.

        `before`, [batch, features], is what stands ahead of a row's first token; None for zeros.
        Running backwards, position p of the output belongs to position T - 1 - p of the input, so
        that `Bidirectional` aligns both directions by one flip.
        """
        outputs = ops.swapaxes(outputs, 0, 1)
        if not self.padding_last:
            return outputs
        # Here padding came last; Keras meets it first, while the output is still zero.
        outputs = backend.kept(self.mask[..., None], outputs)
        if before is not None:
            outputs = ops.where(self.mask[..., None], outputs, before[:, None])
        return ops.flip(reverse_valid(outputs, self.mask), axis=1)

    def contexts(self, steps: Any, training: bool) -> Context:
        """The context of all steps together: index [time, 1 or batch], valid [time, batch, 1]."""
        index = None
        if self.age is not None:
            index = ops.arange(steps, dtype="int32")[:, None]
            if self.carried:
                index = index + ops.cast(self.age, "int32")[None, :, 0]
        valid = None
        if self.mask is not None:
            valid = ops.transpose(self._turn(self.mask[..., None]), (1, 0, 2))
        return Context(index, valid, training)

    def step_index(self, context: Context) -> Any:
        """int32[time], the step that the valid rows of each time stand at."""
        index = context.index
        if context.valid is not None and self.carried:
            index = ops.where(context.valid[..., 0], index, 0)
        return ops.max(index, axis=1)

    def age_after(self, steps: Any, limit: int) -> Any:
        """float[batch, 1], the age after this call, at most `limit`; None where there is none."""
        if self.age is None:
            return None
        seen = steps if self.mask is None else lengths(self.mask)[:, None]
        return ops.minimum(self.age + ops.cast(seen, self.age.dtype), limit)

    def ages(self, context: Context, steps: Any, limit: int) -> Any:
        """float[batch, time, 1], the age after every step, laid out as `leave` does; or None."""
        if self.age is None:
            return None
        seen = ops.ones((steps, 1, 1)) if context.valid is None else context.valid
        ages = self.age + ops.cumsum(ops.cast(seen, self.age.dtype), axis=0)
        return self.leave(ops.minimum(ages, limit), self.age)

    def invalidate(self, states: list[Any]) -> list[Any]:
        """Turn states into NaN where compiled code met a mask that it could not raise for."""
        if self.right_padded is None:
            return states
        # 0 or √-1. A NaN that waits in a branch not taken is one to tf.debugging and to tf2onnx.
        return [s + ops.sqrt(ops.cast(self.right_padded, s.dtype) - 1) for s in states]

    def ignore_invalid(self, moments: Moments) -> Moments:
        """Moments of what `invalidate` made NaN count no row: no running statistic takes them."""
        if self.right_padded is None:
            return moments
        count = ops.where(self.right_padded, moments.count, ops.zeros_like(moments.count))
        return moments._replace(count=count)

    def _turn(self, x: Any) -> Any:
        if not self.backwards:
            return x
        # Where steps need not agree, held states make a flip equal to reversing the valid part, and
        # a flip takes any mask.
        return reverse_valid(x, self.mask) if self.aligned else ops.flip(x, axis=1)
