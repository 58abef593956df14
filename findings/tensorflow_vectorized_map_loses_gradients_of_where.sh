#!/usr/bin/env bash
# TensorFlow: tf.vectorized_map over gradients of a loop gives empty ones, without an error, where a
# custom gradient makes zeros by tf.where.
#
# One would guess: tf.where(False, slope, 0.) and slope * 0. are two ways to write zeros, so gradients
# row by row, by tf.vectorized_map or one after the other, are the same with either.
# What happens: with slope * 0. they are. With tf.where inside the gradient of a tf.while_loop
# tf.vectorized_map returns a tensor of shape (0,) in place of (rows, 4, 4), and raises nothing.
# Why it matters: per-example gradients, as for differential privacy, are empty; a sum over them is zero.
# Versions: tensorflow-cpu 2.21.0.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet tensorflow-cpu==2.21.0
cat > "$work/rows.py" <<'PY'
import numpy as np
import tensorflow as tf

rows = tf.constant(np.random.default_rng(0).random((3, 4)).astype("float32"))


def by_where(slope):
    return tf.where(False, slope, 0.0)


def by_product(slope):
    return slope * 0.0


def gradient(row, zeros):
    weight = tf.eye(4)

    @tf.custom_gradient
    def second(first, value):
        def slopes(slope):
            return zeros(slope), slope

        return tf.identity(value), slopes

    def step(i, h):
        return i + 1, second(h, tf.tanh(h[None] @ weight + row)[0])

    with tf.GradientTape() as tape:
        tape.watch(weight)
        _, h = tf.while_loop(lambda i, h: i < 3, step, (0, tf.zeros(4)))
        loss = tf.reduce_sum(h**2)
    return tape.gradient(loss, weight)


def shapes(zeros):
    together = tf.vectorized_map(lambda row: gradient(row, zeros), rows)
    apart = tf.stack([gradient(row, zeros) for row in rows])
    return tuple(together.shape), tuple(apart.shape)


print("tensorflow", tf.__version__)
found = {zeros.__name__: shapes(zeros) for zeros in (by_where, by_product)}
for name, (together, apart) in found.items():
    print(f"zeros {name}: by tf.vectorized_map {together}, row by row {apart}")
whole = (3, 4, 4)
raise SystemExit(0 if found == {"by_where": ((0,), whole), "by_product": (whole, whole)} else 1)
PY
TF_CPP_MIN_LOG_LEVEL=3 "$work/venv/bin/python" "$work/rows.py" 2> "$work/log" || { cat "$work/log"; exit 1; }
