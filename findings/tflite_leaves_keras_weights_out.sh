#!/usr/bin/env bash
# TFLite's converter, called as its message advises, leaves the weights of a Keras 3 model out.
#
# One would guess: TFLiteConverter.from_concrete_functions([function], model) writes the weights of
#   the model into the file. To leave the model out, as from_concrete_functions([function]), is what
#   the converter warns of.
# What happens: with the model, the variables become VAR_HANDLE and READ_VARIABLE without a value.
#   The conversion succeeds. Under the default XNNPACK delegate the interpreter runs and answers with
#   whatever is in memory, often NaN, without a message; only without that delegate READ_VARIABLE
#   fails. Without the model, and by model.export(format="litert"), the weights are constants and the
#   answers right.
# Why it matters: following the advice gives a file that converts, loads and runs, and answers noise.
# Versions: Python 3.11, keras 3.15.1, tensorflow 2.21.0, ai-edge-litert 2.3.0.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  keras==3.15.1 tensorflow==2.21.0 ai-edge-litert==2.3.0
cat > "$work/check.py" <<'PY'
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["KERAS_BACKEND"] = "tensorflow"
import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter, OpResolverType

print("keras", keras.__version__, "tensorflow", tf.__version__)
keras.utils.set_random_seed(0)
model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), keras.layers.Dense(2)])
x = np.ones((1, 3), "float32")
expected = model.predict(x, verbose=0)
function = tf.function(lambda x: {"y": model(x)}, [tf.TensorSpec([1, 3], tf.float32, "x")])
concrete = function.get_concrete_function()
found = {}


def run(content, **options):
    interpreter = Interpreter(model_content=content, **options)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
    try:
        interpreter.invoke()
    except RuntimeError as error:
        return str(error)[-60:]
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def operators(content):
    names = {each["op_name"] for each in Interpreter(model_content=content)._get_ops_details()}
    return sorted(names)


print("expected", expected)
plain = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
for name, given in {"with the model": (model,), "without": ()}.items():
    content = tf.lite.TFLiteConverter.from_concrete_functions([concrete], *given).convert()
    answer = run(content)
    right = not isinstance(answer, str) and np.allclose(answer, expected, atol=1e-5)
    found[name] = ("READ_VARIABLE" in operators(content), right, isinstance(answer, str))
    print(f"{name}: {operators(content)}\n  answers {answer}, right: {right}")
    print(f"  without XNNPACK: {run(content, experimental_op_resolver_type=plain)}")
# (reads variables, is right, raises)
as_described = {"with the model": (True, False, False), "without": (False, True, False)}
raise SystemExit(0 if found == as_described else f"behaviour changed: {found}")
PY
"$work/venv/bin/python" "$work/check.py" 2>/dev/null && exit 0
echo "the behaviour differs from the description above, or the script failed" >&2
exit 1
