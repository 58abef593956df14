"""Workers of Dask: a scheduler and workers that are processes of their own, on this machine."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from seqnorm.lab.engine.config import DaskConfig
from seqnorm.lab.engine.engine import Engine
from seqnorm.lab.engine.job import Job, RunFailed
from seqnorm.lab.engine.order import log_of
from seqnorm.lab.errors import UserError
from seqnorm.lab.runs.standing import epochs_done
from tests.lab.engine.conftest import COMMAND, environment
from tests.lab.engine.stand_in import deeds
from tests.lab.engine.test_local import names
from tests.lab.multirun.conftest import wait_for
from tests.tiers import exhaustive

pytest.importorskip("distributed")


class Dask:
    """A scheduler, and workers without a nanny: one that is killed stays away.

    Args:
        folder: Of all that it writes; each worker has a temporary folder of its own.
        variables: Of the scheduler.
    """

    def __init__(self, folder: Path, **variables: str) -> None:
        self.folder, self.file = folder, folder / "scheduler.json"
        self.processes: list[subprocess.Popen[bytes]] = []
        self._start("scheduler", ["--port", "0", "--no-show", "--no-dashboard"], **variables)
        wait_for(self.file)

    def _start(self, what: str, arguments: list[str], **variables: str) -> subprocess.Popen[bytes]:
        module = f"distributed.cli.dask_{what}"
        options = ["--scheduler-file", str(self.file), "--host", "127.0.0.1"]
        number = len(self.processes)
        with (self.folder / f"{what}-{number}.txt").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", module, *options, *arguments], stdout=log, stderr=log,
                env={**environment(), **variables}, cwd=self.folder,
            )  # fmt: skip
        self.processes.append(process)
        return process

    def worker(self, **variables: str) -> subprocess.Popen[bytes]:
        own = self.folder / f"host-{len(self.processes)}"
        own.mkdir()
        arguments = ["--no-nanny", "--nthreads", "1", "--no-dashboard", "--memory-limit", "0"]
        return self._start("worker", arguments, TMPDIR=str(own), **variables)

    @property
    def address(self) -> str:
        return json.loads(self.file.read_text())["address"]

    def engine(
        self, runs: Path, shared: bool = True, workers: int | None = None, retries: int = 2
    ) -> Engine:
        config = DaskConfig("dask", retries, self.address, None, shared=shared)
        self.said: list[str] = []
        return Engine(config, workers, 3, runs, COMMAND, self.said.append)

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture
def dask(tmp_path: Path) -> Iterator[Dask]:
    dask = Dask(tmp_path)
    yield dask
    dask.end()


def test_finished_runs_come_home_from_hosts_with_folders_of_their_own(
    tmp_path: Path, dask: Dask, job: Callable[..., Job]
) -> None:
    """And one whose disk is full is left out; what was cut off here before gives way."""
    dask.worker(FULL="1")
    dask.worker()
    runs = tmp_path / "runs"
    jobs = [*map(job, range(4)), job(deeds.FULL), job(deeds.FAILS, "norm=rms")]
    (jobs[0].folder / "half").mkdir(parents=True)
    with dask.engine(runs, shared=False) as engine:
        while engine.workers < 2:
            time.sleep(0.1)
        done = list(engine.run_all(jobs))
    assert names(done) == names(jobs[:-1])
    (failure,) = (each for each in done if isinstance(each, RunFailed))
    log = log_of(jobs[-1].name, runs)
    assert str(log) in str(failure) and "a fault of the run's own" in log.read_text()
    for made in jobs[:-1]:
        text = (made.folder / "config.yaml").read_text()
        assert text == f"# of mine\nruns_dir: {runs}\nseed: 1\n"
    assert not (jobs[0].folder / "half").exists()
    assert {path.name for path in runs.iterdir()} == names(jobs[:-1]) | {".log"}
    assert not list(tmp_path.glob("host-*/*/*/result.json"))  # nothing stays there
    with dask.engine(runs, shared=False) as engine:  # on any of the hosts
        for until in (1, 3, None):
            assert names(engine.run_all([replace(job(7), until=until)])) == names([job(7)])
    assert epochs_done(job(7).folder) == 3 and job(7).is_made
    # Where the one came to the full disk first, it was made again.
    said = [line for line in dask.said if "waiting for a worker" not in line]
    assert all("No space left" in line for line in said) and len(said) <= 1


# Scheduler's word for how many workers may die of a run.
@pytest.mark.parametrize("allowed", ["3", pytest.param("0", marks=exhaustive)])
def test_what_a_worker_was_making_is_made_by_another(
    tmp_path: Path, job: Callable[..., Job], allowed: str
) -> None:
    """Also if the scheduler gives it up at the first death, of which joblib's own hears nothing."""
    dask = Dask(tmp_path, DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES=allowed)
    try:
        dask.worker()
        dask.worker()
        jobs = [job(deeds.TAKES_ITS_WORKER_ALONG), job(1), job(2)]
        with dask.engine(tmp_path / "runs") as engine:
            assert names(engine.run_all(jobs)) == names(jobs)
        assert any("again" in line or "begun 2 times" in line for line in dask.said)
    finally:
        dask.end()


def test_what_takes_each_worker_along_is_not_made_for_ever(
    tmp_path: Path, dask: Dask, job: Callable[..., Job]
) -> None:
    dask.worker()
    dask.worker()
    with dask.engine(tmp_path / "runs", retries=0) as engine:
        (lost,) = engine.run_all([job(deeds.TAKES_ITS_WORKER_ALONG)])
    assert isinstance(lost, RunFailed) and "begun as often as it may be" in str(lost)
    assert "Its log is " in str(lost)


THE_COMMAND = """
from dataclasses import replace
from pathlib import Path
from seqnorm.lab.config.compose import compose
from seqnorm.lab.engine.config import DaskConfig
from seqnorm.lab.engine.engine import Engine
from seqnorm.lab.engine.job import Job
config = replace(compose(["data=synthetic"]), seed={seed}, runs_dir={runs!r})
with Engine(DaskConfig("dask", 2, {address!r}, None), None, 1, Path({runs!r}), ["x"]) as engine:
    list(engine.run_all([Job("norm=layer", None, config)]))
"""


@pytest.mark.parametrize("how", ["stopped", pytest.param("killed", marks=exhaustive)])
def test_what_goes_on_there_ends_with_the_command(
    tmp_path: Path, dask: Dask, job: Callable[..., Job], how: str
) -> None:
    """The workers stay, and serve another comparison meanwhile."""
    dask.worker()
    dask.worker()
    waits = job(deeds.WAITS)
    if how == "stopped":
        with dask.engine(tmp_path / "runs") as engine:
            threading.Thread(target=lambda: list(engine.run_all([waits])), daemon=True).start()
            wait_for(waits.folder / "begun")
            with dask.engine(tmp_path / "runs") as other:
                assert len(list(other.run_all([job(1), job(2)]))) == 2
        assert (waits.folder / "closed").exists()
    else:
        script = THE_COMMAND.format(
            seed=deeds.WAITS, runs=str(tmp_path / "runs"), address=dask.address
        )
        command = subprocess.Popen([sys.executable, "-c", script], env=environment())
        wait_for(waits.folder / "begun")
        command.kill()
        command.wait()
        wait_for(waits.folder / "closed")
    assert not (waits.folder / "result.json").exists()
    with dask.engine(tmp_path / "runs") as engine:
        assert names(engine.run_all([job(3)])) == names([job(3)])
    assert all(process.poll() is None for process in dask.processes)


@exhaustive
def test_a_scheduler_that_is_not_there_is_said(tmp_path: Path) -> None:
    config = DaskConfig("dask", 0, "tcp://127.0.0.1:9", None)
    engine = Engine(config, None, 1, tmp_path, COMMAND)
    with (
        pytest.raises(UserError, match=r"received engine.address=tcp://127.0.0.1:9 and the answer"),
        engine,
    ):
        pass
