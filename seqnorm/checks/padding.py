"""Outputs and last states do not depend, to the last bit, on padding or on the other rows.

Of none, layer norm, RMS norm, and batch norm at inference: a row's statistics are its own, or those
of the table. (Batch norm in training is another matter; that is its point.) Padding holds large
numbers here rather than zeros. Rows are float32. Padding on the left is no matter for a norm that
does not count steps, so batch norm, whose statistics are per step, has no such row.

What is the same to the last bit: more padding, padding on the left, and other rows in place of the
row's mates. With another *number* of rows the fused kernels still give the same bits. The portable
loop agrees to rounding only, since the order in which a backend sums the features may follow the
tensor's shape.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqnorm.checks.layers import numpy, random_layer
from seqnorm.checks.row import Row, at_most, near

CELLS = ("simple_rnn", "lstm", "gru")
NORMS = ("none", "layer", "rms", "batch")
LENGTHS, STEPS, FEATURES, UNITS = (5, 4, 6, 1, 3, 6, 2, 5), 6, 5, 16
MASK = np.arange(STEPS) < np.array(LENGTHS)[:, None]
FEW = 3
SOURCE = "a row's statistics are its own or the table's"


class Distances(NamedTuple):
    """Largest differences at valid tokens and in the last states."""

    padding: float
    left: float | None
    mates: float
    fewer: float
    fused: bool


def _moved(x: NDArray[Any], steps: NDArray[np.int64]) -> NDArray[Any]:
    """Every row of [rows, time, ...] rolled along time by its own number of steps."""
    return np.stack([np.roll(row, by, axis=0) for row, by in zip(x, steps, strict=True)])


def distances(cell: str, norm: str, implementation: str) -> Distances:
    """What more padding, other mates and fewer rows change at inference."""
    rng = np.random.default_rng(4)
    layer = random_layer(
        cell,
        FEATURES,
        rng,
        "float32",
        units=UNITS,
        norm=norm,
        implementation=implementation,
        return_state=True,
    )
    x = rng.normal(size=(*MASK.shape, FEATURES)).astype("float32")
    mates = np.where(np.arange(len(x))[:, None, None] == 0, x, 3 * x[::-1])

    def outputs(x: NDArray, mask: NDArray) -> NDArray[np.float64]:
        """Of the first steps and, as further steps, the last states: [rows, steps, units]."""
        sequence, *states = (numpy(found) for found in layer(x, mask=mask))
        wide = [np.broadcast_to(state, (len(x), UNITS)) for state in states]  # the age is narrow
        return np.concatenate([sequence[:, :STEPS], np.stack(wide, axis=1)], axis=1)

    before = outputs(x, MASK)
    kept = np.pad(MASK, ((0, 0), (0, before.shape[1] - STEPS)), constant_values=True)
    worst: list[float] = []
    for more in (1, 50):
        longer = np.pad(x, ((0, 0), (0, more), (0, 0)), constant_values=1e3)
        after = outputs(longer, np.pad(MASK, ((0, 0), (0, more))))
        worst.append(np.abs(after - before)[kept].max())
    left: float | None = None
    if norm != "batch":
        aside = STEPS - np.array(LENGTHS)
        padded = np.where(MASK[..., None], x, np.float32(1e3))
        after = outputs(_moved(padded, aside), _moved(MASK, aside))
        after[:, :STEPS] = _moved(after[:, :STEPS], -aside)
        left = float(np.abs(after - before)[kept].max())
    return Distances(
        float(np.max(worst)),
        left,
        float(np.abs(outputs(mates, MASK) - before)[0, kept[0]].max()),
        float(np.abs(outputs(x[:FEW], MASK[:FEW]) - before[:FEW])[kept[:FEW]].max()),
        implementation != "loop" and layer.why_not_fused() is None,
    )


def check() -> list[Row]:
    """Three or four rows per norm and way to run it, each the worst of the three cells."""
    rows = []
    for norm in NORMS:
        for implementation in ("loop", "auto"):
            found = [distances(cell, norm, implementation) for cell in CELLS]
            fused = all(each.fused for each in found)
            if implementation == "auto" and not fused:
                continue  # the loop once more: there are no kernels here
            label = f"{norm} {'fused' if fused else 'loop'}: "
            rows.append(near(f"{label}more padding", 0, np.max([d.padding for d in found]), SOURCE))
            left = [d.left for d in found if d.left is not None]
            if left:
                rows.append(near(f"{label}padding on the left", 0, np.max(left), SOURCE))
            rows.append(near(f"{label}other rows", 0, np.max([d.mates for d in found]), SOURCE))
            fewer = np.max([d.fewer for d in found])
            if fused:
                rows.append(near(f"{label}fewer rows", 0, fewer, SOURCE))
            else:
                rows.append(at_most(f"{label}fewer rows", 1e-5, fewer, "rounding of float32"))
    return rows
