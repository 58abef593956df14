"""Whether runs that were killed end as if they had not been: ``python -m tests.tools.kill``.

Each case is a run of another cell, norm and optimiser: made once whole, and once killed at a random
moment of its training (every second one at two), started again by the same command until it has
ended. The weights, the predictions, the scores and the curves have to be the same bytes.
"""

from __future__ import annotations

import argparse
import io
import itertools
import json
import random
import signal
import tempfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from tests.processes import COMMAND, Process

CELLS = ("simple_rnn", "lstm", "gru")
NORMS = ("none", "layer", "rms", "group", "batch", "dyt")
OPTIMIZERS = ("adam", "sgd", "rmsprop")
# What a clock measures, or names: the only things that may differ.
TIMES = {"seconds", "tokens_per_second", "train_seconds", "run"}
BASE = [
    "data=synthetic", "data.examples=900", "data.test_examples=100", "data.max_length=24",
    "cell.units=8", "model.embedding=8", "train.epochs=4", "train.log_every=3",
    "train.probe_every=20", "train.save_every=0.002",
]  # fmt: skip
# What else decides where a run stands; each case has one of them.
EXTRAS: list[list[str]] = [
    ["model.bidirectional=false", "optim.schedule=cosine"],
    ["train.patience=1", "optim.learning_rate=0.03"],
    ["train.keep=last", "train.steps_per_execution=4"],
    ["data.bucket=0", "model.dropout=0.5", "optim.weight_decay=0.01"],
    ["model.bidirectional=false", "task=language_model", "task.window=12", "task.carry_state=true",
     "data.batch_size=16"],
]  # fmt: skip


@dataclass
class Outcome:
    """What became of one case.

    Attributes:
        overrides: what was run.
        kills: how often it was killed.
        lost: seconds of work that each kill cost.
        differences: what is not the same as in the whole run.
    """

    overrides: list[str]
    kills: int
    lost: list[float]
    differences: list[str]

    def __str__(self) -> str:
        lost = ", ".join(f"{each:.2f} s" for each in self.lost)
        verdict = "; ".join(self.differences) or "the same bytes"
        return f"{' '.join(self.overrides)}: killed {self.kills} times, lost {lost}: {verdict}"


def cases(count: int, seed: int) -> Iterator[list[str]]:
    """Every combination of cell, norm and optimiser once, in random order, then again."""
    rng = random.Random(seed)
    every = list(itertools.product(CELLS, NORMS, OPTIMIZERS))
    rng.shuffle(every)
    for number, (cell, norm, optim) in zip(range(count), itertools.cycle(every), strict=False):
        extra = EXTRAS[number % len(EXTRAS)]
        yield [f"cell={cell}", f"norm={norm}", f"optim={optim}", f"seed={number}", *extra]


def try_case(overrides: list[str], number: int, rng: random.Random, sent: int) -> Outcome:
    """One case, killed once or twice by a signal."""
    with tempfile.TemporaryDirectory() as place:
        whole, killed = Path(place, "whole"), Path(place, "killed")
        _end(_begin(overrides, whole))
        seconds = json.loads((_run(whole) / "result.json").read_text())["train_seconds"]
        lost = []
        for _ in range(1 + number % 2):
            process = _begin(overrides, killed)
            await_training(process, killed)
            time.sleep(rng.uniform(0, max(seconds, 0.5)))
            process.signal(sent)
            process.end()
            if _is_finished(killed):  # before the signal came
                break
            lost.append(_lost(killed))
        if going_on := not _is_finished(killed):
            _end(_begin(overrides, killed))
        found = list(differences(_run(whole), _run(killed), ended=going_on))
        return Outcome(overrides, len(lost), lost, found)


def _begin(overrides: list[str], runs: Path) -> Process:
    runs.mkdir(exist_ok=True)
    arguments = [*BASE, *overrides, f"runs_dir={runs}"]
    code = COMMAND.format(name="seqnorm_train")
    return Process(code, ("seqnorm-train", *arguments), runs)


def _end(process: Process) -> None:
    done = process.end()
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)


def _is_finished(runs: Path) -> bool:
    return any(runs.glob("*/result.json"))


def _run(runs: Path) -> Path:
    """The one run folder, whatever was killed before it had one."""
    (found,) = (path.parent for path in runs.glob("*/result.json"))
    return found


def await_training(process: Process, runs: Path) -> None:
    """Until this process, not one before it, has begun to train or has ended."""
    begun = time.time()
    while process.is_alive():
        records = [path.stat() for path in runs.glob("*/metrics.jsonl")]
        if any(each.st_size and each.st_mtime > begun for each in records):
            return
        time.sleep(0.01)


def _lost(runs: Path) -> float:
    """Seconds of work since the last save; since training began without one."""
    saves = [path.stat().st_mtime for path in runs.glob("*/checkpoint.npz")]
    begun = [path.stat().st_mtime for path in runs.glob("*/config.yaml")]
    return time.time() - max(saves or begun)


def differences(one: Path, other: Path, ended: bool = True) -> Iterator[str]:
    """What two run folders do not have in common, but for what a clock measures.

    Args:
        one: a folder.
        other: of a run that was stopped.
        ended: whether the process that finished it came to its own end.
    """
    ours, theirs = (
        {name: each.tobytes() for name, each in weights(folder).items()} for folder in (one, other)
    )
    if ours != theirs:
        yield "other weights"
    if _arrays(one / "predictions.npz") != _arrays(other / "predictions.npz"):
        yield "other predictions"
    if _arrays(one / "probes.npz") != _arrays(other / "probes.npz"):
        yield "other probes"
    for name in ("result.json", "metrics.jsonl"):
        if _records(one / name) != _records(other / name):
            yield f"another {name}"
    if ended and (left := [path.name for path in (*other.glob("checkpoint*"), *other.glob(".*"))]):
        yield f"{', '.join(left)} left behind"


def weights(folder: Path) -> dict[str, NDArray]:
    """All that the network of a run has learnt, by name."""
    with zipfile.ZipFile(folder / "model.keras") as model:
        content = io.BytesIO(model.read("model.weights.h5"))
    found: dict[str, NDArray] = {}

    def keep(name: str, node: Any) -> None:
        if isinstance(node, h5py.Dataset):
            found[name] = node[()]

    with h5py.File(content) as file:
        file.visititems(keep)
    return found


def _arrays(path: Path) -> dict[str, bytes]:
    if not path.exists():
        return {}
    with np.load(path) as stored:
        return {name: stored[name].tobytes() for name in stored.files}


def _records(path: Path) -> list[dict[str, Any]]:
    text = path.read_text(encoding="utf-8")
    found = [json.loads(text)] if path.suffix == ".json" else map(json.loads, text.splitlines())
    return [{key: value for key, value in each.items() if key not in TIMES} for each in found]


def main() -> int:
    """Prints a line for each case; 1 if any run came to something else."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=50)
    parser.add_argument("--signal", default="KILL", choices=["KILL", "TERM", "INT"])
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    sent, rng, wrong = signal.Signals[f"SIG{given.signal}"], random.Random(given.seed), 0
    for number, overrides in enumerate(cases(given.cases, given.seed)):
        outcome = try_case(overrides, number, rng, sent)
        wrong += bool(outcome.differences)
        print(f"{number + 1:3} {outcome}", flush=True)
    print(f"{given.cases - wrong} of {given.cases} ended with the same bytes")
    return bool(wrong)


if __name__ == "__main__":
    raise SystemExit(main())
