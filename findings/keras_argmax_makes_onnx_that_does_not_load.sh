#!/usr/bin/env bash
# The index of the largest answer makes an ONNX file that nothing loads.
#
# One would guess: a Keras model that ends in keras.ops.argmax exports to ONNX, which has ArgMax; or
#   that the export fails.
# What happens: on TensorFlow, Keras's argmax of floats first finds negative zeros by their sign bit,
#   through Bitcast and BitwiseAnd. tf2onnx knows neither, logs
#   an error and writes the file all the same; model.export returns as always. onnxruntime then
#   refuses the file. tf.argmax, and keras.ops.top_k(x, 1), export and answer rightly.
# Why it matters: a model that gives the label itself, the usual wish of who exports one, is found to be
#   broken where it is deployed.
# Versions: Python 3.11, keras 3.15.1, tensorflow 2.21.0, tf2onnx 1.17.0, onnx 1.23.2, onnxruntime 1.32.0.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  keras==3.15.1 tensorflow==2.21.0 tf2onnx==1.17.0 onnx==1.23.2 onnxruntime==1.32.0
cat > "$work/check.py" <<'PY'
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["KERAS_BACKEND"] = "tensorflow"
import keras
import numpy as np
import onnx
import onnxruntime
import tensorflow as tf
import tf2onnx

for package in (keras, tf, tf2onnx, onnx, onnxruntime):
    print(package.__name__, package.__version__)
x = np.array([[0.1, 0.7, 0.2], [0.5, 0.2, 0.3]], "float32")
inputs = keras.Input((3,))
ways = {
    "keras.ops.argmax": keras.ops.argmax(inputs, axis=-1),
    "keras.ops.top_k": keras.ops.top_k(inputs, 1)[1][:, 0],
}
found = {}
for name, label in ways.items():
    model = keras.Model(inputs, label)
    expected = model.predict(x, verbose=0)
    path = os.path.join(sys.argv[1], "model.onnx")
    model.export(path, format="onnx", verbose=False)
    print(f"{name}: export returned, {os.path.getsize(path)} bytes")
    try:
        session = onnxruntime.InferenceSession(path)
    except Exception as error:
        found[name] = "refused"
        print(f"  onnxruntime: {str(error)[-90:]}")
        continue
    (answer,) = session.run(None, {session.get_inputs()[0].name: x})
    found[name] = "right" if np.array_equal(answer, expected) else "wrong"
    print(f"  onnxruntime: {answer}, Keras: {expected}")
as_described = {"keras.ops.argmax": "refused", "keras.ops.top_k": "right"}
raise SystemExit(0 if found == as_described else f"behaviour changed: {found}")
PY
"$work/venv/bin/python" "$work/check.py" "$work" 2>/dev/null && exit 0
echo "the behaviour differs from the description above, or the script failed" >&2
exit 1
