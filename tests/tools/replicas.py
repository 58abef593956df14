"""How far training on two replicas is from one device: ``python -m tests.tools.replicas``.

For every norm the largest difference of a weight or running statistic after three steps: under
`tf.distribute.MirroredStrategy` on two halves of this processor, and under
`MultiWorkerMirroredStrategy` in two processes on 127.0.0.1. Rows end at different steps, so that at
the last ones the second replica has no row.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

NORMS = ("none", "layer", "rms", "group", "dyt", "batch")
BATCH, STEPS, FEATURES, UNITS = 8, 6, 3, 4
KINDS = ("one", "mirrored", "multi_worker")


def norm_of(name: str) -> Any:
    """Batch statistics are those of all replicas; the other norms know no other rows."""
    from seqnorm import normalizers

    if name == "batch":
        return normalizers.BatchNorm(synchronized=True)
    return normalizers.GroupNorm(2) if name == "group" else name


def train(kind: str, out: Path) -> None:
    """Trains a model with each norm, and keeps its weights."""
    import tensorflow as tf

    if kind == "mirrored":
        cpu = tf.config.list_physical_devices("CPU")[0]
        halves = [tf.config.LogicalDeviceConfiguration()] * 2
        tf.config.set_logical_device_configuration(cpu, halves)
    strategy = {
        "one": tf.distribute.get_strategy,
        "mirrored": lambda: tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]),
        "multi_worker": tf.distribute.MultiWorkerMirroredStrategy,
    }[kind]()
    import keras

    from seqnorm import NormLSTM

    rng = np.random.default_rng(0)
    x = rng.normal(size=(BATCH, STEPS, FEATURES)).astype("float32")
    lengths = [6, 3, 5, 4, 2, 3, 1, 2]
    mask = (np.arange(STEPS) < np.array(lengths)[:, None]).astype("float32")
    y = rng.normal(size=(BATCH, UNITS)).astype("float32")
    found = {}
    for name in NORMS:
        keras.utils.set_random_seed(3)
        with strategy.scope():
            inputs = keras.Input((STEPS, FEATURES)), keras.Input((STEPS,))
            outputs = NormLSTM(UNITS, norm_of(name), unroll=name == "batch")(
                inputs[0], mask=inputs[1] > 0
            )
            model: Any = keras.Model(inputs, outputs)
            optimizer = keras.optimizers.SGD(0.3)
            optimizer.build(model.trainable_variables)
        for _ in range(3):
            step(strategy, model, optimizer, (x, mask, y))
        found |= {f"{name}/{at}": np.array(each) for at, each in enumerate(model.weights)}
    np.savez(out, **found)


def step(strategy: Any, model: Any, optimizer: Any, arrays: tuple[np.ndarray, ...]) -> None:
    """One step on a batch of which each replica has its share: `fit` knows one process only."""
    import tensorflow as tf

    def share(context: Any) -> tuple[Any, ...]:
        rows = BATCH // context.num_replicas_in_sync
        first = context.replica_id_in_sync_group * rows
        return tuple(tf.constant(each[first : first + rows]) for each in arrays)

    def one(values: tuple[Any, ...]) -> None:
        x, mask, y = values
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum((model([x, mask], training=True) - y) ** 2) / (BATCH * UNITS)
        slopes = tape.gradient(loss, model.trainable_variables)
        optimizer.apply(slopes, model.trainable_variables)

    values = strategy.experimental_distribute_values_from_function(share)
    tf.function(lambda shares: strategy.run(one, (shares,)))(values)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def _start(kind: str, out: Path, **variables: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.tools.replicas", kind, str(out)]
    return subprocess.Popen(command, env={**os.environ, **variables}, stderr=subprocess.PIPE)


def results(folder: Path) -> dict[str, list[dict[str, np.ndarray]]]:
    """The weights that each process came to, by kind."""
    workers = [f"127.0.0.1:{_free_port()}" for _ in range(2)]
    tasks = [
        json.dumps({"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}})
        for index in range(2)
    ]
    started = [(kind, _start(kind, folder / f"{kind}.npz")) for kind in KINDS[:2]]
    started += [
        ("multi_worker", _start("multi_worker", folder / f"worker{index}.npz", TF_CONFIG=task))
        for index, task in enumerate(tasks)
    ]
    for kind, process in started:
        _, said = process.communicate()
        if process.returncode:
            raise RuntimeError(f"{kind}: {said.decode()[-2000:]}")
    paths = {"one": ["one"], "mirrored": ["mirrored"], "multi_worker": ["worker0", "worker1"]}
    return {
        kind: [dict(np.load(folder / f"{name}.npz")) for name in names]
        for kind, names in paths.items()
    }


def main() -> int:
    """Prints the table; 1 if anything differs by more than 1e-5."""
    if sys.argv[1:]:
        train(sys.argv[1], Path(sys.argv[2]))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        found = results(Path(folder))
    (one,), worst = found["one"], 0.0
    print(f"{'norm':8}{'mirrored':>12}{'multi_worker':>14}")
    for name in NORMS:
        line = []
        for kind in KINDS[1:]:
            keys = [key for key in one if key.startswith(f"{name}/")]
            line.append(
                max(float(abs(each[key] - one[key]).max()) for each in found[kind] for key in keys)
            )
        worst = max(worst, *line)
        print(f"{name:8}{line[0]:12.1e}{line[1]:14.1e}")
    return int(not worst < 1e-5)


if __name__ == "__main__":
    raise SystemExit(main())
