#!/usr/bin/env bash
# Keras on JAX: in model.predict a stateful layer carries no state, neither to the next batch nor on.
#
# One would guess: stateful=True means that a call begins where the one before ended, in predict as
# in a call of the model; so it is on TensorFlow.
# What happens: on JAX every batch of a predict begins with the states from before the predict, and
# afterwards the layer still has these: two equal batches get equal answers, and so does the same
# predict again. The model called twice carries them on. Nothing warns.
# Why it matters: a stream that is read by one predict a chunk, as on TensorFlow, begins each chunk
# from zeros after a change of the backend, and the answers look plausible.
# Versions: keras 3.15.1, jax 0.10.2.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet keras==3.15.1 "jax[cpu]==0.10.2"
cat > "$work/try.py" <<'PY'
import jax, keras, numpy as np

print("keras", keras.__version__, "jax", jax.__version__)

keras.utils.set_random_seed(0)
x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
layer = keras.layers.LSTM(5, stateful=True)
model = keras.Sequential([keras.Input((3, 4), batch_size=2), layer])


def moved(answer):
    """How far a second answer to the same input is from the first."""
    layer.reset_state()
    first, second = (np.array(answer(x)) for _ in range(2))
    return float(np.abs(first - second).max())


by_predict = moved(lambda x: model.predict(x, verbose=0))
kept = max(float(np.abs(keras.ops.convert_to_numpy(state)).max()) for state in layer.states)
by_call = moved(model)
layer.reset_state()
chunks = np.array(model.predict(np.concatenate([x, x]), batch_size=2, verbose=0))
within = float(np.abs(chunks[:2] - chunks[2:]).max())
print(f"second answer from the first: predict {by_predict:.3f}, call {by_call:.3f}")
print(f"largest state after predict: {kept:.3f}; second batch from the first: {within:.3f}")

as_described = by_predict == 0 and kept == 0 and within == 0 and by_call > 0.01
raise SystemExit(0 if as_described else 1)
PY
KERAS_BACKEND=jax "$work/venv/bin/python" "$work/try.py"
