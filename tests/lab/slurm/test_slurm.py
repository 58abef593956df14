"""A comparison and a multirun as jobs of a real SLURM."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

from tests.lab.multirun.conftest import LATEST, ROOT
from tests.tiers import exhaustive
from tests.tools.unrest import COMPARISON

SMALL = [*COMPARISON, "compare.trials=2", "compare.seeds=3", "compare.floors=1"]
OWN = "+engine.cluster.scheduler_options={host: 127.0.0.1, dashboard_address: 127.0.0.1:0}"


def run(name: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", f"seqnorm.lab.commands.{name}", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=3 * LATEST)


def jobs() -> list[str]:
    """The running jobs, oldest first."""
    command = ["squeue", "-h", "-o", "%i", "--states=RUNNING", "--sort=i"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


@exhaustive
def test_a_comparison_whose_job_is_cancelled_has_the_same_table(tmp_path):
    alone = run("compare", tmp_path, *SMALL, "runs_dir=alone")
    assert alone.returncode == 0, alone.stderr
    cancelled: list[str] = []

    def cancel() -> None:
        """The first job, once a run of it is under way."""
        deadline = time.monotonic() + LATEST
        while not list(tmp_path.glob("jobs/*/metrics.jsonl")) and time.monotonic() < deadline:
            time.sleep(0.1)
        cancelled.extend(jobs()[:1])
        subprocess.run(["scancel", *cancelled], check=True)

    thread = threading.Thread(target=cancel)
    thread.start()
    options = ["engine=dask_slurm", "engine.scale=2", "engine.cluster.memory=2GB", OWN]
    together = run("compare", tmp_path, *SMALL, "runs_dir=jobs", *options, "engine.retries=3")
    thread.join()
    assert together.returncode == 0, together.stdout + together.stderr
    assert cancelled
    tables = [(tmp_path / name / "table.md").read_bytes() for name in ("alone", "jobs")]
    assert tables[0] == tables[1]
    assert jobs() == []  # what the command has started has ended with it


@exhaustive
def test_runs_are_jobs_and_the_one_that_fails_is_named(tmp_path):
    small = ["experiment=smoke", "norm=none", "model.bidirectional=false", "train.probe_every=0"]
    launcher = ["hydra/launcher=submitit_slurm", "hydra.launcher.mem_gb=2"]
    both = ["optim.learning_rate=0.01,-1", "hydra.launcher.cpus_per_task=1"]
    done = run("train", tmp_path, "-m", *small, *launcher, *both)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 of 2 jobs failed" in done.stderr and "optim.learning_rate=-1" in done.stderr
    assert len(list(tmp_path.glob("runs/smoke/*/result.json"))) == 1
    logs = "".join(path.read_text() for path in tmp_path.glob("runs/smoke/.multirun/*/*/*_log.out"))
    assert "test accuracy" in logs


@exhaustive
def test_tasks_of_one_array_that_run_together_have_names_of_their_own(tmp_path):
    """The last task's job has the number of the whole array."""
    code = (
        "import os, time; from seqnorm.lab.multirun.worker import show_in_the_queue; "
        "show_in_the_queue('s' + os.environ['SLURM_ARRAY_TASK_ID']); time.sleep(600)"
    )
    script = tmp_path / "job.sh"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{code}"\n')
    options = ["--array=0-1", "--mem=1G", "--output=/dev/null", f"--chdir={ROOT}"]
    options.append("--export=ALL,SUBMITIT_EXECUTOR=slurm")
    subprocess.run(["sbatch", *options, str(script)], check=True, capture_output=True)
    deadline = time.monotonic() + LATEST
    names: list[str] = []
    while names != ["seqnorm-s0", "seqnorm-s1"] and time.monotonic() < deadline:
        time.sleep(0.2)
        done = subprocess.run(["squeue", "-h", "-o", "%j"], capture_output=True, text=True)
        names = sorted(done.stdout.split())
    subprocess.run(["scancel", "--name=seqnorm-s0,seqnorm-s1"], check=True)
    assert names == ["seqnorm-s0", "seqnorm-s1"]
