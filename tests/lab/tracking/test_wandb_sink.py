"""The real wandb in offline mode, read back from its own file."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import wandb

from seqnorm.lab.errors import UserError
from seqnorm.lab.tracking import MultiSink, WandbSink
from tests.lab.tracking.offline_store import read_offline_run

CONFIG = {"seed": 3, "cell": {"name": "lstm", "units": 8}, "data": {"dir": None}}


def offline_sink(**arguments: object) -> WandbSink:
    return WandbSink(**{"mode": "offline", "project": "norms", **arguments})  # type: ignore[arg-type]


def run_folder(parent: Path, name: str) -> Path:
    folder = parent / name
    folder.mkdir()
    return folder


def test_offline_run_holds_name_config_numbers_and_summary(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    losses = rng.normal(size=4).astype(np.float32)
    folder = run_folder(tmp_path, "imdb-lstm-layer-s3")
    sink = offline_sink(group="arms", tags=["a", "b"])
    sink.start(CONFIG, folder.name, folder)
    for index, loss in enumerate(losses):
        sink.log("train", 10 * index, {"loss": loss, "epoch": 1, "seconds": 0.5 * index})
    sink.log("epoch", 40, {"val_accuracy": 0.75, "epoch": 2, "seconds": 3.0})
    sink.log("probe", 40, {"lstm/recurrent/mean": -0.25, "lstm/recurrent/distance": 1.5})
    sink.summary({"status": "completed", "test_accuracy": 0.8125, "message": None})
    sink.close()

    run = read_offline_run(folder)
    assert (run.name, run.project, run.group) == (folder.name, "norms", "arms")
    assert run.tags == ("a", "b")
    assert run.config == {"seed": 3, "cell.name": "lstm", "cell.units": 8, "data.dir": None}
    logged = run.series("train/loss")
    assert [step for step, _ in logged] == [0, 10, 20, 30]
    np.testing.assert_array_equal(np.array([loss for _, loss in logged], np.float32), losses)
    assert run.series("epoch/val_accuracy") == [(40, 0.75)]
    assert run.series("probe/lstm/recurrent/mean") == [(40, -0.25)]
    assert run.series("probe/lstm/recurrent/distance") == [(40, 1.5)]
    assert run.series("seconds", axis="epoch") == [(1, 0.0), (1, 0.5), (1, 1.0), (1, 1.5), (2, 3.0)]
    assert run.axes["train/*"] == run.axes["epoch/*"] == run.axes["probe/*"] == "step"
    assert run.summary["test_accuracy"] == 0.8125
    assert run.summary["status"] == "completed"
    assert run.exit_code == 0


def test_arrays_become_histograms_and_the_last_ones_profiles(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    first, last = rng.normal(size=7), rng.normal(size=5)
    last[3] = np.nan  # a step without a valid row
    folder = run_folder(tmp_path, "run")
    sink = offline_sink()
    sink.start({}, "run", folder)
    sink.arrays(10, {"lstm/recurrent/mean": first, "rows": np.arange(7)})
    sink.arrays(20, {"lstm/recurrent/mean": last, "rows": np.arange(6)})
    sink.close()

    run = read_offline_run(folder)
    histograms = run.series("histogram/lstm/recurrent/mean")
    assert [step for step, _ in histograms] == [10, 20]
    assert [sum(histogram["values"]) for _, histogram in histograms] == [7, 4]
    assert histograms[0][1]["bins"][0] == pytest.approx(first.min())
    assert histograms[0][1]["bins"][-1] == pytest.approx(first.max())
    profile = run.series("profile/lstm/recurrent/mean", axis="profile/time_step")
    assert profile == [(t, pytest.approx(last[t])) for t in (0, 1, 2, 4)]
    assert run.series("profile/rows", axis="profile/time_step") == [(t, t) for t in range(6)]
    assert run.axes["profile/*"] == "profile/time_step"
    stray = [path for path in tmp_path.iterdir() if path.name not in ("run", "wandb-home")]
    assert not stray


def test_nonfinite_values_arrive(tmp_path: Path) -> None:
    folder = run_folder(tmp_path, "run")
    sink = offline_sink()
    sink.start({}, "run", folder)
    sink.log("train", 1, {"loss": float("nan"), "gradient_norm": float("inf")})
    sink.arrays(1, {"lstm/recurrent/mean": np.full(3, np.nan)})
    sink.close()
    run = read_offline_run(folder)
    assert math.isnan(run.series("train/loss")[0][1])
    assert run.series("train/gradient_norm") == [(1, math.inf)]


def test_two_runs_in_one_process_stay_apart(tmp_path: Path) -> None:
    folders = [run_folder(tmp_path, f"run-{seed}") for seed in (1, 2)]
    for seed, folder in enumerate(folders, start=1):
        with MultiSink([offline_sink()]) as sinks:
            sinks.start({"seed": seed}, folder.name, folder)
            sinks.log("train", seed, {"loss": float(seed)})
    first, second = map(read_offline_run, folders)
    assert first.id != second.id
    assert (first.name, second.name) == ("run-1", "run-2")
    assert (first.config, second.config) == ({"seed": 1}, {"seed": 2})
    assert first.series("train/loss") == [(1, 1.0)]
    assert second.series("train/loss") == [(2, 2.0)]


def test_two_open_runs_do_not_write_into_each_other(tmp_path: Path) -> None:
    folders = [run_folder(tmp_path, f"run-{seed}") for seed in (1, 2)]
    sinks = [offline_sink(), offline_sink()]
    for seed, (sink, folder) in enumerate(zip(sinks, folders, strict=True), start=1):
        sink.start({"seed": seed}, folder.name, folder)
    sinks[0].log("train", 1, {"loss": 1.0})
    sinks[1].log("train", 2, {"loss": 2.0})
    for sink in sinks:
        sink.close()
    logged = [read_offline_run(folder).series("train/loss") for folder in folders]
    assert logged == [[(1, 1.0)], [(2, 2.0)]]


def test_exception_closes_the_run_as_failed(tmp_path: Path) -> None:
    folder = run_folder(tmp_path, "run")
    with pytest.raises(ZeroDivisionError), MultiSink([offline_sink()]) as sinks:
        sinks.start({"seed": 1}, "run", folder)
        sinks.log("train", 1, {"loss": 1.0})
        sinks.arrays(1, {"rows": np.arange(2)})
        sinks.log("train", 2, {"loss": 1 / 0})
    run = read_offline_run(folder)
    assert run.exit_code == 1
    assert run.series("train/loss") == [(1, 1.0)]
    assert not run.series("profile/rows", axis="profile/time_step")  # which a whole run has
    assert wandb.run is None


def test_says_only_where_the_offline_run_lies(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = run_folder(tmp_path, "run")
    sink = offline_sink()
    sink.start({}, "run", folder)
    sink.log("train", 1, {"loss": 1.0})
    sink.close()
    (place,) = folder.glob("wandb/offline-run-*")
    out, err = capfd.readouterr()
    assert out == ""
    assert err == f"W&B offline run, upload it with: wandb sync {place}\n"


def test_close_is_safe_before_start_and_twice(tmp_path: Path) -> None:
    sink = offline_sink()
    sink.close(1)
    folder = run_folder(tmp_path, "run")
    sink.start({}, "run", folder)
    sink.close(3)
    sink.close(0)
    assert read_offline_run(folder).exit_code == 3
    with pytest.raises(RuntimeError, match=r"WandbSink\.log needs an open run.*start"):
        sink.log("train", 1, {"loss": 1.0})


@pytest.mark.parametrize("module", [None, types.ModuleType("wandb")], ids=["absent", "folder"])
def test_missing_wandb_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, module: types.ModuleType | None
) -> None:
    monkeypatch.setitem(sys.modules, "wandb", module)
    with pytest.raises(ImportError, match=r"pip install wandb.*tracking=local"):
        offline_sink()


def test_unknown_mode_lists_the_choices() -> None:
    with pytest.raises(ValueError, match=r"online, offline; received mode='onlin'"):
        offline_sink(mode="onlin")


def test_online_without_login_says_what_to_do(tmp_path: Path) -> None:
    # In a process of its own: W&B reads credentials and address once per process.
    program = (
        "import sys, pathlib\n"
        "from seqnorm.lab.tracking import WandbSink\n"
        "WandbSink(mode='online').start({}, 'run', pathlib.Path(sys.argv[1]))\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=Path(__file__).parents[3],
        check=False,
    )
    assert result.returncode == 1
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("seqnorm.lab.errors.UserError: tracking=wandb")
    assert "wandb login" in last and "tracking.mode=offline" in last


@pytest.mark.parametrize("wrong", [{"project": "a/b"}, {"tags": [""]}])
def test_settings_that_wandb_refuses_are_the_users_to_mend(tmp_path: Path, wrong: dict) -> None:
    with pytest.raises(UserError, match=r"settings that W&B takes.*Correct project, entity"):
        offline_sink(**wrong).start({}, "run", run_folder(tmp_path, "run"))


def test_a_table_lies_below_the_run_folder_and_holds_its_rows(tmp_path: Path) -> None:
    folder = run_folder(tmp_path, "run")
    sink = offline_sink(group="compare_reuters", arm="cell=lstm norm=layer")
    sink.start({}, "run", folder)
    rows = [
        ("a good film", "negative", "positive", 0.98, 4),
        ("so <b> bad", "positive", "x", 0.9, 3),
    ]
    sink.table("mistakes", ("text", "label", "predicted", "probability", "tokens"), rows)
    sink.close()
    run = read_offline_run(folder)
    (table,) = [row["mistakes"] for row in run.history if "mistakes" in row]
    assert (table["nrows"], table["ncols"]) == (2, 5)
    (stored,) = folder.glob("wandb/offline-run-*/files/media/table/mistakes*.table.json")
    content = json.loads(stored.read_text(encoding="utf-8"))
    assert [tuple(row) for row in content["data"]] == rows
    assert (run.group, run.job_type) == ("compare_reuters", "cell=lstm norm=layer")
    stray = [path for path in tmp_path.iterdir() if path.name not in ("run", "wandb-home")]
    assert not stray


def test_names_longer_than_wandb_s_server_takes_are_shortened_and_stay_different(
    tmp_path: Path,
) -> None:
    arms = [f"cell=lstm norm=layer data.batch_size=32 optim.learning_rate=0.002 seed={n}" * 2
            for n in (1, 2)]  # fmt: skip
    found = []
    for number, arm in enumerate(arms):
        folder = run_folder(tmp_path, f"run{number}")
        sink = offline_sink(group="g" * 130, arm=arm)
        sink.start({"arm": arm}, folder.name, folder)
        sink.close()
        found.append(read_offline_run(folder))
    assert [len(run.job_type) for run in found] == [64, 64]
    assert found[0].job_type[:55] == arms[0][:55] and found[0].job_type != found[1].job_type
    assert len(found[0].group) == 128 and found[0].group == found[1].group
    assert [run.config["arm"] for run in found] == arms


def test_a_run_of_no_comparison_has_its_cell_and_norm_as_job_type(tmp_path: Path) -> None:
    folder = run_folder(tmp_path, "run")
    sink = offline_sink()
    sink.start({"cell": {"name": "gru"}, "norm": {"name": "rms"}}, "run", folder)
    sink.close()
    assert read_offline_run(folder).job_type == "cell=gru norm=rms"


def test_a_sweep_sees_the_score_of_each_epoch_and_the_summary_only_that_of_the_kept_one(
    tmp_path: Path,
) -> None:
    for number, kept in enumerate((0.75, None)):  # a diverged run has none
        folder = run_folder(tmp_path, f"run{number}")
        sink = offline_sink()
        sink.start(CONFIG, folder.name, folder)
        for epoch, score in enumerate((0.5, 0.75, 0.625), start=1):
            sink.log("epoch", 10 * epoch, {"val_accuracy": score, "epoch": epoch, "seconds": 1.0})
        sink.summary({"val_accuracy": kept} if kept else {"status": "diverged"})
        sink.close()
        run = read_offline_run(folder)
        assert run.series("val_accuracy", axis="epoch") == [(1, 0.5), (2, 0.75), (3, 0.625)]
        assert run.summary.get("val_accuracy") == kept
