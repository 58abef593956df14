#!/usr/bin/env bash
# Keras on TensorFlow: deterministic operations turn jit_compile=True into jit_compile=False.
#
# One would guess: tf.config.experimental.enable_op_determinism() makes operations reproducible, and
# compile(jit_compile=True) still gives a model that XLA compiles, or an error.
# What happens: a UserWarning, which speaks of the model ("doesn't support") and not of the switch, and
# a model without XLA. The switch is the process's and has no public way back, so code that ran before
# decides it: where one test has trained deterministically, another one in the same process compares a
# model without XLA with itself.
# Why it matters: a speed measured with and without reproducibility differs by XLA as well, and a test of
# compiled execution may test nothing.
# Versions: keras 3.15.1, tensorflow-cpu 2.21.0.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet keras==3.15.1 tensorflow-cpu==2.21.0
cat > "$work/try.py" <<'PY'
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import warnings

import keras
import tensorflow as tf

print("keras", keras.__version__, "tensorflow", tf.__version__)


def compiled(asked):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        model.compile("sgd", "mse", jit_compile=asked)
    return bool(model.jit_compile), [str(each.message) for each in said]


before = compiled(True)
tf.config.experimental.enable_op_determinism()
after = compiled(True)
for when, (jit, said) in (("before", before), ("after", after)):
    print(f"{when} enable_op_determinism: asked for XLA, compiled by it: {jit}, said: {said}")
as_described = before == (True, []) and not after[0] and len(after[1]) == 1
as_described = as_described and "determinis" not in after[1][0]
raise SystemExit(0 if as_described else 1)
PY
"$work/venv/bin/python" "$work/try.py" 2>&1 | grep -v -e '^WARNING: All log' -e '^[IWE]0000'
