"""What can be done to weights and data without changing the outputs of a normalised LSTM.

Ba et al. (2016, table 1) and Zhang and Sennrich (2019, the page of their code) say it of a single
product x W. Here it is measured on whole LSTMs in float64, both kernels changed alike and c
normalised as well, with ε = 1e-30: the invariances are exact only as ε goes to 0. The changes are

    W re-scaled      W' = 3 W
    W re-centred     W' = W + w 1ᵀ: all units' weight vectors move by the same w
    unit re-scaled   the weight vector of a single unit times 3
    data re-scaled   x' = 3 x
    data re-centred  x' = x + s, the same s for all rows and steps
    row re-scaled    x' = 3 x for a single row

a "yes" of the table leaves every output as it is, to rounding; a "no" moves some by over 0.01.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqnorm.checks.layers import IMPLEMENTATIONS, numpy, random_layer
from seqnorm.checks.row import Row, at_least, at_most

SOURCE = "Ba et al. 2016, table 1; Zhang and Sennrich 2019, code"
BATCH, STEPS, FEATURES, UNITS = 6, 3, 4, 5
NORMS = {
    "layer": {"name": "layer", "epsilon": 1e-30},
    "rms": {"name": "rms", "epsilon": 1e-30},
    "batch": {"name": "batch", "epsilon": 1e-30, "small_batch": "naive"},
    "none": {"name": "none"},
}
# Which norms leave the outputs as they are.
INVARIANT = {
    "W re-scaled": {"layer", "rms", "batch"},
    "W re-centred": {"layer"},
    "unit re-scaled": {"batch"},
    "data re-scaled": {"layer", "rms", "batch"},
    "data re-centred": {"batch"},
    "row re-scaled": {"layer", "rms"},
}
Arrays = list[NDArray[np.float64]]
YES, NO = 1e-10, 1e-2


def _scaled(array: NDArray[np.float64], where: Any = ...) -> NDArray[np.float64]:
    array = array.copy()
    array[where] *= 3
    return array


def _changes(shifts: Arrays) -> dict[str, Callable[[Arrays], Arrays]]:
    """[x, W, U] -> [x', W', U'] for every line of the table."""
    of_data, of_w, of_u = shifts
    return {
        "W re-scaled": lambda a: [a[0], _scaled(a[1]), _scaled(a[2])],
        "W re-centred": lambda a: [a[0], a[1] + of_w[:, None], a[2] + of_u[:, None]],
        "unit re-scaled": lambda a: [a[0], _scaled(a[1], np.s_[:, 2]), _scaled(a[2], np.s_[:, 2])],
        "data re-scaled": lambda a: [_scaled(a[0]), a[1], a[2]],
        "data re-centred": lambda a: [a[0] + of_data, a[1], a[2]],
        "row re-scaled": lambda a: [_scaled(a[0], 1), a[1], a[2]],
    }


def _deviations(norm: str, implementation: str) -> dict[str, float]:
    """Largest change of an output under each change of weights or data."""
    rng = np.random.default_rng(1)
    layer = random_layer(
        "lstm", FEATURES, rng, units=UNITS, norm=NORMS[norm], implementation=implementation
    )
    x = rng.normal(size=(BATCH, STEPS, FEATURES))
    shifts = [rng.normal(size=n) for n in (FEATURES, FEATURES, UNITS)]
    start = [x, numpy(layer.cell.kernel), numpy(layer.cell.recurrent_kernel)]

    def outputs(x: Any, kernel: Any, recurrent_kernel: Any) -> NDArray[np.float64]:
        layer.cell.kernel.assign(kernel)
        layer.cell.recurrent_kernel.assign(recurrent_kernel)
        return numpy(layer(x, training=True))

    before = outputs(*start)
    return {
        name: float(np.abs(outputs(*change(start)) - before).max())
        for name, change in _changes(shifts).items()
    }


def check() -> list[Row]:
    """One row per norm and change; of the loop and the kernels the one further off counts."""
    rows = []
    for norm in NORMS:
        found = [_deviations(norm, implementation) for implementation in IMPLEMENTATIONS]
        for change, invariant in INVARIANT.items():
            measured = [deviations[change] for deviations in found]
            name = f"{norm}: {change}"
            if norm in invariant:
                rows.append(at_most(f"{name}, unchanged", YES, np.max(measured), SOURCE))
            else:
                rows.append(at_least(f"{name}, changed", NO, np.min(measured), SOURCE))
    return rows
