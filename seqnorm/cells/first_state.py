"""The state before the first step, and how a state of nothing but zeros passes gradients on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import ops, tree

if TYPE_CHECKING:
    from typing import Any as KerasCell  # the Keras cell that stands beside the mixin
else:
    KerasCell = object

INIT_STATES = ("rest", "zeros", "learned", "noise")


class FirstState(KerasCell):
    """Mixin of `NormCell` for its options `init_state` and `init_stddev`.

    At h = c = 0 a normaliser that ends in 1 / sqrt(moment + ε) has the slope 1 / sqrt(ε), so that a
    step which leaves the state at zero (x = 0, b = 0) multiplies the gradient by up to 1 / (4 ε) in
    an LSTM. That is exact, and of no use: it holds within a distance of ε or so, which any step of
    an optimiser leaves behind, and is infinite after ten such steps. At rest the gradient therefore
    ends: a state of nothing but zeros passes none on to the steps before, whose own outputs have
    theirs. Nothing changes as soon as one unit has left zero.

    The host gives `state_size`, `normalizers`, `init_state`, `init_stddev` and `seed_generator`.
    """

    def build_first_state(self) -> None:
        """Create the learned state, float[units] for each state; nothing for the other kinds."""
        self.first: list[Any] = []
        if self.init_state != "learned":
            return
        for name, size in zip("hc", tree.flatten(self.state_size), strict=False):
            start = keras.initializers.RandomNormal(stddev=self.init_stddev)
            self.first.append(
                self.add_weight(shape=(size,), name=f"first_{name}", initializer=start)
            )

    def first_state(self, batch_size: Any, training: bool = False) -> list[Any]:
        """The state before the first step, float[batch, units] each, in the compute dtype.

        Args:
            batch_size: rows.
            training: whether noise is drawn; without it noise has its mean, zero.
        """
        shapes = [(batch_size, size) for size in tree.flatten(self.state_size)]
        zeros = [ops.zeros(shape, self.compute_dtype) for shape in shapes]
        if self.init_state == "learned":
            if not self.built:
                raise ValueError(
                    "A learned first state is a weight, which a cell has once it is built. "
                    f"Received: {self.name}, which is not. Call the layer first, or `build` it."
                )
            # A sum and not a view of one row: torch could not assign to a state that it becomes.
            return [s + ops.cast(w, s.dtype) for s, w in zip(zeros, self.first, strict=True)]
        if self.init_state == "noise" and training:
            return [
                keras.random.normal(
                    shape, 0.0, self.init_stddev, self.compute_dtype, self.seed_generator
                )
                for shape in shapes
            ]
        return zeros

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """The state before the first step in Keras's cell protocol, which knows no training."""
        return self.first_state(batch_size)

    @property
    def rests(self) -> bool:
        """Whether a state of nothing but zeros passes no gradient on."""
        of_state = (norm for site, norm in self.normalizers.items() if site[:5] != "input")
        return self.init_state != "zeros" and any(norm.scale_free for norm in of_state)

    def at_rest(self, states: list[Any]) -> list[Any]:
        """The states as they are; the gradient ends in rows where all of them are zero."""
        if not self.rests:
            return states
        moving = [ops.any(ops.not_equal(s, 0), axis=-1, keepdims=True) for s in states]
        awake = moving[0] if len(moving) == 1 else ops.logical_or(*moving)
        return [ops.where(awake, s, ops.zeros_like(s)) for s in states]
