"""Recomputation (`keras.remat`, `tf.recompute_grad`): the second pass reads what the first did.

A call reads variables that it also assigns: running statistics, seeds, the states of a stateful
layer. Where the backward pass makes the call anew, these have moved on, and the gradient would be
that of another function; and they would move twice. So the first pass is remembered, and the second
reads its values and assigns nothing. Neither pass is announced: both are found on the call stack.
JAX traces a pass once, and its `jax.checkpoint` is right around `stateless_call`.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any
from typing import Any as NormRNN  # of which these are parts: a name, no import of it

import keras
from keras import ops

# First passes that a layer remembers at a time; those of the backward pass are forgotten by it.
_KEPT = 16

_FIRST = {
    "recompute_grad.<locals>.inner": lambda frame: frame.f_locals["args"],
    "checkpoint": lambda frame: _torch_frame(frame),
    "CheckpointFunction.forward": lambda frame: frame.f_locals["ctx"],  # use_reentrant=True
}
_SECOND = {
    "recompute_grad.<locals>.inner.<locals>.grad_wrapper.<locals>.inner_recompute_grad": (
        lambda frame: frame.f_locals["args"]
    ),
    "_checkpoint_hook.__init__.<locals>.unpack_hook": lambda frame: frame.f_locals["frame"],
    "CheckpointFunction.backward": lambda frame: frame.f_locals["ctx"],
}
_MODULES = ("tensorflow.python.ops.custom_gradient", "torch.utils.checkpoint")


class Passes:
    """First passes of a layer that may be made anew: of each, what its calls read."""

    def __init__(self) -> None:
        self._of: list[tuple[Any, list[Any]]] = []  # an object of the pass, the values of each call

    def add(self, key: Any, values: Any) -> None:
        """One more call in the first pass of `key`."""
        for known, calls in self._of:
            if known is key:
                return calls.append(values)
        self._of = [*self._of[1 - _KEPT :], (key, [values])]

    def take(self, key: Any) -> Any:
        """What the next call of the second pass of `key` reads; the last one ends the memory.

        Raises:
            RuntimeError: if there was no such first pass, or it was taken before.
        """
        for index, (known, calls) in enumerate(self._of):
            if known is key:
                values = calls.pop(0)
                if not calls:
                    del self._of[index]
                return values
        raise RuntimeError(
            "A recomputed call (keras.remat) needs the statistics of its first pass, and they are "
            f"no longer known. Received: a second gradient of one call, or more than {_KEPT} "
            "calls between it and its gradient. Take one gradient, soon after the call."
        )


def replayed(call: Callable[..., Any]) -> Callable[..., Any]:
    """The `call` of a layer; made anew by a backward pass, it gives what it gave before."""

    @functools.wraps(call)
    def wrapper(layer: NormRNN, *args: Any, **kwargs: Any) -> Any:
        variables = layer.non_trainable_variables
        passes = list(_passes()) if variables else []
        if not passes:
            return call(layer, *args, **kwargs)
        second = [key for is_second, key in passes if is_second]
        values = layer.passes.take(second[0]) if second else [ops.copy(v.value) for v in variables]
        for is_second, key in passes:
            if is_second:
                break
            layer.passes.add(key, values)
        if not second:
            return call(layer, *args, **kwargs)
        with keras.StatelessScope(list(zip(variables, values, strict=True))):
            return call(layer, *args, **kwargs)

    return wrapper


def _passes() -> Iterator[tuple[bool, Any]]:
    """Of each pass under way, innermost first: whether it is a second one, and an object of it."""
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if frame.f_globals.get("__name__") in _MODULES:
            name = frame.f_code.co_qualname
            if name in _FIRST and (key := _FIRST[name](frame)) is not None:
                yield False, key
            elif name in _SECOND:
                yield True, _SECOND[name](frame)
        frame = frame.f_back


def _torch_frame(frame: FrameType) -> Any:
    """What the generator of a `checkpoint` and the hooks of its tensors share.

    None with `use_reentrant=True`, which has an autograd function in their place.
    """
    generator = frame.f_locals.get("gen")
    return None if generator is None else generator.gi_frame.f_locals["new_frame"]
