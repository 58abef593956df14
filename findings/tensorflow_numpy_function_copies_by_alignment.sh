#!/usr/bin/env bash
# TensorFlow: whether tf.numpy_function copies a result depends on the address that the array happens to have.
#
# One would guess: inside a graph the result of the Python function is copied into a tensor, always, so that
# a function may fill one buffer and return it again and again.
# What happens: an array that begins at a multiple of 64 bytes becomes the tensor itself, any other is copied.
# A function that writes to its buffer later changes the tensor in the first case, not in the second, and
# NumPy's own memory may be either. The function below sees its input at the very address that the first
# one returned, and as writeable.
# Why it matters: a kernel that lends its buffers saves a copy by aligning them, and must not touch them
# until the tensor is gone; one that reuses a buffer is right or wrong by chance.
# Versions: tensorflow-cpu 2.21.0, numpy 2.4.6.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet tensorflow-cpu==2.21.0 numpy==2.4.6
cat > "$work/aligned.py" <<'PY'
import numpy as np
import tensorflow as tf

print("tensorflow", tf.__version__, "numpy", np.__version__)


def array(offset, size=1000):
    """Ones whose first byte is `offset` bytes after a multiple of 64."""
    memory = np.empty(4 * size + 128, np.uint8)
    start = -memory.ctypes.data % 64 + offset
    found = memory[start : start + 4 * size].view(np.float32)
    found[:] = 1
    return found


def values(offset):
    """Whether the tensor has the array's memory, and what it holds once the array was written to."""
    kept, same = array(offset), []

    def give():
        return kept

    def change(x):
        same.append(x.ctypes.data == kept.ctypes.data)
        kept[:] = 2
        return np.float32(0)

    @tf.function
    def step():
        y = tf.numpy_function(give, [], tf.float32)
        with tf.control_dependencies([tf.numpy_function(change, [y], tf.float32)]):
            return tf.identity(y)

    return float(step()[0]), same[0]


right = True
for offset, expected in ((0, (2.0, True)), (16, (1.0, False))):
    found = values(offset)
    print(f"array {offset} bytes after a multiple of 64: the tensor holds {found[0]}, same memory {found[1]}")
    right &= found == expected
raise SystemExit(0 if right else 1)
PY
TF_CPP_MIN_LOG_LEVEL=3 "$work/venv/bin/python" "$work/aligned.py" 2> "$work/log" || { cat "$work/log"; exit 1; }
