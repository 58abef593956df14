"""A process that makes runs, and how it ends."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from seqnorm.lab.comparison.pool import Worker

from seqnorm.lab.comparison.plan import Job
from seqnorm.lab.config.compose import compose
from seqnorm.lab.errors import UserError
from tests.lab.multirun.conftest import ROOT, STAND_IN, wait_for
from tests.lab.multirun.stand_in.seeds import WAITS


def test_a_stopped_worker_closes_what_its_run_has_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(STAND_IN), str(ROOT), *sys.path]))
    config = replace(compose(["data=synthetic"]), seed=WAITS, runs_dir=str(tmp_path))
    worker = Worker(tmp_path / "log.txt", threads=1)
    process = worker.start()

    def make() -> None:
        with suppress(UserError):  # that it was stopped
            worker.run(Job("norm=layer", None, config), ["seqnorm-compare"])

    thread = threading.Thread(target=make)
    thread.start()
    wait_for(tmp_path / f"seed{WAITS}" / "waits")
    worker.stop()
    thread.join()
    assert process.returncode == 0  # by itself, not killed
    assert (tmp_path / f"seed{WAITS}" / "closed").exists()
