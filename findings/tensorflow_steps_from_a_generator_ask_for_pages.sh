#!/usr/bin/env bash
# Keras on TensorFlow, on a CPU (Linux, glibc): with batches from a Python generator each training step takes
# nearly twice the processor time, for memory that it gives back and asks for again; and the setting that one
# would try against it brings the same upon batches from arrays.
#
# One would guess: where batches come from changes what they cost, not what the step costs; after a few steps
# the process holds what a step needs; if not, MALLOC_TRIM_THRESHOLD_ (how much free memory glibc keeps) helps.
# What happens: a small LSTM with a table of 20,000 words and Adam asks the system for some 8,000 pages in every
# step of fit on Dataset.from_generator, for none to 500 on Dataset.from_tensor_slices. MALLOC_TRIM_THRESHOLD_ at
# 1 GiB does not help the first, and makes the second ask for thousands: to set any of these options ends
# glibc's learning of the size from which on an array is mapped by itself, which stays 128 KiB, and each of the
# optimiser's arrays of 5 MB is mapped and unmapped. MALLOC_TOP_PAD_ at 64 MiB, the size of a thread's heap,
# stops it for both: the heaps stay, and have room for the arrays. The loss is the same in all cases.
# Why it matters: many feed texts of varying length from a generator. 79 ms of processor time for a step became
# 43 with the padding (44 from arrays) on the machine where this was seen.
# Versions: keras 3.15.1, tensorflow 2.21.0, glibc 2.36.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet keras==3.15.1 tensorflow==2.21.0
cat > "$work/fit.py" <<'PY'
import json
import resource
import sys
import time

import keras
import numpy as np
import tensorflow as tf

STEPS = 30
keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        keras.Input((None,), dtype="int32"),
        keras.layers.Embedding(20_000, 64),
        keras.layers.LSTM(64),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile(keras.optimizers.Adam(global_clipnorm=1.0), "binary_crossentropy")
rng = np.random.default_rng(0)
rows = rng.integers(0, 20_000, (2 * STEPS * 64, 50)).astype("int32")
labels = rng.integers(0, 2, (len(rows), 1)).astype("int32")


def batches():
    for at in range(0, len(rows), 64):
        yield rows[at : at + 64], labels[at : at + 64]


signature = (tf.TensorSpec((None, None), tf.int32), tf.TensorSpec((None, 1), tf.int32))
if sys.argv[1] == "generator":
    data = tf.data.Dataset.from_generator(batches, output_signature=signature)
else:
    data = tf.data.Dataset.from_tensor_slices((rows, labels)).batch(64)


class Meter(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if batch + 1 in (STEPS, 2 * STEPS):
            faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
            read.append(np.array([faults, 1e3 * time.process_time()]))


read = []
losses = model.fit(data.prefetch(2), verbose=0, shuffle=False, callbacks=[Meter()]).history["loss"]
print(json.dumps([*((read[1] - read[0]) / STEPS), losses[-1]]))
PY
cat > "$work/try.py" <<'PY'
import json
import os
import platform
import subprocess
import sys
from importlib.metadata import version

print("keras", version("keras"), "tensorflow", version("tensorflow"), *platform.libc_ver())
settings = {"as it is": {}, "trim": {"MALLOC_TRIM_THRESHOLD_": str(2**30)}}
settings["pad"] = {"MALLOC_TOP_PAD_": str(2**26)}
pages, losses = {}, set()
for source in ("arrays", "generator"):
    for name, values in settings.items():
        command = [sys.executable, sys.argv[1], source]
        text = subprocess.check_output(command, text=True, env=os.environ | values)
        pages[source, name], milliseconds, loss = json.loads(text.splitlines()[-1])
        losses.add(loss)
        print(
            f"{source:10} {name:9} {pages[source, name]:7.0f} pages a step, "
            f"{milliseconds:.0f} ms of processor time"
        )
print("loss", *losses)
few, many = pages["arrays", "as it is"], pages["generator", "as it is"]
worse = min(many, pages["generator", "trim"], pages["arrays", "trim"]) > 4 * (few + 100)
mended = max(pages["arrays", "pad"], pages["generator", "pad"]) < 500
raise SystemExit(0 if worse and mended and len(losses) == 1 else 1)
PY
TF_CPP_MIN_LOG_LEVEL=3 "$work/venv/bin/python" "$work/try.py" "$work/fit.py" 2> "$work/log" || { cat "$work/log"; exit 1; }
