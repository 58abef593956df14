"""The kernels behind the layers: long runs, several processes; random cases are in test_fuzz."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

pytest.importorskip("numba")
if keras.backend.backend() != "tensorflow":
    pytest.skip("the kernels are bound to TensorFlow", allow_module_level=True)

from seqnorm.kernels.host import tensorflow
from seqnorm.kernels.host.pool import POOL
from seqnorm.layers import NormLSTM
from tests import grid


def resident():
    """MiB that this process holds."""
    (line,) = (
        line for line in Path("/proc/self/status").read_text().splitlines() if "VmRSS" in line
    )
    return int(line.split()[1]) / 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's /proc")
def test_two_thousand_steps_take_no_more_memory(rng):
    model = keras.Sequential([keras.Input((None, 8)), NormLSTM(16, "layer"), keras.layers.Dense(1)])
    model.compile("adam", "mse", jit_compile=False)
    x, y = rng.normal(size=(32, 20, 8)).astype("float32"), np.ones((32, 1), "float32")

    def fit(steps):
        model.fit(x, y, batch_size=8, epochs=steps // 4, verbose=0)
        gc.collect()
        return POOL.held, resident()

    fit(200)
    held, before = fit(400)
    held_after, after = fit(1400)
    assert held_after <= held
    assert after - before < 32
    assert len(tensorflow._RECORDS) <= 2


SCRIPT = """
import hashlib, sys, keras, numpy as np
from seqnorm import NormLSTM
keras.utils.set_random_seed(3)
model = keras.Sequential([keras.Input((12, 4)), NormLSTM(32, sys.argv[1]), keras.layers.Dense(1)])
model.compile("adam", "mse", jit_compile=False)
x = np.random.default_rng(0).normal(size=(64, 12, 4)).astype("float32")
model.fit(x, x[:, :1, 0], batch_size=16, epochs=5, shuffle=False, verbose=0)
digest = hashlib.sha256(b"".join(w.tobytes() for w in model.get_weights())).hexdigest()
print(model.layers[0].why_not_fused(), digest)
"""


@pytest.mark.parametrize("norm", ["layer", "batch"])
def test_two_trainings_at_once_give_what_one_gives(norm):
    start = lambda: subprocess.Popen(  # noqa: E731
        [sys.executable, "-c", SCRIPT, norm], stdout=subprocess.PIPE, text=True
    )
    first, second = start(), start()
    outputs = [process.communicate()[0].splitlines()[-1] for process in (first, second)]
    assert outputs[0] == outputs[1]
    assert outputs[0].startswith("None ")


def test_compiling_and_loading_give_the_same_bytes(tmp_path):
    """The first training on a machine is that of all later ones."""
    outputs = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, "layer"],
            env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        )
        outputs.append(done.stdout.splitlines()[-1])
    assert any(tmp_path.rglob("*.nbc"))
    assert outputs[0] == outputs[1]
    assert outputs[0].startswith("None ")


@pytest.mark.parametrize("implementation", ["loop", "fused"])
def test_running_statistics_that_are_broken_show(implementation, rng):
    norm = {"name": "batch", "small_batch": "renorm"}
    layer = NormLSTM(5, norm, implementation=implementation, dtype="float64")
    x = rng.normal(size=(4, 3, 6))
    assert np.isfinite(grid.numpy(layer(x, training=True))).all()
    (table, *_) = (each for each in layer.weights if each.name == "moving_variance")
    table.assign(np.full(table.shape, np.nan))
    assert np.isnan(grid.numpy(layer(x, training=True))).all()
