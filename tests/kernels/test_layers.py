"""The kernels behind the layers: random cases against the loop, long runs, several processes."""

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
from seqnorm.layers import NormLSTM, recurrent_layer
from tests import grid
from tests.gradients import gradients_and_more, weighted_sum

CASES, PARTS = 1000, 20


def norm_of(rng, units):
    name = str(rng.choice(["none", "layer", "rms", "batch", "group"]))
    if name == "none":
        return name
    options = {
        "name": name,
        "scale": bool(rng.integers(2)),
        "epsilon": float(rng.choice([1e-5, 0.1])),
    }
    if name == "group":  # of the state too
        options |= {"groups": rng.choice([None, *(n for n in (1, 2, 3, 4) if units % n == 0)])}
    if name == "batch":
        policy = str(rng.choice(["naive", "running", "shrink", "renorm"]))
        options |= {"small_batch": policy, "few": int(rng.integers(6))}
        options |= {"statistics": str(rng.choice(["per_step", "shared"]))}
        options |= {"max_steps": int(rng.integers(1, 8)), "center": bool(rng.integers(2))}
    return options


def mask_of(rng, norm, batch, steps):
    kind = rng.integers(3)
    if kind == 0:
        return None
    if kind == 1 or (norm != "none" and norm["name"] == "batch"):
        return grid.right_padded(rng.integers(0, steps + 1, batch), steps)
    return rng.random((batch, steps)) < 0.6


def case_of(rng):
    """The arguments of a layer, and of a call."""
    cell = str(rng.choice(list(grid.CELLS)))
    batch, steps, features, units = (int(n) for n in rng.integers(1, (7, 6, 20, 40)))
    norm, flag = norm_of(rng, units), lambda: bool(rng.integers(2))
    sites = ["input", "recurrent"] + (["state"] if cell == "lstm" else [])
    options = {
        "units": units,
        "norm": norm,
        "use_bias": flag(),
        "sites": [site for site in sites if rng.random() < 0.8] or sites,
        "return_sequences": flag(),
        "go_backwards": flag(),
        "zero_output_for_mask": flag(),
    }
    if cell == "lstm":
        options |= {"cell_norm": str(rng.choice(["output", "carry"])), "forget_bias": 0.5}
    if cell == "gru":
        options |= {"gate_norm": str(rng.choice(["split", "fused"]))}
    x = rng.normal(size=(batch, steps, features))
    return cell, options, x, mask_of(rng, norm, batch, steps), flag()


def results(layer, x, mask, training):
    """Outputs, states, gradients and, of batch norm, what became of the statistics."""
    age = -1 if layer.time_aware else None

    def loss(x):
        found = layer(x, mask=mask, training=training)
        return weighted_sum(found[:age]), list(found)

    slopes, found = gradients_and_more(loss, layer, x)
    tables = [w for w in layer.non_trainable_variables if "seed" not in w.path]
    return [*found, *slopes, *map(grid.numpy, tables)]


@pytest.mark.parametrize("part", range(PARTS))
def test_random_cases_against_the_loop(part):
    rng = np.random.default_rng([2026, part])
    for _ in range(CASES // PARTS):
        cell, options, x, mask, training = case_of(rng)
        layer = recurrent_layer(cell, **options, return_state=True, dtype="float64")
        layer.build(x.shape)
        grid.randomize(layer, rng)
        start, by_way = layer.get_weights(), []
        for way in ("loop", "fused"):
            layer.implementation = way
            layer.set_weights(start)
            by_way.append(results(layer, x, mask, training))
        expected, found = by_way
        for index, (a, b) in enumerate(zip(expected, found, strict=True)):
            scale = 1 + np.max(np.abs(grid.numpy(a)), initial=0)
            message = f"result {index} of {cell} {options} mask={mask} training={training}"
            np.testing.assert_allclose(
                grid.numpy(b) / scale, grid.numpy(a) / scale, rtol=0, atol=1e-8, err_msg=message
            )


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
