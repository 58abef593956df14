#!/usr/bin/env bash
# Keras on TensorFlow: a model that is built and compiled lacks the variables of its metrics.
#
# One would guess: once a model and its optimiser are built, and certainly in a callback's
# on_epoch_begin, Model.metrics_variables is what it will be, so that a checkpoint in the middle of an
# epoch can be put back there, after Keras has reset the metrics.
# What happens: on_epoch_begin of the first epoch sees the two variables of the loss alone; those of the
# metrics of compile() are made while the first step is traced. A public call that makes them before is
# Model.compute_metrics(x, y, y_pred).
# Why it matters: a list of saved values does not fit, or, put back by zip, leaves the metrics of the
# epoch at zero: the resumed epoch reports the accuracy of its second half.
# Versions: keras 3.15.1, tensorflow-cpu 2.21.0.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet keras==3.15.1 tensorflow-cpu==2.21.0
cat > "$work/try.py" <<'PY'
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy as np
import tensorflow as tf

print("keras", keras.__version__, "tensorflow", tf.__version__)
seen = {}


class Watch(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        seen["begin"] = [each.path for each in self.model.metrics_variables]

    def on_train_batch_end(self, batch, logs=None):
        seen["step"] = [each.path for each in self.model.metrics_variables]


def made():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, "sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    model.optimizer.build(model.trainable_variables)
    return model


x, y = np.zeros((8, 2), "float32"), np.zeros((8, 1), "float32")
model = made()
model.fit(x, y, batch_size=4, verbose=0, callbacks=[Watch()])
print("variables of the metrics when the first epoch begins:", len(seen["begin"]))
print("after its first step:", len(seen["step"]))
other = made()
other.compute_metrics(x, y, other(x))
print("after compute_metrics, before fit:", len(other.metrics_variables))
as_described = (len(seen["begin"]), len(seen["step"])) == (2, 4)
raise SystemExit(0 if as_described and len(other.metrics_variables) == 4 else 1)
PY
"$work/venv/bin/python" "$work/try.py" 2>&1 | grep -v -e '^WARNING: All log' -e '^[IWE]0000'
