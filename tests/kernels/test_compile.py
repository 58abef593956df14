"""Kernels are compiled while a model is traced, and Ctrl-C ends that at once."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

pytest.importorskip("numba")
keras = pytest.importorskip("keras")
if keras.backend.backend() != "tensorflow":
    pytest.skip("the kernels are bound to TensorFlow", allow_module_level=True)

import tensorflow as tf  # noqa: E402  (after the skips)

from seqnorm import NormLSTM  # noqa: E402
from seqnorm.kernels.host import ahead  # noqa: E402
from seqnorm.kernels.host import compile as compiling  # noqa: E402
from tests.tiers import exhaustive  # noqa: E402

FIT = """
import hashlib, sys
import keras, numpy as np
from seqnorm import NormLSTM
keras.utils.set_random_seed(3)
model = keras.Sequential([keras.Input((12, 4)), NormLSTM(32, "layer"), keras.layers.Dense(1)])
model.compile("adam", "mse", jit_compile=False)
x = np.random.default_rng(0).normal(size=(64, 12, 4)).astype("float32")
print("fit", file=sys.stderr, flush=True)
model.fit(x, x[:, :1, 0], batch_size=16, epochs=5, shuffle=False, verbose=0)
digest = hashlib.sha256(b"".join(w.tobytes() for w in model.get_weights())).hexdigest()
print(model.layers[0].why_not_fused(), digest)
"""


@pytest.mark.parametrize("norm", ["none", "layer", "batch"])
def test_a_graph_that_is_traced_compiles_nothing_when_it_runs(norm, monkeypatch):
    monkeypatch.setattr(compiling, "_READY", set())
    ahead.make_ready.cache_clear()
    layer = NormLSTM(4, norm)
    layer.build((2, 5, 3))

    @tf.function
    def step(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(layer(x, training=True))
        return tape.gradient(loss, [x, *(v.value for v in layer.trainable_variables)])

    x = tf.ones((2, 5, 3))
    step.get_concrete_function(x)
    known = [(function, [*function.overloads]) for function, *_ in compiling._READY]
    # pack, forward, backward, and merge of running statistics
    assert len({function for function, _ in known}) == 3 + (norm == "batch")
    assert np.isfinite(step(x)[0]).all()
    assert known == [(function, [*function.overloads]) for function, *_ in compiling._READY]


@pytest.mark.parametrize(
    ("norm", "training", "started"),
    [
        ("layer", False, [("forward", False)]),
        ("layer", True, [("forward", False), ("backward", False)]),
        ("batch", False, [("forward", False)]),  # which normalises by given moments
        ("batch", True, [("forward", True), ("backward", True)]),
    ],
)
def test_what_is_compiled_is_what_will_be_run(norm, training, started, monkeypatch):
    found = []

    class Process:
        def __init__(self, code):
            found.append((code.part, code.coupled))

        def wait(self):
            pass

    monkeypatch.setattr(compiling, "_ELSEWHERE", {})
    monkeypatch.setattr(compiling, "_LEARNING", set())
    monkeypatch.setattr(compiling, "_start", Process)
    monkeypatch.setattr(compiling, "_load", lambda *_: False)
    monkeypatch.setattr(compiling, "_READY", set())
    layer, x = NormLSTM(4, norm), tf.ones((2, 5, 3))
    layer.build(x.shape)
    with tf.GradientTape() if training else contextlib.nullcontext():
        layer(x, training=training)
    assert found == started


@exhaustive
def test_ctrl_c_ends_a_first_fit_and_the_next_compiles_what_later_ones_load_for_the_same_bytes(
    tmp_path,
):
    """The training that compiles is that of all later ones on the machine."""
    folder = tmp_path / "with a space"
    environment = os.environ | {"NUMBA_CACHE_DIR": str(folder)}
    command = [sys.executable, "-c", FIT]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    said = []
    with process:
        while process.poll() is None and not (said and said[-1].startswith("seqnorm: ")):
            said.append(process.stderr.readline())
        time.sleep(3)  # into the compilation
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    # It has not waited for the compilation, which ends with this kernel.
    assert not any(folder.rglob("backward*.nbc"))
    assert said[-2] == "fit\n"
    assert said[-1].startswith("seqnorm: compiling the kernels") and str(folder) in said[-1]
    assert process.returncode == -signal.SIGINT and rest.endswith("KeyboardInterrupt\n")
    options = {"env": environment, "capture_output": True, "text": True, "timeout": 500}
    again, later = (subprocess.run(command, **options) for _ in range(2))
    assert again.returncode == 0 and again.stderr.count("seqnorm: compiling the kernels") == 1
    assert later.returncode == 0 and "seqnorm: compiling the kernels" not in later.stderr
    assert any(folder.rglob("backward*.nbc"))
    assert again.stdout == later.stdout and again.stdout.startswith("None ")


def test_where_nothing_keeps_the_code_no_later_run_is_promised_it(capsys):
    compiling._announce.__wrapped__("the kernels", None)
    said = capsys.readouterr().err
    assert said.startswith("seqnorm: compiling the kernels") and "None" not in said
    assert "later runs" not in said
