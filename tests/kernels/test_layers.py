"""The kernels behind the layers: long runs, several processes; random cases are in test_fuzz."""

from __future__ import annotations

import gc
from pathlib import Path

import keras
import numpy as np
import pytest

pytest.importorskip("numba")

from seqnorm.kernels.host import operation
from seqnorm.kernels.host.pool import POOL
from seqnorm.layers import NormLSTM
from tests import grid
from tests.processes import Process
from tests.tiers import exhaustive

# XLA has the loop on TensorFlow; on JAX nothing else is fast.
JIT = False if keras.backend.backend() == "tensorflow" else "auto"


def resident():
    """MiB that this process holds."""
    (line,) = (
        line for line in Path("/proc/self/status").read_text().splitlines() if "VmRSS" in line
    )
    return int(line.split()[1]) / 1024


@exhaustive
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's /proc")
def test_two_thousand_steps_take_no_more_memory(rng):
    model = keras.Sequential([keras.Input((None, 8)), NormLSTM(16, "layer"), keras.layers.Dense(1)])
    model.compile("adam", "mse", jit_compile=JIT)
    x, y = rng.normal(size=(1600, 20, 8)).astype("float32"), np.ones((1600, 1), "float32")

    def fit(steps):
        model.fit(x, y, batch_size=8, epochs=steps // 200, verbose=0)
        gc.collect()
        return POOL.held, resident()

    fit(200)
    held, before = fit(400)
    held_after, after = fit(1400)
    assert held_after <= held
    assert after - before < 32
    assert len(operation._RECORDS) <= 2


SCRIPT = f"""
import hashlib, keras, numpy as np
from seqnorm import NormLSTM
for norm in ("layer", "batch"):
    keras.utils.set_random_seed(3)
    model = keras.Sequential([keras.Input((12, 4)), NormLSTM(32, norm), keras.layers.Dense(1)])
    model.compile("adam", "mse", jit_compile={JIT!r})
    x = np.random.default_rng(0).normal(size=(64, 12, 4)).astype("float32")
    model.fit(x, x[:, :1, 0], batch_size=16, epochs=5, shuffle=False, verbose=0)
    digest = hashlib.sha256(b"".join(w.tobytes() for w in model.get_weights())).hexdigest()
    print(model.layers[0].why_not_fused(), digest)
"""


@exhaustive
def test_two_trainings_at_once_give_what_one_gives():
    """By layer norm, then by batch norm."""
    both = [Process(SCRIPT) for _ in range(2)]
    outputs = [process.end().stdout.splitlines() for process in both]
    assert outputs[0] == outputs[1]
    assert len(outputs[0]) == 2 and all(line.startswith("None ") for line in outputs[0])


@pytest.mark.parametrize("implementation", ["loop", "fused"])
def test_running_statistics_that_are_broken_show(implementation, rng):
    norm = {"name": "batch", "small_batch": "renorm"}
    layer = NormLSTM(5, norm, implementation=implementation, dtype="float64")
    x = rng.normal(size=(4, 3, 6))
    assert np.isfinite(grid.numpy(layer(x, training=True))).all()
    (table, *_) = (each for each in layer.weights if each.name == "moving_variance")
    table.assign(np.full(table.shape, np.nan))
    assert np.isnan(grid.numpy(layer(x, training=True))).all()
