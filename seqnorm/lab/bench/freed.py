"""What it gains to keep the memory that steps free: `python -m seqnorm.lab.bench.freed` (Linux).

Trains the network of a recipe, such as `data=imdb data.max_length=50`, in processes that keep what
they free (`seqnorm.lab.training.allocator`) and in others that leave it to glibc, in turn, and
prints the time of a step, how many pages it asked for, and ratios of kept to left.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Sequence

import numpy as np

from seqnorm import machine
from seqnorm.lab.training.allocator import keep_freed_memory

WAYS = ("left", "kept")
UNITS = {"wall": "ms by the clock", "cpu": "ms of processor time", "pages": "pages"}


def measure(recipe: Sequence[str], steps: int) -> dict[str, float]:
    """Milliseconds and page faults of a step in this process, after as many that do not count."""
    import keras

    from seqnorm.lab.bench.epoch import ready, recipe_of
    from seqnorm.lab.tasks import make_task
    from seqnorm.lab.tasks.stream import stream

    config, dataset, model = recipe_of(recipe)
    batches = ready(model, config, dataset)
    if len(batches) < 2 * steps:
        raise SystemExit(
            f"--steps must be at most half of the recipe's {len(batches)} batches; received "
            f"--steps={steps}. Ask for fewer, or for smaller batches (data.batch_size)."
        )
    meter: list[np.ndarray] = []

    def read(batch: int, logs: object = None) -> None:
        if batch + 1 in (steps, 2 * steps):
            faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
            meter.append(np.array([1e3 * time.perf_counter(), 1e3 * time.process_time(), faults]))
        if batch + 1 == 2 * steps:
            model.stop_training = True

    watch = keras.callbacks.LambdaCallback(on_train_batch_end=read)
    data = stream(batches, make_task(config.task).targets)
    # As in a run: how TensorFlow's threads take memory depends on where batches come from.
    model.fit(data, steps_per_epoch=2 * steps, callbacks=[watch], shuffle=False, verbose=0)
    return dict(zip(UNITS, ((meter[1] - meter[0]) / steps).tolist(), strict=True))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m seqnorm.lab.bench.freed", description=__doc__)
    parser.add_argument("recipe", nargs="*", metavar="KEY=VALUE", help="such as data=imdb")
    parser.add_argument("--steps", type=int, default=100, help="that are measured in a process")
    parser.add_argument("--rounds", type=int, default=5, help="processes of each kind")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)  # a process of a round
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Starts the processes in turn and prints."""
    options = _parser().parse_args(arguments)
    if options.way:
        if options.way == "kept":
            keep_freed_memory()
        print(json.dumps(measure(options.recipe, options.steps)))
        return
    own = [sys.executable, "-m", "seqnorm.lab.bench.freed", *options.recipe]
    found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    for _ in range(options.rounds):
        for way in WAYS:
            command = [*own, f"--steps={options.steps}", f"--way={way}"]
            try:
                said = subprocess.check_output(command, text=True)
            except subprocess.CalledProcessError as error:  # it has said why
                raise SystemExit(error.returncode) from None
            found[way].append(json.loads(said.splitlines()[-1]))
    print(f"{machine.processor_name()}, {machine.threads()} threads, {options.rounds} rounds")
    for key, unit in UNITS.items():
        left, kept = (np.array([each[key] for each in found[way]]) for way in WAYS)
        paired = np.percentile(kept / np.maximum(left, 1), [50, 0, 100])
        print(f"  {unit:22}{np.median(left):9.1f} left {np.median(kept):9.1f} kept   "
              f"paired {paired[0]:.2f} ({paired[1]:.2f} to {paired[2]:.2f})")  # fmt: skip


if __name__ == "__main__":
    main()
