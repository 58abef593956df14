"""submitit on this machine, and what stands in the presets for SLURM."""

from __future__ import annotations

from pathlib import Path

import pytest

from seqnorm.lab.commands.train import main as train
from seqnorm.lab.multirun.jobs import Multirun
from tests.lab.multirun.conftest import LATEST, Start
from tests.lab.multirun.stand_in.seeds import FAILS
from tests.tiers import exhaustive

pytest.importorskip("hydra_plugins.hydra_submitit_launcher")


@exhaustive
def test_failed_jobs_are_listed_and_the_files_of_submitit_stay_below_runs_dir(
    tmp_path: Path, start: Start
):
    process = start(f"seed=1,{FAILS}", "norm=none", "hydra/launcher=submitit_local")
    _, err = process.communicate(timeout=LATEST)
    assert process.returncode == 1
    assert err == (f"seqnorm-train: 1 of 2 jobs failed:\n  [seed={FAILS} norm=none] no such data\n")
    logs = "".join(path.read_text() for path in tmp_path.glob("runs/.multirun/*/*/*_log.out"))
    assert "[seed=1] begins\n" in logs
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]


def test_slurm_jobs_have_a_name_files_that_nodes_see_and_go_on_after_a_limit(capsys):
    slurm = ["hydra/launcher=submitit_slurm"]
    assert train([*slurm, "--cfg", "hydra", "-p", "hydra.launcher"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "submitit_folder: ${hydra.sweep.dir}/%j" in lines
    assert "timeout_min: 240" in lines and "max_num_timeout: 3" in lines


def test_a_limit_that_a_job_is_told_of_at_once_is_refused(capsys):
    options = ["hydra/launcher=submitit_slurm", "hydra.launcher.timeout_min=2"]
    assert train(["-m", "data=synthetic", *options]) == 1
    said = capsys.readouterr().err
    assert "received signal_delay_s=120 and timeout_min=2, 120 s" in said
    assert "Set hydra.launcher.signal_delay_s=60" in said


@pytest.mark.parametrize(
    ("folders", "numbers"),
    [(["3"], "3"), (["11_0", "11_1"], "11"), (["9", "10_0", "10_1"], "9 10"), ([], "--me")],
)
def test_what_cancels_the_jobs_in_a_queue_names_them_alone(folders, numbers, tmp_path):
    for name in [*folders, "jobs"]:
        (tmp_path / name).mkdir()
    multirun = object.__new__(Multirun)
    multirun.queued, multirun.folder, multirun.runs_dir = True, tmp_path, tmp_path
    assert multirun.in_the_queue().endswith(f"To cancel them: scancel {numbers}")
