#!/usr/bin/env bash
# Under a strategy of tf.distribute Keras 3's fit adds up what its replicas read first.
#
# One would guess: fit takes whatever a model takes, with one device or several: inputs of dtype bool
#   as well, and a strategy over several processes as well as one over several devices.
# What happens: before the first step fit works out shapes from one batch, which under a strategy is
#   the SUM of the replicas' first batches. TensorFlow has no sum of bools, so a model with a mask as an
#   input of dtype bool raises InvalidArgumentError (AddN), where it trains on one device. Under
#   MultiWorkerMirroredStrategy with two processes the batch stays a value of each replica, and fit
#   raises ValueError (PerReplica to a Tensor), for inputs of floats too; with one process it trains.
#   Layers and optimiser work on two in a step of one's own with strategy.run.
# Why it matters: masks are bool; and what the documentation of TensorFlow says of fit on several
#   machines is of Keras 2.
# Versions: Python 3.11, keras 3.15.1, tensorflow 2.21.0.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check keras==3.15.1 tensorflow==2.21.0
cat > "$work/check.py" <<'PY'
import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["KERAS_BACKEND"] = "tensorflow"
kind = sys.argv[1]
if kind == "workers":
    task = {"type": "worker", "index": int(sys.argv[2])}
    workers = [f"127.0.0.1:{port}" for port in sys.argv[3:]]
    os.environ["TF_CONFIG"] = json.dumps({"cluster": {"worker": workers}, "task": task})
import numpy as np
import tensorflow as tf

if kind == "devices":
    cpu = tf.config.list_physical_devices("CPU")[0]
    two = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(cpu, two)
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
elif kind == "workers":
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
else:
    strategy = tf.distribute.get_strategy()
import keras


def fit(dtype):
    with strategy.scope():
        inputs = keras.Input((3,), dtype=dtype)
        model = keras.Model(inputs, keras.layers.Dense(1)(keras.ops.cast(inputs, "float32")))
        model.compile("sgd", "mse")
    try:
        model.fit(np.ones((4, 3), dtype), np.ones((4, 1)), batch_size=4, verbose=0)
    except Exception as error:
        return type(error).__name__
    return "trains"


print(json.dumps([kind, fit("float32"), fit("bool")]))
PY
found=""
for kind in one devices; do
  found+=$("$work/venv/bin/python" "$work/check.py" "$kind" 2>/dev/null | tail -n 1)$'\n'
done
ports=$(python3 -c 'import socket
two = [socket.socket() for _ in range(2)]
for each in two: each.bind(("127.0.0.1", 0))
print(*(each.getsockname()[1] for each in two))')
# shellcheck disable=SC2086
timeout 300 "$work/venv/bin/python" "$work/check.py" workers 1 $ports >/dev/null 2>&1 &
# shellcheck disable=SC2086
found+=$(timeout 300 "$work/venv/bin/python" "$work/check.py" workers 0 $ports 2>/dev/null | tail -n 1)
wait || true
echo "keras 3.15.1, tensorflow 2.21.0: strategy, fit of float32, fit of bool"
echo "$found"
expected='["one", "trains", "trains"]
["devices", "trains", "InvalidArgumentError"]
["workers", "ValueError", "ValueError"]'
[ "$(echo "$found" | sed '/^$/d')" = "$expected" ] && exit 0
echo "the behaviour differs from the description above, or the script failed" >&2
exit 1
