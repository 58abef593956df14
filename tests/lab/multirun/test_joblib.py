"""Runs side by side: what is said of each, and that none outlives the command."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.lab.multirun.conftest import LATEST, Start, wait_for
from tests.lab.multirun.stand_in.seeds import BREAKS, DIES, DIVERGES, FAILS, WAITS
from tests.tiers import exhaustive

pytest.importorskip("hydra_plugins.hydra_joblib_launcher")

TWO = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]


def made(folder: Path) -> set[str]:
    return {path.parent.name for path in folder.glob("runs/*/result.json")}


@exhaustive
def test_each_failed_job_is_named_and_lines_say_whose_they_are(tmp_path: Path, start: Start):
    process = start(f"seed=1,{FAILS},2,{BREAKS},{DIVERGES}", "norm=none", *TWO)
    out, err = process.communicate(timeout=LATEST)
    assert process.returncode == 1
    assert f"[seed={FAILS}] begins\n" in out and "[seed=2] begins\n" in out
    assert f"seqnorm-train: [seed={FAILS} norm=none] no such data\n" in err
    assert f"seqnorm-train: [seed={BREAKS} norm=none] failed\nTraceback" in err
    assert err.endswith(
        "seqnorm-train: 2 of 5 jobs failed:\n"
        f"  [seed={FAILS} norm=none] no such data\n"
        f"  [seed={BREAKS} norm=none] ZeroDivisionError: a fault\n"
    )
    assert made(tmp_path) == {"seed1", "seed2", f"seed{DIVERGES}"}
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]
    assert not (tmp_path / "runs" / ".multirun").exists()


@exhaustive
def test_a_killed_worker_is_one_sentence_and_what_was_not_made_is_named(
    tmp_path: Path, start: Start
):
    process = start(f"seed={DIES},{WAITS},3,4", *TWO)
    _, err = process.communicate(timeout=LATEST)
    assert process.returncode == 1 and "Traceback" not in err
    assert "seqnorm-train: the launcher lost a process that was making a run" in err
    assert f"  [seed={DIES}] was under way and has no result\n" in err
    assert "  [seed=4] was not begun\n" in err
    assert not made(tmp_path)


@exhaustive
@pytest.mark.parametrize(
    ("how", "code"),
    [
        (signal.SIGTERM, 143),
        (signal.SIGHUP, 129),
        (signal.SIGKILL, -signal.SIGKILL),
    ],
)
def test_workers_end_with_the_command_whatever_ends_it(
    tmp_path: Path, start: Start, how: signal.Signals, code: int
):
    process = start(f"seed={WAITS},1", *TWO)
    wait_for(tmp_path / "runs" / "seed1" / "result.json")
    wait_for(tmp_path / "runs" / f"seed{WAITS}" / "waits")
    process.send_signal(how)
    # The pipes are the workers' as well: they are closed once the last process is gone.
    _, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert (tmp_path / "runs" / f"seed{WAITS}" / "closed").exists()
    if how is not signal.SIGKILL:
        assert "seqnorm-train: interrupted; the same command goes on from here\n" in err
        assert [path.name for path in tmp_path.iterdir()] == ["runs"]
