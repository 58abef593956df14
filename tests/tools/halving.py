"""Tuning with successive halving beside tuning without it: choices, times and test scores.

    python -m tests.tools.halving FOLDER [--repetitions 3] [--table] [key=value]

Makes the same comparison of clean Reuters with `compare.prune=none` and with `halving`, in turns,
each time with another list of settings, other splits of the trials and folders of its own. It goes
on where it was stopped; --table makes nothing and prints what there is. The recipe is that of
compare_reuters_clean with fewer trials and arms and a smaller network (`SMALLER`), so that a
repetition takes 20 minutes of two free cores; overrides change it, as data.dir=FOLDER.

Seconds are those of the command until the last trial and until its end. On a machine that others
use they say little; epochs do, and the processor's seconds, of the command and all its processes.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from statistics import fmean as mean
from typing import Any

from seqnorm.lab.report.findings.collect import collect
from seqnorm.lab.runs.find import find_run_folders
from seqnorm.lab.runs.standing import epochs_done, seconds_trained

WAYS = ("none", "halving")
COMPARISON = ("experiment=compare_reuters_clean",)
SMALLER = (
    "compare.arms=['cell=gru norm=none,layer']", "compare.trials=9", "compare.finalists=2",
    "compare.final_seeds=2", "compare.seeds=3", "compare.floors=0", "cell.units=32",
    "model.embedding=32", "data.max_length=100",
)  # fmt: skip
FIRST_TRIAL_SEED, TIMES = 1000, "times.jsonl"
TIMED = ("tuned", "all", "processor")
SETTING = ("optim.learning_rate", "model.dropout", "norm.gamma")


def seed_of(repetition: int) -> int:
    return FIRST_TRIAL_SEED + 100 * repetition


def make(folder: Path, way: str, repetition: int, overrides: list[str]) -> None:
    """Carries one comparison out, and notes how long it was at its trials and at all."""
    seed, begun, tuned = seed_of(repetition), time.monotonic(), 0.0
    command = [
        sys.executable, "-m", "seqnorm.lab.commands.compare", *COMPARISON, *SMALLER,
        f"compare.list_seed={repetition}", f"compare.first_trial_seed={seed}",
        f"compare.prune={way}", f"runs_dir={folder}", *overrides,
    ]  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        watch = Watch(process.pid)
        for line in process.stdout:
            print(f"{repetition} {way}: {line}", end="", flush=True)
            if re.search(rf" trial \d+ seed={seed}  ", line):
                tuned = time.monotonic() - begun
    note = {"tuned": tuned, "all": time.monotonic() - begun, "code": process.returncode,
            "processor": watch.end(), "load": os.getloadavg()[0]}  # fmt: skip
    with (folder / TIMES).open("a") as file:
        print(json.dumps(note), file=file)
    if process.returncode:
        raise SystemExit(process.returncode)


class Watch:
    """Adds up what a process and all that it starts take of the processor; looked at each second.

    The system does so for processes that were waited for, which loky's workers are not.
    """

    def __init__(self, process: int) -> None:
        self.process, self.seconds = process, dict[int, float]()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._over.wait(1.0):
            for path in Path("/proc").glob("[0-9]*/stat"):
                with suppress(OSError):
                    fields = path.read_text().rsplit(")", 1)[1].split()
                    number = int(path.parent.name)
                    if self._is_ours(number, int(fields[1])):
                        ticks = int(fields[11]) + int(fields[12])
                        self.seconds[number] = ticks / os.sysconf("SC_CLK_TCK")

    def _is_ours(self, number: int, parent: int) -> bool:
        return bool({number, parent} & {self.process, *self.seconds})

    def end(self) -> float:
        """Seconds of all."""
        self._over.set()
        self._thread.join()
        return sum(self.seconds.values())


def is_made(folder: Path) -> bool:
    return any(note["code"] == 0 for note in notes(folder))


def notes(folder: Path) -> list[dict[str, Any]]:
    path = folder / TIMES
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def rows(folder: Path, repetition: int) -> Iterator[list[str]]:
    """One row for each arm of a finished comparison: what it chose, what that took and gave."""
    ((comparison, _),) = collect([folder]).comparisons
    seconds = [sum(note[key] for note in notes(folder)) for key in TIMED]
    trials = [path for path in find_run_folders(folder) if f"-s{seed_of(repetition)}-" in path.name]
    for arm in comparison.arms:
        config = arm.runs[0].config
        chosen = [f"{config[key]:.4g}" if key in config else "-" for key in SETTING]
        own = [path for path in trials if f"-{arm.norm}-s" in path.name]
        tests = list(arm.values(comparison.task.score.name).values())
        yield [
            arm.label, *chosen, str(sum(map(epochs_done, own))),
            f"{sum(map(seconds_trained, own)):.0f}", *(f"{each:.0f}" for each in seconds),
            f"{mean(tests):.4f}",
        ]  # fmt: skip


def table(folder: Path, repetitions: int) -> str:
    headings = [
        "repetition", "prune", "arm", *SETTING, "epochs of trials", "seconds of training them",
        "seconds until the last trial", "seconds of all", "processor's seconds of all",
        "test accuracy",
    ]  # fmt: skip
    lines = [headings, ["---"] * len(headings)]
    for repetition in range(repetitions):
        for way in WAYS:
            place = folder / f"{repetition}-{way}"
            if is_made(place):
                lines += [[str(repetition), way, *row] for row in rows(place, repetition)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--table", action="store_true")
    known, overrides = parser.parse_known_args()
    for repetition in range(0 if known.table else known.repetitions):
        for way in WAYS if repetition % 2 == 0 else reversed(WAYS):
            place = known.folder / f"{repetition}-{way}"
            if not is_made(place):
                make(place, way, repetition, overrides)
    print(table(known.folder, known.repetitions))


if __name__ == "__main__":
    main()
