"""Runs small enough for a test: synthetic texts, four units, one epoch."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tensorflow.python.framework import config

from seqnorm.lab.config.compose import compose
from seqnorm.lab.config.schema import RunConfig


@pytest.fixture
def small(tmp_path: Path) -> Callable[..., RunConfig]:
    """Composes experiment=smoke with further overrides, its runs below the test's folder."""

    def make(*overrides: str, runs: str = "runs") -> RunConfig:
        return replace(deepcopy(composed(*overrides)), runs_dir=str(tmp_path / runs))

    return make


@cache
def composed(*overrides: str) -> RunConfig:
    """Once: Hydra takes a fifth of a second."""
    return compose(["experiment=smoke", *overrides])


@pytest.fixture(autouse=True)
def determinism_ends() -> Iterator[None]:
    """A run that trains here makes TensorFlow deterministic, and so refuses to compile with XLA.

    There is no public way back; the tests of other rooms share the process.
    """
    yield
    config.disable_op_determinism()


@pytest.fixture
def records() -> Callable[[Path], list[dict[str, Any]]]:
    """Reads metrics.jsonl of a run folder."""

    def read(folder: Path) -> list[dict[str, Any]]:
        lines = (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    return read
