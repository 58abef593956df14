#!/usr/bin/env bash
# Keras: under dtype="bfloat16" no recurrent layer can be built; a Dense layer, and "mixed_bfloat16", can.
#
# One would guess: a dtype that a policy may name serves every layer that Keras ships, so that a network
# is moved to bfloat16, as for inference, by its policy alone.
# What happens: SimpleRNN, LSTM and GRU raise while they are built, with the text of the backend's QR
# decomposition ("Unsupported dtype bfloat16" on JAX, a list of allowed values on TensorFlow): their
# default recurrent_initializer, "orthogonal", decomposes a matrix in the dtype of the weights. On JAX
# float16 raises as well; on TensorFlow it does not. Any other initialiser, as "glorot_uniform", is built.
# Why it matters: the message names neither the layer, nor the initialiser, nor what to do.
# Versions: keras 3.15.1 on jax 0.10.2 and on tensorflow 2.21.0.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet keras==3.15.1 jax==0.10.2 tensorflow==2.21.0
cat > "$work/half.py" <<'PY'
import keras
import numpy as np

backend = keras.backend.backend()
print("keras", keras.__version__, "on", backend)


def built(name, **kwargs):
    try:
        getattr(keras.layers, name)(4, **kwargs)(np.ones((2, 3, 5), "float32"))
    except Exception as error:
        return " ".join(str(error).split())[:90]
    return "built"


right = True
for dtype in ("bfloat16", "float16", "mixed_bfloat16"):
    fails = dtype == "bfloat16" or (dtype == "float16" and backend == "jax")
    for name in ("SimpleRNN", "LSTM", "GRU", "Dense"):
        found = built(name, dtype=dtype)
        print(f"{dtype} {name}: {found}")
        right &= (found == "built") is not (fails and name != "Dense")
    other = built("LSTM", dtype=dtype, recurrent_initializer="glorot_uniform")
    print(f"{dtype} LSTM, recurrent_initializer='glorot_uniform': {other}")
    right &= other == "built"
raise SystemExit(0 if right else 1)
PY
for backend in jax tensorflow; do
  KERAS_BACKEND=$backend "$work/venv/bin/python" "$work/half.py" 2> "$work/log" || { cat "$work/log"; exit 1; }
done
