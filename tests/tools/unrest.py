"""A comparison on a Dask cluster whose workers are killed: the same table as on one process?

    python -m tests.tools.unrest FOLDER [--workers 4] [--every 20] [--stops 3] [--apart] [key=value]

Starts a scheduler and workers as processes on 127.0.0.1, has `seqnorm-compare` make 24 small runs,
kills a worker every so many seconds (another takes its place), interrupts the command as often as
asked and starts it again, and compares the table with that of one process, byte by byte. With
--apart the workers have folders of their own. What a run is may be changed by overrides.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

COMPARISON = (
    "experiment=smoke", "compare.name=small", "compare.arms=['cell=simple_rnn norm=none,rms']",
    "compare.trials=3", "compare.finalists=0", "compare.seeds=8", "compare.floors=2",
    "train.probe_every=0",
)  # fmt: skip


class Workers:
    """A scheduler and workers, of which one at a time is killed and replaced."""

    def __init__(self, folder: Path, number: int) -> None:
        self.folder, self.begun, self.killed = folder, 0, 0
        self.file = folder / "scheduler.json"
        options = ["--port", "0", "--no-show", "--no-dashboard"]
        self.scheduler = self._start("scheduler", options)
        self.workers = [self._worker() for _ in range(number)]
        self._over = threading.Event()

    def _start(self, what: str, options: list[str], **variables: str) -> subprocess.Popen[bytes]:
        common = ["--scheduler-file", str(self.file), "--host", "127.0.0.1"]
        with (self.folder / f"{what}.txt").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.dask_{what}", *common, *options],
                stdout=log, stderr=log, env={**os.environ, **variables},
            )  # fmt: skip

    def _worker(self) -> subprocess.Popen[bytes]:
        self.begun += 1
        own = self.folder / f"host-{self.begun}"
        own.mkdir()
        options = ["--no-nanny", "--nthreads", "1", "--no-dashboard", "--memory-limit", "0"]
        return self._start("worker", options, TMPDIR=str(own))

    def kill(self, every: float) -> None:
        while not self._over.wait(every):
            place = random.randrange(len(self.workers))
            self.workers[place].kill()
            self.workers[place].wait()
            self.workers[place] = self._worker()
            self.killed += 1

    def end(self) -> None:
        self._over.set()
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()


def compare(runs: Path, *options: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "seqnorm.lab.commands.compare", *COMPARISON]
    return subprocess.Popen([*command, f"runs_dir={runs}", *options])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--every", type=float, default=20.0)
    parser.add_argument("--stops", type=int, default=0)
    parser.add_argument("--apart", action="store_true")
    known, overrides = parser.parse_known_args()
    alone, together = known.folder / "alone", known.folder / "together"
    known.folder.mkdir(parents=True, exist_ok=True)
    if compare(alone, "compare.workers=1", *overrides).wait():
        return 1
    workers = Workers(known.folder, known.workers)
    options = [
        "engine=dask", f"compare.workers={known.workers}", "engine.retries=9", *overrides,
        f"engine.shared={str(not known.apart).lower()}",
    ]  # fmt: skip
    try:
        while not workers.file.exists():
            time.sleep(0.1)
        address = workers.file.read_text().split('"address": "')[1].partition('"')[0]
        options.append(f"engine.address={address}")
        threading.Thread(target=workers.kill, args=(known.every,), daemon=True).start()
        begun = time.monotonic()
        for _ in range(known.stops):
            process = compare(together, *options)
            time.sleep(random.uniform(30, 60))
            process.send_signal(signal.SIGINT)
            code = process.wait()
            print(f"stopped with {code}; {len(list(together.glob('*/result.json')))} runs made")
        code = compare(together, *options).wait()
    finally:
        workers.end()
    tables = [(runs / "table.md").read_bytes() for runs in (alone, together) if not code]
    same = len(set(tables)) == 1
    found = "the same" if same else "ANOTHER ONE"
    seconds = time.monotonic() - begun
    print(
        f"{workers.killed} workers killed and {known.stops} stops in {seconds:.0f} s: "
        f"the table is {found}; load {os.getloadavg()[0]:.1f}"
    )
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
