"""Keras on another backend as it is, where it computes some of float64 in float32."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests import grid

AS_IT_IS = """
import numpy as np
from tests import grid
for cell in grid.CELLS:
    for norm in grid.NORMS:
        for dtype in ("float64", "float32"):
            layer = grid.make(cell, norm, np.random.default_rng(1), dtype=dtype)
            x = grid.inputs(np.random.default_rng(2))
            expected = grid.oracle(layer, x, grid.MASK, training=True)
            outputs, *_ = layer(x, mask=grid.MASK, training=True)
            grid.assert_close(outputs, expected.outputs, "float32")
"""


@pytest.mark.skipif(grid.BACKEND == "tensorflow", reason="the tests change nothing in it")
def test_layers_with_keras_as_it_is():
    done = subprocess.run(
        [sys.executable, "-c", AS_IT_IS], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
