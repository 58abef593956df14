"""``seqnorm-train``: help, messages, exit codes, and what it leaves behind."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import hydra
import pytest
from hydra.errors import MissingConfigException

from seqnorm.lab.commands.compare import main as compare
from seqnorm.lab.commands.train import main as train
from seqnorm.lab.config.compose import explain
from seqnorm.lab.config.schema import conf_dir
from tests.tiers import exhaustive

SCRIPT = Path(conf_dir()).parent / "scripts" / "train.py"
SMOKE = ["experiment=smoke", "train.probe_every=0"]


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_script(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The script as a process of its own, in a folder."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, str(SCRIPT), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment)


def message(capsys) -> str:
    """The one message of a failed command; a traceback is none."""
    text = capsys.readouterr().err
    assert "Traceback" not in text
    lines = [line for line in text.splitlines() if line.startswith("seqnorm-train: ")]
    assert len(lines) == 1
    return lines[0]


def test_help_lists_every_choice(capsys):
    assert train(["--help"]) == 0
    text = capsys.readouterr().out
    for path in conf_dir().glob("*/*.yaml"):
        if path.stem.startswith("compare_"):  # of seqnorm-compare
            assert path.stem not in text
        elif path.parent.name not in (
            "hydra",
            "sweep",
            "engine",
        ):  # the last of seqnorm-compare too
            assert f"\n{path.parent.name}=\n" in text
            assert f" {path.stem} " in text
    assert "* layer" in text and "schema" not in text


def test_help_lists_the_choices_of_a_folder_of_ones_own(tmp_path, capsys):
    (tmp_path / "mine" / "norm").mkdir(parents=True)
    (tmp_path / "mine" / "norm" / "gentle.yaml").write_text("# Layer norm with a small gain.\n")
    assert train(["--config-dir", "mine", "--help"]) == 0
    assert "gentle Layer norm with a small gain." in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["norm=lyer"], "Did you mean layer?"),
        (["norm=5"], "Config group override must be a string"),
        (["norm.epsilom=1"], "Did you mean epsilon?"),
        (["optim.learning_rate=fast"], "could not be converted to Float"),
        (["norm=batch", "data.batch_size=1"], "exactly zero"),
        (["seed=0,1"], "--multirun"),
        (["experiment=compare_imdb"], "seqnorm-compare"),
        (["-m", "norm=layer,lyer"], "Did you mean layer?"),
        (["cell.units=[3"], "no viable alternative"),
        (["--config-dir", "nowhere"], "nowhere"),
        (
            ["-m", "hydra.job.chdir=true", "seed=0"],
            "reports look into; received runs_dir=runs",
        ),
        (["-m", "runs_dir=${hydra:sweep.dir}/a", "seed=0"], "reports look into"),
    ],
)
def test_a_mistake_is_one_message_and_no_run(arguments, expected, tmp_path, capsys):
    assert train(arguments) == 1
    text = capsys.readouterr().err
    assert text.startswith("seqnorm-train: ") and "Traceback" not in text
    assert expected in text
    assert list(tmp_path.iterdir()) == []


def test_a_yaml_file_with_a_mistake_is_named(tmp_path, capsys):
    folder = tmp_path / "mine" / "norm"
    folder.mkdir(parents=True)
    schema = "defaults:\n  - /schema/norm@_here_: layer\n  - _self_\n"
    (folder / "gentle.yaml").write_text(f"{schema}epsilom: 1.0\n")
    assert train(["--config-dir", "mine", "norm=gentle"]) == 1
    assert "In 'norm/gentle': norm has no key 'epsilom'. Did you mean epsilon?" in message(capsys)


def test_a_file_of_ones_own_without_keys_is_told_where_they_come_from(tmp_path, capsys):
    (tmp_path / "mine" / "norm").mkdir(parents=True)
    file = tmp_path / "mine" / "norm" / "gentle.yaml"
    file.write_text("name: layer\ngamma: 0.3\n")
    assert train(["--config-dir", "mine", "norm=gentle"]) == 1
    said = message(capsys)
    assert "In 'norm/gentle': norm has no key 'gamma'." in said
    assert "begin with 'defaults: [CHOICE, _self_]', CHOICE being one of none, layer, rms" in said
    file.write_text("defaults: [layer, _self_]\ngamma: 0.3\n")
    assert train(["--config-dir", "mine", "norm=gentle", "data=synthetic", "--cfg", "job"]) == 0
    assert "gamma: 0.3" in capsys.readouterr().out


def test_missing_data_is_one_message(tmp_path, capsys):
    assert train(["data=imdb", f"data.dir={tmp_path / 'nowhere'}"]) == 1
    assert "nowhere" in message(capsys)


def test_threads_that_are_none_are_one_message_and_no_run(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("SEQNORM_THREADS", "many")
    assert train([*SMOKE]) == 1
    assert "received SEQNORM_THREADS='many'; unset it" in message(capsys)
    assert list(tmp_path.iterdir()) == []


def test_a_refused_argument_is_one_message(capsys):
    assert train([*SMOKE, "norm=group", "norm.groups=7"]) == 1
    assert "groups=7" in message(capsys)


def test_runs_dir_that_is_a_file_is_one_message(tmp_path, capsys):
    (tmp_path / "taken").touch()
    assert train([*SMOKE, "runs_dir=taken"]) == 1
    assert "runs_dir must be a folder" in message(capsys)


def test_a_fault_of_the_program_keeps_its_traceback(monkeypatch, capsys):
    def broken(config):
        raise ZeroDivisionError("a fault")

    monkeypatch.setattr("seqnorm.lab.training.run.run", broken)
    assert train(SMOKE) == 1
    text = capsys.readouterr().err
    assert "Traceback" in text and "ZeroDivisionError: a fault" in text


def test_hydra_full_error_shows_the_traceback_of_a_mistake(monkeypatch, capsys):
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    assert train(["norm=lyer"]) == 1
    assert "Traceback" in capsys.readouterr().err
    assert os.environ["HYDRA_FULL_ERROR"] == "1"


def test_multirun_outlives_a_failing_job_and_passes_over_what_is_finished(tmp_path, capsys):
    jobs = ["norm=none", "cell.cell_norm=output,hope,none"]
    assert train([*SMOKE, *jobs, "-m", "runs_dir=here"]) == 1
    assert "1 of 3 jobs failed:\n  [" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["here"]
    runs = sorted((tmp_path / "here").iterdir())
    assert len(runs) == 2
    results = [json.loads((run / "result.json").read_text()) for run in runs]
    assert [result["status"] for result in results] == ["completed"] * 2
    hashes = {result["config_hash"] for result in results}
    assert len(hashes) == 2
    assert "HYDRA_FULL_ERROR" not in os.environ
    # Once more: what is finished is passed over, what failed is tried again.
    assert train([*SMOKE, *jobs, "-m", "runs_dir=here"]) == 1
    out, err = capsys.readouterr()
    assert out.count("is this run, finished; resume=never makes it again") == 2
    assert "1 of 3 jobs failed:\n  [" in err
    assert sorted((tmp_path / "here").iterdir()) == runs


@exhaustive
def test_jobs_that_a_parallel_launcher_runs_side_by_side(tmp_path):
    floor = ["model=bag_of_words", "data=synthetic", "data.examples=200", "data.test_examples=50"]
    side_by_side = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]
    # In a process of its own: joblib's workers would outlive this test.
    done = run_script(tmp_path, *floor, "seed=0,1", "-m", *side_by_side)
    assert done.returncode == 0, done.stderr
    runs = sorted(path.parent.name for path in tmp_path.glob("runs/*/result.json"))
    assert len(runs) == 2 and "-s0-" in runs[0] and "-s1-" in runs[1]


def test_a_training_called_from_python_is_kept_as_the_command_that_does_the_same(monkeypatch):
    seen: list[list[str]] = []
    monkeypatch.setattr(hydra, "main", lambda **_: lambda job: lambda: seen.append(sys.argv))
    monkeypatch.setattr(sys, "argv", ["scripts/demo.py", "seed=1"])
    assert train(["norm=none,layer", "-m"]) == train() == 0
    assert seen == [["seqnorm-train", "norm=none,layer", "-m"], ["scripts/demo.py", "seed=1"]]


def test_the_script_is_the_command(tmp_path):
    done = run_script(tmp_path, "cell.unitz=3")
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr == (
        "seqnorm-train: cell has no key 'unitz'. Did you mean units? The valid keys are name, "
        "units, dropout, recurrent_dropout, placement, sites, zoneout, init_state, "
        "init_stddev, unit_forget_bias, cell_norm.\n"
    )
    assert len(SCRIPT.read_text(encoding="utf-8").splitlines()) <= 30


def test_a_failure_of_a_multirun_names_its_job(monkeypatch, capsys):
    assert train(["-m", *SMOKE, "norm=batch", "norm.small_batch=hope,shrunk"]) == 1
    lines = capsys.readouterr().err.splitlines()
    overrides = " ".join([*SMOKE, "norm=batch norm.small_batch="])
    jobs = [f"[{overrides}{policy}" for policy in ("hope", "shrunk")]
    assert [line.partition("] ")[0] for line in lines] == [
        *(f"seqnorm-train: {job}" for job in jobs),
        "seqnorm-train: 2 of 2 jobs failed:",
        *(f"  {job}" for job in jobs),  # once more, where they can be seen
    ]

    monkeypatch.setattr("seqnorm.lab.training.run.run", Mock(side_effect=ZeroDivisionError))
    assert train(["-m", *SMOKE]) == 1
    text = capsys.readouterr().err
    assert f"seqnorm-train: [{' '.join(SMOKE)}] failed\nTraceback" in text


def test_a_full_disk_is_one_message(monkeypatch, capsys):
    full = OSError(errno.ENOSPC, "No space left on device", "runs/a/metrics.jsonl")
    monkeypatch.setattr("seqnorm.lab.training.run.run", Mock(side_effect=full))
    assert train(SMOKE) == 1
    assert "No space left on device: 'runs/a/metrics.jsonl'" in message(capsys)


def test_runs_of_one_command_do_not_become_one_wandb_run(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("WANDB_RUN_ID", "x")
    monkeypatch.setenv("WANDB_MODE", "offline")
    assert train(["-m", *SMOKE, "seed=0,1", "tracking=wandb"]) == 1
    assert "received WANDB_RUN_ID=x, which names one. Unset it" in message(capsys)
    assert compare(["experiment=smoke", "tracking=wandb", "compare.name=a"]) == 1
    assert "a comparison needs a W&B run for each" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_launcher_that_is_not_installed_names_its_extra():
    error = MissingConfigException("", "hydra/launcher/submitit_slurm", ["basic"])
    assert "comes with `pip install '.[slurm]'`" in explain(error)
