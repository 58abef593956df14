#!/usr/bin/env bash
# TensorFlow: a saved tf.numpy_function runs whatever Python function has its number when it is loaded.
#
# One would guess: a graph with a tf.numpy_function cannot be saved, or, loaded in another process, it
# ends in an error, as the documentation says that the operation must run in the process that made it.
# What happens: it is saved without a word. The graph keeps a counter, "pyfunc_0". A process that has
# made no such operation raises; one that has runs its own first function in place of the saved one.
# Why it matters: wrong numbers instead of an error, as soon as two libraries in one process use
# tf.numpy_function, or one that made its operations in another order before it was saved.
# Versions: tensorflow-cpu 2.21.0.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet tensorflow-cpu==2.21.0
cat > "$work/save.py" <<'PY'
import sys, tensorflow as tf


class Doubles(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([], tf.float64)])
    def __call__(self, x):
        return tf.numpy_function(lambda x: 2 * x, [x], tf.float64)


print("tensorflow", tf.__version__)
tf.saved_model.save(Doubles(), sys.argv[1])
PY
cat > "$work/load.py" <<'PY'
import sys, tensorflow as tf

doubles, three = tf.saved_model.load(sys.argv[1]), tf.constant(3.0, tf.float64)
try:
    alone = float(doubles(three))
except tf.errors.OpError as error:
    alone = type(error).__name__


@tf.function
def subtracts(x):
    return tf.numpy_function(lambda x: x - 100, [x], tf.float64)


subtracts(three)
found = float(doubles(three))
print("2 * 3, loaded alone:", alone, " beside x - 100:", found)
raise SystemExit(0 if isinstance(alone, str) and found == -97 else 1)
PY
export TF_CPP_MIN_LOG_LEVEL=3
"$work/venv/bin/python" "$work/save.py" "$work/saved" 2> "$work/log"
"$work/venv/bin/python" "$work/load.py" "$work/saved" 2> "$work/log"
