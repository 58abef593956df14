"""Engines whose runs are a stand-in's."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from seqnorm.lab.config.compose import compose
from seqnorm.lab.engine.job import Job
from tests.lab.multirun.conftest import ROOT

STAND_IN = Path(__file__).parent / "stand_in"
COMMAND = ["seqnorm-compare", "compare.name=small"]


def environment() -> dict[str, str]:
    """In which Python finds the stand-in."""
    path = os.pathsep.join([str(STAND_IN), str(ROOT), *sys.path])
    return {**os.environ, "PYTHONPATH": path, "SEQNORM_STAND_IN": "1"}


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """The processes that this one starts find it."""
    for name, value in environment().items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def job(tmp_path: Path) -> Callable[..., Job]:
    """A run, by what it does."""
    config = replace(compose(["data=synthetic"]), runs_dir=str(tmp_path / "runs"))

    def make(seed: int, arm: str = "norm=layer") -> Job:
        return Job(arm, None, replace(config, seed=seed))

    return make
