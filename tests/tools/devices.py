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
from collections.abc import Collection
from pathlib import Path

from tests.processes import COMMAND, Process
from tests.tools.kill import weights

NORMS = {
    "none": ["norm=none"],
    "layer": ["norm=layer"],
    "rms": ["norm=rms"],
    "group": ["norm=group"],
    "dyt": ["norm=dyt"],
    # All texts begin with one token, so that at the first step all rows are the same: what rounding
    # leaves of their differences, 1 / sqrt(1e-5) would multiply by 300, and the gradient too.
    "batch": ["norm=batch", "norm.synchronized=true", "norm.epsilon=0.1"],
}
# 105 rows to train on: three batches of 35, of which the first device has 18 and the second 17.
# What is clipped is the norm of the whole gradient. Plain steps: Adam divides a gradient by its own
# size, be it rounding alone.
BASE = [
    "data=synthetic", "data.examples=150", "data.test_examples=40", "data.max_length=8",
    "data.batch_size=35", "data.validation_fraction=0.3", "cell.units=16", "model.embedding=16",
    "model.bidirectional=false", "model.dropout=0", "model.embedding_dropout=0",
    "train.epochs=1", "train.keep=last", "train.patience=0", "train.probe_every=0",
    "train.log_every=1", "optim=sgd", "optim.clipnorm=0.5",
]  # fmt: skip
MIRRORED = ["train.strategy=mirrored", "train.replicas=2"]
TOGETHER = ["train.strategy=multi_worker"]

# Many runs in one process: TensorFlow is started once.
SCRIPT = """
import json
from pathlib import Path
from seqnorm.lab.config.compose import compose
from seqnorm.lab.training.run import run

for name, overrides in json.loads({runs!r}).items():
    run(compose(overrides), name)
"""


def script(runs: dict[str, list[str]], **variables: str) -> Process:
    """A process that makes runs, each of overrides, under way."""
    return Process(SCRIPT.format(runs=json.dumps(runs)), **variables)


def started(overrides: list[str], runs: Path, **variables: str) -> Process:
    """``seqnorm-train`` under way."""
    runs.mkdir(exist_ok=True)
    arguments = ("seqnorm-train", *overrides, f"runs_dir={runs}")
    return Process(COMMAND.format(name="seqnorm_train"), arguments, runs, **variables)


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


def ended(processes: Collection[Process]) -> None:
    """Waits for processes that have to end well."""
    for done in [process.end() for process in processes]:
        if done.returncode:
            raise RuntimeError(f"{done.stdout}\n{done.stderr[-3000:]}")


def distance(one: Path, other: Path, only: str = "") -> float:
    """The largest difference of what two runs have learnt, running statistics among it.

    Args:
        one, other: the run folders.
        only: how the names end of what is compared.
    """
    ours, theirs = weights(one), weights(other)
    if ours.keys() != theirs.keys():
        raise ValueError(f"{one} and {other} are of two networks")
    compared = [name for name in ours if ours[name].size and name.endswith(only)]
    return max(float(abs(ours[name] - theirs[name]).max()) for name in compared)


def distances(
    folder: Path, norms: Collection[str], extra: Collection[str] = (), replicas: int = 2
) -> dict[str, tuple[float, float]]:
    """By norm, how far two devices of one process and two processes are from one device."""

    def runs(kind: str, *more: str) -> dict[str, list[str]]:
        return {
            f"{kind}-{norm}": [*BASE, *NORMS[norm], *extra, *more, f"runs_dir={folder}"]
            for norm in norms
        }

    mirrored = runs("mirrored", *MIRRORED, f"train.replicas={replicas}")
    ended([script(mirrored | runs("one"))])
    every = runs("together", *TOGETHER)
    ended([script(every, TF_CONFIG=each) for each in cluster(replicas)])
    return {
        norm: (
            distance(folder / f"one-{norm}", folder / f"mirrored-{norm}"),
            distance(folder / f"one-{norm}", folder / f"together-{norm}"),
        )
        for norm in norms
    }


def main() -> int:
    """Prints the table; 1 if anything differs by more than 1e-5."""
    with tempfile.TemporaryDirectory() as folder:
        found = distances(Path(folder), NORMS, sys.argv[1:])
    print(f"{'norm':8}{'mirrored':>12}{'multi_worker':>14}")
    for norm, (mirrored, together) in found.items():
        print(f"{norm:8}{mirrored:12.1e}{together:14.1e}")
    return int(not max(max(each) for each in found.values()) < 1e-5)


if __name__ == "__main__":
    raise SystemExit(main())
