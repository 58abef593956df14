"""Properties of rows and their padding: what may change a row's result, and what may not."""

from __future__ import annotations

import numpy as np

from seqnorm.checks.layers import numpy
from seqnorm.testing.agree import agree, agree_all, largest
from seqnorm.testing.case import EMPTY, STEPS, Case


def padding(case: Case) -> None:
    """Padding is never read: NaN in it, and one more padded step of large numbers.

    No output, state or statistic changes, and no gradient; that by padded inputs is 0.
    """
    ahead = case.masking == "left"
    sides = (1, 0) if ahead else (0, 1)
    x = np.where(case.valid[..., None], case.x, np.nan)
    x = np.pad(x, ((0, 0), sides, (0, 0)), constant_values=1e3)
    mask = np.pad(case.valid, ((0, 0), sides))
    of_inputs = slice(ahead, ahead + STEPS)
    first = not ahead if case.layer.go_backwards else ahead  # the last input's output comes first
    window = slice(first, first + STEPS)
    factor = 1e-3 if case.dtype == "float64" else 1.0
    for training in case.trainings:
        when = f" with one more padded step (training={training})"
        found, expected = case.train(x, mask, window, training), case.found(training)
        outputs, *states = found.outputs
        names, both = case.names(when), [outputs[:, window], *states]
        agree_all(names, both, expected.outputs, case.dtype, factor, rows=x)
        names = [f"statistic {i}{when}" for i in range(len(found.statistics))]
        agree_all(names, found.statistics, expected.statistics, case.dtype, factor)
        *of_weights, of_input = found.gradient
        padded = of_input[~mask]
        agree(f"gradient by padded inputs{when}", padded, np.zeros_like(padded), scale=0)
        names = [f"gradient by {name}{when}" for name in case.weights()]
        both, scale = [*of_weights, of_input[:, of_inputs]], largest(expected.gradient)
        agree_all(names, both, expected.gradient, case.dtype, 4 * factor, scale)


def unpadded(case: Case) -> None:
    """At inference each row gives what it gives alone and without its padding."""
    expected = case.found(False).outputs
    for row, valid in enumerate(case.valid):
        if not valid.any():
            continue
        x, when = case.x[row : row + 1, valid], f" of row {row} without its padding"
        outputs, *states = (y[row : row + 1] for y in expected)
        wanted = [outputs[:, valid], *states]
        agree_all(case.names(when), case.run(False, x), wanted, case.dtype, 2, rows=x)


def empty_row(case: Case) -> None:
    """A row of nothing but padding keeps its states, puts out zeros and gets no gradient."""
    rng = np.random.default_rng(5)
    start = [np.asarray(numpy(state)) for state in case.layer.get_initial_state(len(case.x))]
    start[: case.states] = [rng.normal(size=state.shape) for state in start[: case.states]]
    (outputs, *states), names = case.run(True, initial_state=start), case.names(" of the empty row")
    for name, state, before in zip(names[1:], states, start, strict=True):
        agree(name, state[EMPTY], before[EMPTY], case.dtype, 0.5)
    agree(names[0], outputs[EMPTY], np.zeros_like(outputs[EMPTY]), scale=0)
    for name, y in zip(names, case.trained.outputs, strict=True):
        agree(f"{name} from zero states", y[EMPTY], np.zeros_like(y[EMPTY]), scale=0)
    of_input = case.trained.gradient[-1][EMPTY]
    agree("gradient by the inputs of the empty row", of_input, np.zeros_like(of_input), scale=0)


def permutation(case: Case) -> None:
    """Permuted rows give permuted outputs and states, and the same statistics."""
    order = np.roll(np.arange(len(case.x)), 1)
    mask = None if case.mask is None else case.mask[order]
    x = case.x[order]
    found, after = case.run(True, x, mask), case.statistics()
    expected, moved, _ = case.trained
    wanted = [y[order] for y in expected]
    agree_all(case.names(" of permuted rows"), found, wanted, case.dtype, rows=x)
    names = [f"statistic {i} of permuted rows" for i in range(len(after))]
    agree_all(names, after, moved, case.dtype)


def batch_mates(case: Case) -> None:
    """A row does not depend on the other rows, but in training where a norm declares it.

    Such a norm sets `mixes_rows = True`.
    """
    x = case.x.copy()
    x[1:] *= -2
    for training in (False,) if case.mixes_rows else (True, False):
        when = f" of row 0 beside other rows (training={training})"
        found = case.run(training, x, case.mask)
        expected = case.found(training).outputs
        first, before = ([y[:1] for y in each] for each in (found, expected))
        agree_all(case.names(when), first, before, case.dtype, 0.1, rows=x)
