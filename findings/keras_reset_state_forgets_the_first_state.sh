#!/usr/bin/env bash
# Keras: after reset_state() a stateful RNN starts from zeros, not from its cell's get_initial_state().
#
# One would guess: a cell says by get_initial_state(batch_size) where a sequence starts. A stateful
# keras.layers.RNN asks it when it is built, so reset_state() takes the layer back to that state.
# What happens: reset_state() assigns zeros, whatever the cell says. The same layer gives one answer
# before the first reset and another one after it. Over a list of cells reset_state() raises an
# AttributeError, because the states are then lists of variables.
# Why it matters: a cell with a learned first state, run as a stream, starts right once and never
# again; a loop that resets between sequences, as the documentation says, evaluates another model.
# Versions: keras 3.15.1, jax 0.10.2 (the backend plays no part).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet keras==3.15.1 "jax[cpu]==0.10.2"
cat > "$work/try.py" <<'PY'
import jax, keras, numpy as np
from keras import ops

print("keras", keras.__version__, "jax", jax.__version__)


class FromOnes(keras.layers.SimpleRNNCell):
    def get_initial_state(self, batch_size=None):
        return [ops.ones((batch_size, self.units))]


x = np.zeros((1, 1, 2), "float32")  # no input, so the output is tanh(first state U)
layer = keras.layers.RNN(FromOnes(2), stateful=True)
before = np.array(layer(x))
layer.reset_state()
after = np.array(layer(x))
print("before reset_state:", before.round(3).tolist(), " after:", after.round(3).tolist())

stack = keras.layers.RNN([keras.layers.SimpleRNNCell(2), keras.layers.SimpleRNNCell(2)], stateful=True)
stack(x)
try:
    stack.reset_state()
    raised = None
except AttributeError as error:
    raised = str(error)
print("reset_state of a stack:", raised)

as_described = np.any(before != 0) and np.all(after == 0) and raised is not None
raise SystemExit(0 if as_described else 1)
PY
KERAS_BACKEND=jax "$work/venv/bin/python" "$work/try.py"
