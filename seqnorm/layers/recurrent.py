"""The recurrent layer: the one place that knows time, masks and running statistics."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import keras
from keras import ops, tree

from seqnorm.cells import NormCell
from seqnorm.kernels import STEPS
from seqnorm.layers.advice import on_padding_of_an_export
from seqnorm.layers.engines import check_implementation, engine_of
from seqnorm.layers.engines.call import Call
from seqnorm.layers.engines.why_not import fused_obstacle
from seqnorm.layers.remat import Passes, replayed
from seqnorm.layers.requirements import (
    check_call,
    check_cells,
    check_layer,
    check_pooling,
    check_replicas,
)
from seqnorm.layers.states import initial_states, keep, nest, shapes_of_all
from seqnorm.layers.timeline import Timeline
from seqnorm.ops import backend
from seqnorm.ops.masking import of_sequence
from seqnorm.ops.moments import Moments
from seqnorm.signatures import NamedArguments, constructors, refuse_unknown


@keras.saving.register_keras_serializable(package="seqnorm")
class NormRNN(keras.layers.RNN):
    """Run a seqnorm cell, or a stack of them, over time.

    Everything `keras.layers.RNN` does, and what it cannot: normalisers are told the step and the
    mask; the batch statistics of all steps are folded into the running ones once, after the loop.

    Args:
        cell: a seqnorm cell, or a list of them (run one above the other).
        return_sequences: whether to return all outputs rather than the last.
        return_state: whether to return the last states as well; "all" for the states after every
            step in their place.
        go_backwards: run from the last token to the first. With batch statistics steps are
            counted from each row's last valid token. Outputs are laid out as Keras lays them.
        stateful: carry the states from batch to batch. The first batch, and that after
            `reset_state`, starts as the cells' `init_state` says.
        unroll: write the steps out one after the other instead of looping.
        zero_output_for_mask: put out zeros on masked steps instead of the output before. As Keras
            computes it, not as it documents it, that holds without `return_sequences` as well: a
            row that ends in padding then puts out zeros (keras-team/keras#17596).
        pooling: what is returned without `return_sequences`: "last", the last output, or "mean" or
            "max" of the outputs of all valid steps, as `MaskedPooling` above makes of them. In the
            kernels that saves the outputs of all steps, most of which may be padding.
        implementation: "loop", one step after the other anywhere; "fused", the compiled CPU kernels
            (TensorFlow, torch or JAX, and numba), an error where they cannot serve; "auto", the
            kernels where they can serve, see `why_not_fused`.
        **kwargs: `name`, `dtype`, `trainable` of the Keras layer; `dtype` is the cells'.

    Call arguments:
        sequences: float[batch, time, features].
        initial_state: list of states, float[batch, units] each. With batch statistics the list
            ends with the age, float[batch, 1]: the number of steps that each row has already seen,
            at most `max_steps`, so that a second chunk goes on at the step where the first one
            stopped. Without it rows begin at step 0, which is right for another layer's states. In
            training the rows of one batch should have the same age: rows at one time step share
            moments, which are kept for the largest age.
        mask: bool[batch, time], True on valid tokens; None takes the one that `sequences` carries,
            as from `Embedding(mask_zero=True)`. Inside `Bidirectional` with an `initial_state`
            Keras loses the one that they carry: pass it. Of further axes one True makes the step
            valid: above `TimeDistributed` over words, a sentence is one as soon as it has a word.
        training: whether dropout is on and BatchNorm normalises by the batch.

    Returns:
        float[batch, units] (`pooling`), or float[batch, time, units] with `return_sequences`; with
        `return_state` followed by the states (batch statistics: the age last), float[batch, units],
        or float[batch, time, units] with "all", laid out as the outputs are: running backwards,
        from the last token to the first.

    Masking:
        A masked step keeps the row's states and output and enters no statistic. Inputs at masked
        steps are never read. A row without a valid token keeps its states and puts out zeros, on
        every backend (Keras's RNN on JAX puts out the initial state). Every norm but batch takes
        any mask; batch needs padding on the right and raises otherwise (compiled code, which
        cannot raise, returns NaN).

    Raises:
        TypeError: if a cell is not one of seqnorm's, or has a `call` of its own (override `step`);
            for ragged or nested tensors, which must be padded first.
        ValueError: for a mask as above; for states of another number or width; for an unknown
            `pooling` or `implementation`; for `pooling` beside `return_sequences`; for "fused"
            where the kernels cannot serve; for no cell, a `dtype` that is not the cells', no time
            step at all, or a carried age beyond what half precision counts to; or, as Keras does,
            for inputs that are not three-dimensional, `unroll` without a static number of steps and
            `stateful` with another batch size.

    Examples:
        >>> import numpy as np
        >>> from seqnorm import NormLSTMCell, NormRNN
        >>> layer = NormRNN(NormLSTMCell(4, norm="batch"), return_state=True)
        >>> [tuple(y.shape) for y in layer(np.ones((2, 6, 3), "float32"))]
        [(2, 4), (2, 4), (2, 4), (2, 1)]
    """

    __signature__ = NamedArguments(constructors, lambda _: ())

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool | str = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        pooling: str = "last",
        implementation: str = "auto",
        **kwargs: Any,
    ):
        refuse_unknown(type(self), kwargs)
        cells = _cells_of(cell)
        check_cells(cell, cells)
        check_pooling(pooling, return_sequences)
        check_implementation(implementation)
        if kwargs.get("dtype") is None:
            kwargs["dtype"] = cells[0].dtype_policy
        super().__init__(
            cell,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            unroll=unroll,
            zero_output_for_mask=zero_output_for_mask,
            **kwargs,
        )
        check_layer(self)
        if not self.trainable:
            self.cell.trainable = False  # Keras's constructor leaves the cells alone
        self.input_spec = keras.layers.InputSpec(ndim=3)
        # Keras 3.16 turns this off in RNN; here masks are part of what the layer is for.
        self.supports_masking = True
        self.pooling = pooling
        self.implementation = implementation
        self.passes = Passes()
        self.seen: Any = None  # filled inside `observing`
        self.perturbation: Any = None
        # Past Keras's tracking, as are the states that it goes with.
        object.__setattr__(self, "fresh", None)
        if self.time_aware:
            self.state_size: list[Any] = [*self.state_size, 1]
            self.single_state = False

    @property
    def cells(self) -> tuple[NormCell, ...]:
        """The cells, bottom first."""
        return _cells_of(self.cell)

    @property
    def stacked(self) -> bool:
        """Whether states come cell by cell, as also those of a list of one cell do."""
        return isinstance(self.cell, keras.layers.StackedRNNCells)

    @property
    def time_aware(self) -> bool:
        """Whether some normaliser depends on the step, so that the state carries the age."""
        return any(cell.time_aware for cell in self.cells)

    def get_initial_state(self, batch_size: Any, training: bool = False) -> list[Any]:
        """The cells' states before the first step, and age zero where the state carries one."""
        by_cell: list[Any] = [cell.first_state(batch_size, training) for cell in self.cells]
        states = by_cell if self.stacked else by_cell[0]
        return [*states, ops.zeros((batch_size, 1), "float32")] if self.time_aware else states

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        """Create the cells' weights and, in a stateful layer, the variables of the states."""
        super().build(sequences_shape, initial_state_shape)
        if self.stateful and self.fresh is None and any(cell.first for cell in self.cells):
            # 1 until states were kept: learned ones change, and are loaded after they are made.
            object.__setattr__(self, "fresh", keras.Variable(1.0, trainable=False, name="fresh"))

    def reset_state(self) -> None:
        """Start anew: set the states of a stateful layer to the first ones, the age to zero."""
        for state in tree.flatten(self.states or []):
            state.assign(ops.zeros(state.shape, state.dtype))
        if self.fresh is not None:
            self.fresh.assign(1.0)

    @backend.between_graphs
    @replayed
    def call(
        self,
        sequences: Any,
        initial_state: Any = None,
        mask: Any = None,
        training: bool = False,
        sequences_mask: Any = None,
    ) -> Any:
        """See the class.

        Where states are given, Keras hands the mask that `sequences` carries as `sequences_mask`.
        """
        mask = sequences_mask if mask is None else mask
        carried = initial_state is not None or self.stateful
        check_call(self, sequences)
        check_replicas(self, bool(training))
        on_padding_of_an_export(self.time_aware, mask)
        states, age = initial_states(self, sequences, initial_state, bool(training))
        timeline = Timeline(
            of_sequence(mask),
            age,
            carried=carried,
            backwards=self.go_backwards,
            aligned=self.time_aware or self.seen is not None,
        )
        steps = ops.shape(sequences)[1]
        context = timeline.contexts(steps, bool(training))
        step_index = timeline.step_index(context) if self.time_aware else None
        asked = self._asked(carried, context.training)
        engine = engine_of(asked, self.implementation, self.name)(asked, timeline, context)
        x = engine.enter(ops.cast(sequences, self.compute_dtype))
        last, new_states, all_states = None, [], []
        for depth, (cell, state) in enumerate(zip(self.cells, states, strict=True), start=1):
            wanted = self._wanted() if depth == len(self.cells) else STEPS
            state = timeline.invalidate(state)
            last, x, new, seen, kept, every = engine.run(cell, x, state, wanted)
            new_states.append(new)
            all_states.append([*map(timeline.leave, every or [], state)])
            for site, moments in seen.items():
                cell.normalizers[site].fold(timeline.ignore_invalid(moments), step_index)
            for site, table in kept.items():
                cell.normalizers[site].keep(table)
        states = nest(self, new_states, timeline.age_after(steps, self.age_limit))
        if self.stateful:
            keep(self, states)
        if self.return_state == "all":
            states = nest(self, all_states, timeline.ages(context, steps, self.age_limit))
        output = engine.leave(x) if self.return_sequences else (last if x is None else x)
        return (output, *states) if self.return_state else output

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        """Keras's, with a time axis where the states of all steps are returned."""
        shapes = super().compute_output_shape(sequences_shape, initial_state_shape)
        if self.return_state != "all":
            return shapes
        output, *states = shapes
        return output, *shapes_of_all(states, sequences_shape[1])

    def compute_mask(self, sequences: Any, mask: Any = None) -> Any:
        """The mask that the outputs carry: [batch, time] with `return_sequences`, else none."""
        return super().compute_mask(sequences, of_sequence(mask))

    @contextmanager
    def observing(self, perturbation: Any = None) -> Iterator[list[dict[str, Moments]]]:
        """Watch what reaches the normalisers while the layer is called inside the context.

        Args:
            perturbation: float[time, batch, units], added to h_t inside the loop (in running
                order); the gradient of a loss with respect to it is dL/dh_t through all later
                steps. For a layer of one cell.

        Call the layer or its model itself, as `model(x)`: `predict` and `fit` run a function that
        was compiled before, which watches nothing, or one compiled inside, which goes on watching.

        Steps are counted from where the run starts: backwards, from each row's last valid token. A
        mask must therefore be right-padded.

        Yields:
            A list that gains one dict per cell and call: site -> `Moments` over the valid rows of
            the tensor that enters the normaliser, mean and variance [time, 1, features], count
            [time, 1, 1]. Watching changes no result and no statistic.

        Raises:
            ValueError: for a `perturbation` of a stack, whose cells have a state each.
        """
        if perturbation is not None and len(self.cells) > 1:
            raise ValueError(
                "`perturbation` is added to the state of one cell. Received: a stack of "
                f"{len(self.cells)} cells. Use one layer for each."
            )
        self.seen, self.perturbation = [], perturbation
        try:
            yield self.seen
        finally:
            self.seen = self.perturbation = None

    def why_not_fused(self, carried: bool = False, training: bool = True) -> str | None:
        """Why `implementation="auto"` would run the loop here and now; None if the kernels serve.

        A reason that lies in the surroundings (XLA, an export) is one only while they last.

        Args:
            carried: whether the call in question starts from given states.
            training: whether it is one of training, in which dropout inside the cell needs the
                loop; inference takes the kernels all the same.
        """
        return fused_obstacle(self._asked(carried or self.stateful, training))

    def _wanted(self) -> str | None:
        """What the engine is to give beside the last output."""
        if self.return_sequences:
            return STEPS
        return None if self.pooling == "last" else self.pooling

    def _asked(self, carried: bool, training: bool) -> Call:
        return Call(
            cells=self.cells,
            training=training,
            carried=carried,
            zero_output_for_mask=self.zero_output_for_mask,
            unroll=self.unroll,
            all_states=self.return_state == "all",
            seen=self.seen,
            perturbation=self.perturbation,
        )

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument, serialised."""
        own = {"pooling": self.pooling, "implementation": self.implementation}
        return {**super().get_config(), **own}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """The layer that `get_config` described."""
        # Keras's takes the cells out of the dicts it is given.
        return super().from_config(deepcopy(config), custom_objects)

    @property
    def age_limit(self) -> int:
        """The age from which on nothing depends on it; 0 where nothing does."""
        norms = [norm for cell in self.cells for norm in cell.normalizers.values()]
        return max((norm.max_steps for norm in norms if norm.time_aware), default=0)


def _cells_of(cell: Any) -> tuple[Any, ...]:
    if isinstance(cell, keras.layers.StackedRNNCells):
        return tuple(cell.cells)
    return tuple(cell) if isinstance(cell, (list, tuple)) else (cell,)
