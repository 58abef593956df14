"""How far a run on several devices is from one on one device: ``python -m tests.tools.devices``.

For every norm the largest difference of a weight or running statistic after an epoch of a small
run: with `train.strategy=mirrored` on two halves of this processor, and with `multi_worker` in two
processes on 127.0.0.1. Arguments are further overrides, as of another data set.
"""

from __future__ import annotations

import json
import socket
import sys
import tempfile
from pathlib import Path

from tests.processes import COMMAND, Process
from tests.tools.kill import weights

NORMS = {
    "none": ["norm=none"],
    "layer": ["norm=layer"],
    "rms": ["norm=rms"],
    "group": ["norm=group"],
    "dyt": ["norm=dyt"],
    "batch": ["norm=batch", "norm.synchronized=true"],
}
# 70 rows to train on: batches of 35, of which the first device has 18 and the second 17. Without
# clipping, which takes the norm of the whole gradient, a mistake in it would be smaller.
BASE = [
    "data=synthetic", "data.examples=100", "data.test_examples=40", "data.max_length=12",
    "data.batch_size=35", "data.validation_fraction=0.3", "cell.units=6", "model.embedding=5",
    "model.depth=2", "train.epochs=3", "train.keep=last", "train.patience=0",
    "train.probe_every=0", "optim.clipnorm=0.2", "optim.learning_rate=0.01",
]  # fmt: skip
MIRRORED = ["train.strategy=mirrored", "train.replicas=2"]


def started(overrides: list[str], runs: Path, **variables: str) -> Process:
    """``seqnorm-train`` under way."""
    runs.mkdir(exist_ok=True)
    arguments = ("seqnorm-train", *overrides, f"runs_dir={runs}")
    return Process(COMMAND.format(name="seqnorm_train"), arguments, runs, **variables)


def started_together(overrides: list[str], runs: Path) -> list[Process]:
    """Likewise in two processes, the chief first."""
    every = [*overrides, "train.strategy=multi_worker"]
    return [started(every, runs, TF_CONFIG=each) for each in cluster(2)]


def cluster(count: int) -> list[str]:
    """TF_CONFIG of each of so many processes on this machine."""
    found = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    workers = [f"127.0.0.1:{each.getsockname()[1]}" for each in found]
    for each in found:
        each.close()
    tasks = [
        {"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}}
        for index in range(count)
    ]
    return [json.dumps(task) for task in tasks]


def run(overrides: list[str], runs: Path) -> Path:
    """The folder of a run that has ended."""
    return finished([started(overrides, runs)], runs)


def run_together(overrides: list[str], runs: Path) -> Path:
    """Likewise, made by two processes."""
    return finished(started_together(overrides, runs), runs)


def finished(processes: list[Process], runs: Path) -> Path:
    """The one run folder with a result, once all processes have ended well."""
    for done in [process.end() for process in processes]:
        if done.returncode:
            raise RuntimeError(f"{done.stdout}\n{done.stderr[-3000:]}")
    (result,) = runs.glob("*/result.json")
    return result.parent


def distance(one: Path, other: Path) -> float:
    """The largest difference of what two runs have learnt, running statistics among it."""
    ours, theirs = weights(one), weights(other)
    if ours.keys() != theirs.keys():
        raise ValueError(f"{one} and {other} are of two networks")
    return max(float(abs(ours[name] - theirs[name]).max()) for name in ours if ours[name].size)


def main() -> int:
    """Prints the table; 1 if anything differs by more than 1e-5."""
    worst = 0.0
    print(f"{'norm':8}{'mirrored':>12}{'multi_worker':>14}")
    for norm, own in NORMS.items():
        overrides = [*BASE, *own, *sys.argv[1:]]
        with tempfile.TemporaryDirectory() as place:
            one = run(overrides, Path(place, "one"))
            found = [
                distance(one, run([*overrides, *MIRRORED], Path(place, "mirrored"))),
                distance(one, run_together(overrides, Path(place, "multi_worker"))),
            ]
        worst = max(worst, *found)
        print(f"{norm:8}{found[0]:12.1e}{found[1]:14.1e}", flush=True)
    return int(not worst < 1e-5)


if __name__ == "__main__":
    raise SystemExit(main())
