"""Workers on this machine: what is lost is made again, and nothing is left behind."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from seqnorm.lab.engine import maker
from seqnorm.lab.engine.config import LokyConfig
from seqnorm.lab.engine.engine import Engine
from seqnorm.lab.engine.job import Job, RunFailed
from seqnorm.lab.engine.order import log_of
from seqnorm.lab.errors import UserError
from tests.lab.engine.conftest import COMMAND
from tests.lab.engine.stand_in import deeds
from tests.lab.multirun.conftest import wait_for
from tests.processes import is_alive, left_over

pytestmark = pytest.mark.usefixtures("stand_in")


def engine(tmp_path: Path, workers: int, retries: int = 1, said: list[str] | None = None) -> Engine:
    said = [] if said is None else said
    config = LokyConfig("loky", retries)
    return Engine(config, workers, 3, tmp_path / "runs", COMMAND, said.append)


def names(found: Iterable[object]) -> set[str]:
    return {each.name for each in found if isinstance(each, Job)}


def processes(job: Job) -> list[int]:
    """That made a run, and that of its worker."""
    return [int(number) for number in (job.folder / "process").read_text().split()]


def test_one_process_makes_many_runs_and_is_then_replaced(
    tmp_path: Path, job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maker, "RUNS_PER_PROCESS", 2)
    jobs = [job(seed) for seed in range(3)]
    with engine(tmp_path, workers=1) as one:
        assert list(one.run_all(jobs)) == jobs
    first, second, third = (processes(each)[0] for each in jobs)
    assert first == second != third and not any(map(is_alive, (first, third)))
    logs = [log_of(each.name, tmp_path / "runs").read_text() for each in jobs]
    assert logs == [f"seed {seed} with 3 threads\n" for seed in range(3)]


def test_what_is_killed_is_made_again_and_what_always_dies_is_named_with_its_log(
    tmp_path: Path, job: Callable[..., Job]
) -> None:
    said: list[str] = []
    jobs = [job(1), job(deeds.DIES_ONCE), job(deeds.DIES, "norm=rms"), job(2), job(3, "norm=rms")]
    with engine(tmp_path, workers=2, said=said) as two:
        done = list(two.run_all(jobs))
        (process, worker) = processes(jobs[0])
    assert names(done) >= names([jobs[0], jobs[1], jobs[3]])
    failures = [each for each in done if isinstance(each, RunFailed)]
    assert names(each.job for each in failures) == names([jobs[2]]) and len(done) == len(jobs)
    assert re.search(
        rf"norm=rms test seed={deeds.DIES} was lost 2 times, the last time because its process "
        r"ended with code -9, which is SIGKILL.*\nIts log is .*\.txt\.",
        str(failures[0]),
    )
    assert sum("is made again, 1 of 1 times: its process ended" in line for line in said) == 2
    # A worker is killed, and its process ends where its input does.
    assert left_over((process, worker)) == []


def test_a_worker_that_is_killed_ends_no_run_for_good(
    tmp_path: Path, job: Callable[..., Job]
) -> None:
    """loky gives up all that is under way."""
    jobs = [job(seed) for seed in (deeds.TAKES_ITS_WORKER_ALONG, *range(4))]
    with engine(tmp_path, workers=2) as two:
        assert names(two.run_all(jobs)) == names(jobs)


def test_a_fault_of_a_run_gives_its_arm_up_and_is_not_tried_again(
    tmp_path: Path, job: Callable[..., Job]
) -> None:
    said: list[str] = []
    jobs = [job(deeds.FAILS, "norm=rms"), job(1, "norm=rms"), job(2)]
    with engine(tmp_path, workers=1, said=said) as one:
        first, second, third = one.run_all(jobs)
    assert first is second and isinstance(first, RunFailed) and third == jobs[2] and not said
    assert "failed, ValueError: a fault of the run's own\nIts log is" in str(first)


def test_a_full_disk_ends_it_all(
    tmp_path: Path, job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no other one."""
    monkeypatch.setenv("FULL", "1")
    with (
        engine(tmp_path, workers=1) as one,
        pytest.raises(UserError, match=r"failed, OSError.*No space left on device\nIts log is"),
    ):
        list(one.run_all([job(deeds.FULL), job(1)]))


@pytest.mark.parametrize("workers", [1, 2])
def test_what_is_stopped_closes_what_it_has_open(
    tmp_path: Path, job: Callable[..., Job], workers: int
) -> None:
    waits = job(deeds.WAITS)
    with engine(tmp_path, workers) as any_number:
        threading.Thread(target=lambda: list(any_number.run_all([waits])), daemon=True).start()
        wait_for(waits.folder / "begun")
    assert (waits.folder / "closed").exists() and not (waits.folder / "result.json").exists()
