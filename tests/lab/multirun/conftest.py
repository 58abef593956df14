"""``seqnorm-train -m`` in a process of its own, with a stand-in for training."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

STAND_IN = Path(__file__).parent / "stand_in"
ROOT = Path(__file__).parents[3]
LATEST = 300  # seconds until a test gives a process up; a busy machine takes a minute to start one
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts the command in an empty folder; what is left of it ends with the test."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        path = os.pathsep.join([str(STAND_IN), str(ROOT), *sys.path])
        process = subprocess.Popen(
            [sys.executable, "-m", "seqnorm.lab.commands.train", "-m", *arguments],
            cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": path, "TMPDIR": str(tmp_path)},
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def wait_for(path: Path) -> None:
    """Waits until a file is there."""
    deadline = time.monotonic() + LATEST
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not come"
        time.sleep(0.05)
