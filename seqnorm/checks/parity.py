"""Every named variant against a NumPy transcription of its source.

The layer runs a padded batch; the transcription runs each row alone, without padding and without a
mask. All weights are random, gains and offsets included. In float64 nothing but rounding may
differ, in float32 1e-5 of outputs of order one.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from seqnorm.cells.addons import LayerNormLSTMCell
from seqnorm.cells.variants import VARIANTS
from seqnorm.checks import published
from seqnorm.checks.layers import numpy, random_layer
from seqnorm.checks.row import Row, at_most

TOLERANCE = {"float64": 1e-10, "float32": 1e-5}
SOURCES = {
    "paper": "Ba et al. 2016, supplement; eq. 4 for the SimpleRNN",
    "addons": "TensorFlow Addons, layernorm cells",
    "contrib": "TensorFlow 1 contrib, LayerNormBasicLSTMCell",
    "fastrnns": "PyTorch, benchmarks/fastrnns",
    "haste": "LMNT, haste",
    "hou": "Hou et al. 2019, code",
    "sonnet1": "Sonnet 1, LSTM(use_layer_norm)",
}
LENGTHS, STEPS, FEATURES, UNITS = (5, 3, 1, 4), 6, 3, 4
GATES = ("i", "f", "c", "o")


def weights_of(cell: Any) -> published.Weights:
    """A cell's weights under the site names of the transcriptions."""
    gammas: dict[str, NDArray[np.float64]] = {}
    betas: dict[str, NDArray[np.float64]] = {}
    for site, norm in cell.normalizers.items():
        site = {"carry": "state", "output": "state"}.get(site, site)
        for name, into in (("gamma", gammas), ("beta", betas)):
            values = getattr(norm, name, None)
            if values is None:
                continue
            if getattr(norm, "groups", 1) == len(GATES):  # the source counts a norm per gate
                parts = np.split(numpy(values), len(GATES))
                into.update(
                    {f"{site}_{gate}": part for gate, part in zip(GATES, parts, strict=True)}
                )
            else:
                into[site] = numpy(values)
    bias = None if cell.bias is None else numpy(cell.bias)
    kernels = numpy(cell.kernel), numpy(cell.recurrent_kernel)
    return published.Weights(*kernels, bias, gammas, betas)


def _alone(
    variant: published.Variant, weights: published.Weights, x: NDArray, states: int
) -> NDArray[np.float64]:
    """The source's outputs for one sequence, [time, features] -> [time, units]."""
    carried: Any = tuple(np.zeros((1, UNITS)) for _ in range(states))
    outputs = []
    for x_t in x:
        h, carried = variant(x_t[None], carried, weights)
        outputs.append(h[0])
    return np.array(outputs)


def distance(cell: str, name: str, dtype: str, implementation: str) -> float:
    """Largest difference between a layer's outputs and its source's, over the valid tokens."""
    rng = np.random.default_rng(2)
    layer = random_layer(
        cell, FEATURES, rng, dtype, units=UNITS, variant=name, implementation=implementation
    )
    x = rng.normal(size=(len(LENGTHS), STEPS, FEATURES)).astype(dtype)
    mask = np.arange(STEPS) < np.array(LENGTHS)[:, None]
    outputs = numpy(layer(x, mask=mask))
    variant, weights = published.VARIANTS[cell, name], weights_of(layer.cell)
    states = 2 if cell == "lstm" else 1
    distances = [
        np.abs(outputs[b, :n] - _alone(variant, weights, x[b, :n], states)).max()
        for b, n in enumerate(LENGTHS)
    ]
    return float(np.max(distances))


def addons_own_example() -> float:
    """Distance from what Addons' own test expects of its cell, all weights 0.5."""
    half = keras.initializers.Constant(0.5)
    cell = LayerNormLSTMCell(
        2,
        kernel_initializer=half,
        recurrent_initializer=half,
        bias_initializer=half,
        norm_epsilon=1e-12,
    )
    state = [np.array([[0.2, 0.3]], "float32"), np.array([[0.0, 0.1]], "float32")]
    _, (h, c) = cell(np.ones((1, 2), "float32"), state)
    expected = [[[-0.47406167, 0.47406143]], [[-1.0, 1.0]]]
    return float(np.abs(np.array([numpy(h), numpy(c)]) - expected).max())


def check() -> list[Row]:
    """Addons' example; two rows per variant: the loop in float64, what a user gets in float32."""
    label, source = "lstm addons, its own example", "TensorFlow Addons, layernorm_lstm_cell_test.py"
    rows = [at_most(label, TOLERANCE["float32"], addons_own_example(), source)]
    for cell, names in VARIANTS.items():
        for name in names:
            for dtype, implementation in (("float64", "loop"), ("float32", "auto")):
                measured = distance(cell, name, dtype, implementation)
                label = f"{cell} {name}, {dtype}"
                rows.append(at_most(label, TOLERANCE[dtype], measured, SOURCES[name]))
    return rows
