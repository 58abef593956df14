"""Runs that are asked to end at a moment of the test's choice."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from seqnorm.lab.config.schema import RunConfig
from seqnorm.lab.runs.checkpoint import CHECKPOINT
from seqnorm.lab.signals import Stopped, stoppable
from seqnorm.lab.training.callbacks import Recorder
from seqnorm.lab.training.run import run


def stop_at(monkeypatch, hook: str, call: int, number: int = signal.SIGTERM) -> None:
    """Has this process asked to end at the n-th call of a hook of a callback."""
    calls = 0
    before = getattr(Recorder, hook)

    def stopping(self: Recorder, *args: Any, **kwargs: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == call:
            os.kill(os.getpid(), number)
        before(self, *args, **kwargs)

    monkeypatch.setattr(Recorder, hook, stopping)


def stopped(config: RunConfig, monkeypatch, *where: Any) -> Path:
    """The folder of a run that was stopped."""
    with monkeypatch.context() as patch:
        stop_at(patch, *where)
        with pytest.raises(Stopped), stoppable():
            run(config)
    (left,) = Path(config.runs_dir).glob(f"*/{CHECKPOINT}")
    return left.parent
