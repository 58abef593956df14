#!/usr/bin/env bash
# Keras: SimpleRNN does not keep its seed; LSTM and GRU do.
#
# One would guess: all three take seed=, so all three have it in their configuration, and a copy made of
# it, as Bidirectional and keras.models.load_model make one, drops out what the original did.
# What happens: the configuration of SimpleRNN and of its cell holds no seed. A copy of an LSTM or GRU
# layer gives the numbers of the original in training, a copy of a SimpleRNN others.
# Why it matters: a training with dropout that goes on from a saved model, or has a backward layer, cannot
# be repeated with SimpleRNN, although a seed was given. And Bidirectional(LSTM(seed=1)) draws the same
# masks in both directions, Bidirectional(SimpleRNN(seed=1)) does not.
# Versions: keras 3.15.1 on jax 0.10.2.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet keras==3.15.1 jax==0.10.2
cat > "$work/seed.py" <<'PY'
import keras
import numpy as np

print("keras", keras.__version__)
x, right = np.ones((2, 3, 4), "float32"), True
for name, keeps in (("SimpleRNN", False), ("LSTM", True), ("GRU", True)):
    layer = getattr(keras.layers, name)(8, dropout=0.5, seed=1)
    copy = type(layer).from_config(layer.get_config())
    for each in (layer, copy):
        each.build(x.shape)
    copy.set_weights(layer.get_weights())
    apart = float(np.max(np.abs(layer(x, training=True) - copy(x, training=True))))
    told = "seed" in layer.get_config()
    print(f"{name}: seed in its configuration {told}, a copy's outputs differ by {apart:.3f}")
    right &= told is keeps and (apart == 0) is keeps
raise SystemExit(0 if right else 1)
PY
KERAS_BACKEND=jax "$work/venv/bin/python" "$work/seed.py" 2> "$work/log" || { cat "$work/log"; exit 1; }
