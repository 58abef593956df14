#!/usr/bin/env bash
# Keras on JAX: a layer of dtype float64 says float64 and has weights, inputs and outputs of float32.
#
# One would guess: keras.layers.LSTM(dtype="float64") computes in float64, as on TensorFlow and torch,
# or is refused.
# What happens: unless jax_enable_x64 is on (it is not by default), JAX makes float32 of everything.
# layer.compute_dtype and layer.variable_dtype still say "float64", the variables' own .dtype too,
# while variable.value, what the layer gets and what it puts out are float32. JAX warns of the
# truncation where an array is made, not where the layer is.
# Why it matters: code that takes its arithmetic from layer.compute_dtype (a custom operation, a
# kernel chosen by dtype, a tolerance in a test) takes that of float64 for arrays of float32.
# Versions: keras 3.15.1, jax 0.10.2.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet keras==3.15.1 "jax[cpu]==0.10.2"
cat > "$work/try.py" <<'PY'
import warnings

warnings.simplefilter("ignore")
import jax, keras, numpy as np

print("keras", keras.__version__, "jax", jax.__version__)
layer = keras.layers.LSTM(4, dtype="float64")
y = layer(np.ones((2, 3, 5)))
kernel = layer.trainable_variables[0]
found = {
    "compute_dtype": layer.compute_dtype,
    "variable.dtype": str(kernel.dtype),
    "variable.value": str(kernel.value.dtype),
    "output": str(y.dtype),
}
print(found)
says, has = {found["compute_dtype"], found["variable.dtype"]}, {found["variable.value"], found["output"]}
raise SystemExit(0 if says == {"float64"} and has == {"float32"} else 1)
PY
KERAS_BACKEND=jax "$work/venv/bin/python" "$work/try.py"
