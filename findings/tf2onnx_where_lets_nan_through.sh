#!/usr/bin/env bash
# A selection in TensorFlow is a sum of products in ONNX.
#
# One would guess: tf.where(c, a, b) becomes the ONNX operator Where, which both know, so that what
#   stands in the branch not taken does not matter.
# What happens: tf2onnx writes c * a + (1 - c) * b, since that runs faster in onnxruntime, unless it
#   sees a NaN or an infinity among the constants. 0 * NaN is NaN: a NaN or an infinity that is
#   computed (a maximum over nothing, NaN in padding, tf.fill) comes out of the branch not taken.
#   With the same values as a constant the result is right.
# Why it matters: masking by tf.where is the standard guard against such values. The model is right
#   in TensorFlow, in a SavedModel and in TFLite, and wrong in ONNX without a warning.
# What helps: tf.math.divide_no_nan(x, tf.cast(c, x.dtype)) for tf.where(c, x, 0): Div and Where.
# Versions: Python 3.11, tensorflow 2.21.0, tf2onnx 1.17.0, onnx 1.23.2, onnxruntime 1.32.0.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  tensorflow==2.21.0 tf2onnx==1.17.0 onnx==1.23.2 onnxruntime==1.32.0
cat > "$work/check.py" <<'PY'
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import onnx
import onnxruntime
import tensorflow as tf
import tf2onnx

if not hasattr(np, "object"):
    np.object, np.bool = object, bool  # names that tf2onnx takes from NumPy 1
print("tensorflow", tf.__version__, "tf2onnx", tf2onnx.__version__, "onnx", onnx.__version__)
print("onnxruntime", onnxruntime.__version__)


def computed(c, x):
    return tf.where(c, tf.fill(tf.shape(x), np.float32("nan")), x)


def given(c, x):
    return tf.where(c, 0.0, x)


def constant(c, x):
    return tf.where(c, np.float32("nan"), x)


def divided(c, x):
    return tf.math.divide_no_nan(x, tf.cast(~c, x.dtype))


c = np.array([False, True])
NAN = np.float32("nan")
x = {"computed": [1, 2], "given": [1, NAN], "constant": [1, 2], "divided": [1, NAN]}
signature = [tf.TensorSpec([None], tf.bool, name="c"), tf.TensorSpec([None], tf.float32, name="x")]
found = {}
for function in (computed, given, constant, divided):
    name = function.__name__
    values = np.array(x[name], np.float32)
    model, _ = tf2onnx.convert.from_function(tf.function(function), signature, opset=15)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    (out,) = session.run(None, {"c": c, "x": values})
    expected = function(tf.constant(c), tf.constant(values)).numpy()
    operators = sorted({node.op_type for node in model.graph.node})
    found[name] = np.array_equal(out, expected, equal_nan=True)
    print(f"{name:9} TensorFlow {expected}  ONNX {out}  same: {found[name]}  by {operators}")
as_described = {"computed": False, "given": False, "constant": True, "divided": True}
raise SystemExit(0 if found == as_described else f"behaviour changed: {found}")
PY
"$work/venv/bin/python" "$work/check.py" 2>/dev/null && exit 0
echo "the behaviour differs from the description above, or the script failed" >&2
exit 1
