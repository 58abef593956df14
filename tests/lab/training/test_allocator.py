"""Freed memory stays with a process that trains."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

from seqnorm.lab import training
from seqnorm.lab.training import require_tensorflow

# Arrays of 4.8 MB, more of them than a heap holds, in a thread, as TensorFlow takes and frees them.
PROGRAM = """
import resource, sys, threading
import numpy as np

exec(sys.argv[1])

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def step():
    arrays = [np.ones(600_000) for _ in range(20)]

def steps():
    for _ in range(3):
        step()
    before = faults()
    for _ in range(20):
        step()
    print(faults() - before)

thread = threading.Thread(target=steps)
thread.start()
thread.join()
"""
KEEP = "from seqnorm.lab.training.allocator import keep_freed_memory as keep; keep()"


def page_faults(setup: str) -> int:
    """How often 20 steps asked the system for a page, which may have 4 KiB or 2 MiB."""
    command = [sys.executable, "-c", PROGRAM, setup]
    own = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    return int(subprocess.check_output(command, text=True, env=own))


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
def test_a_step_takes_what_the_one_before_has_freed() -> None:
    assert 20 * page_faults(KEEP) < page_faults("")


def test_what_the_environment_says_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr("ctypes.CDLL", lambda name: asked.append(name))
    monkeypatch.setenv("MALLOC_TOP_PAD_", "0")
    training.allocator.keep_freed_memory()
    assert not asked


def test_nothing_is_asked_of_another_c_library(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr("ctypes.CDLL", lambda name: asked.append(name))
    monkeypatch.setattr("platform.libc_ver", lambda: ("", ""))
    monkeypatch.delenv("MALLOC_TOP_PAD_", raising=False)
    training.allocator.keep_freed_memory()
    assert not asked


def test_whatever_trains_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(training, "keep_freed_memory", lambda: asked.append(True))
    require_tensorflow()
    assert asked
