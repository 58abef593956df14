"""Run folders: what becomes a record, and what is refused why."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from seqnorm.lab.flat import flatten
from seqnorm.lab.runs.files import RunFolderError
from seqnorm.lab.runs.find import find_run_folders, read_runs
from seqnorm.lab.runs.read import read_run
from tests.lab.report.fabricate import fabricate_run


def test_reads_what_a_run_wrote(tmp_path: Path) -> None:
    folder = fabricate_run(tmp_path, norm="batch", seed=4, accuracy=0.875, seconds=12.5)
    run = read_run(folder)
    result = run.result
    assert run.name == result.run == folder.name
    assert (result.data, result.cell, result.norm) == ("imdb", "lstm", "batch")
    assert (result.seed, result.status, result.diverged) == (4, "completed", False)
    assert (result.train_seconds, result.baseline) == (12.5, 0.5)
    assert result.test == {"accuracy": 0.875, "macro_f1": pytest.approx(0.865)}
    assert run.config["optim.learning_rate"] == 1e-3
    assert run.config["norm.epsilon"] == 1e-5
    assert run.environment["git"]["commit"] == "0123abc"


def test_curve_is_that_of_the_epoch_records(tmp_path: Path) -> None:
    folder = fabricate_run(tmp_path, epochs=3)
    records = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    expected = [record["val_loss"] for record in records if record["event"] == "epoch"]
    steps, seconds, values = read_run(folder).history("val_loss").T
    assert np.isfinite(seconds).all()
    np.testing.assert_array_equal(steps, [100, 200, 300])
    np.testing.assert_array_equal(values, expected)
    assert len(read_run(folder).history("loss")) == 3  # "train" records have a loss as well
    assert read_run(folder).history("no_such_metric").size == 0


def test_curve_leaves_out_what_is_not_finite(tmp_path: Path) -> None:
    run = read_run(fabricate_run(tmp_path, epochs=3, diverged=True))
    assert run.history("val_loss")[:, 0].tolist() == [100, 200]
    assert run.history("val_accuracy")[:, 0].tolist() == [100, 200, 300]


@pytest.mark.parametrize(
    "line",
    [b'{"event": "epoch", "val_loss": 0.', b'["val_loss"]', b'{"val_loss": 1}', b'\xff"val_loss"'],
)
def test_damaged_curve_names_the_line(tmp_path: Path, line: bytes) -> None:
    folder = fabricate_run(tmp_path, epochs=1)
    with (folder / "metrics.jsonl").open("ab") as file:
        file.write(line + b"\n")
    with pytest.raises(RunFolderError, match=r"metrics\.jsonl must hold .* line 4 .*Mend"):
        read_run(folder).history("val_loss")
    (folder / "metrics.jsonl").unlink()
    with pytest.raises(RunFolderError, match=r"metrics\.jsonl must be readable"):
        read_run(folder).history("val_loss")


def test_probes(tmp_path: Path) -> None:
    with_probes = fabricate_run(tmp_path, seed=1)
    run = read_run(with_probes)
    with np.load(with_probes / "probes.npz") as stored:
        assert sorted(run.probes()) == sorted(stored.files)
        np.testing.assert_array_equal(run.probes()["rows"], stored["rows"])
    assert read_run(fabricate_run(tmp_path, seed=2, probes=False)).probes() == {}
    np.save(tmp_path / "array.npy", np.zeros(2))
    no_archive = (tmp_path / "array.npy").read_bytes()
    for content in (b"", b"no archive", b"PK\x03\x04 cut off", no_archive):
        (with_probes / "probes.npz").write_bytes(content)
        with pytest.raises(RunFolderError, match=r"probes\.npz must be a NumPy archive"):
            run.probes()


def test_a_run_that_failed_is_told_by_its_reason(tmp_path: Path) -> None:
    folder = fabricate_run(tmp_path / "a", finished=False)
    (folder / "error.txt").write_text("epoch 1/2\nTraceback ...\nZeroDivisionError: a fault\n")
    with pytest.raises(RunFolderError, match=r"a run that failed\..*ZeroDivisionError: a fault\."):
        read_run(folder)


def test_unfinished_run_is_no_record(tmp_path: Path) -> None:
    folder = fabricate_run(tmp_path, finished=False)
    with pytest.raises(RunFolderError, match=r"needs result\.json.*unfinished run.*Wait"):
        read_run(folder)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("result.json", '{"a":', r"result\.json must be valid JSON; received a damaged file"),
        ("result.json", "", r"result\.json must be valid JSON"),
        ("result.json", "[1]", r"result\.json must hold keys and values; received a list"),
        ("config.yaml", "a: [", r"config\.yaml must be valid YAML"),
        ("config.yaml", "", r"config\.yaml must hold keys and values; received a NoneType"),
        ("config.yaml", None, r"a run folder needs config\.yaml"),
        ("environment.json", "{", r"environment\.json must be valid JSON"),
    ],
)
def test_damaged_file_is_refused(
    tmp_path: Path, name: str, content: str | None, message: str
) -> None:
    folder = fabricate_run(tmp_path)
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_text(content)
    with pytest.raises(RunFolderError, match=message):
        read_run(folder)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    folder = fabricate_run(tmp_path)
    (folder / "result.json").write_bytes(b"\xff\xfe\x00{")
    with pytest.raises(RunFolderError, match=r"result\.json must be valid JSON"):
        read_run(folder)


def test_missing_environment_is_fine(tmp_path: Path) -> None:
    folder = fabricate_run(tmp_path)
    (folder / "environment.json").unlink()
    assert read_run(folder).environment == {}


def test_finds_run_folders_at_any_depth_once(tmp_path: Path) -> None:
    first = fabricate_run(tmp_path / "a", seed=1)
    second = fabricate_run(tmp_path / "b" / "c", seed=2)
    unfinished = fabricate_run(tmp_path / "b", seed=3, finished=False)
    empty = tmp_path / "imdb-lstm-layer-s9-20260101-120000-00ff"
    empty.mkdir()
    (first / "wandb" / "files").mkdir(parents=True)
    (first / "wandb" / "files" / "config.yaml").write_text("a: 1")
    hidden = tmp_path / ".hydra"
    hidden.mkdir()
    (hidden / "config.yaml").write_text("a: 1")
    (tmp_path / "report").mkdir()
    assert sorted(find_run_folders(tmp_path)) == sorted([first, second, unfinished, empty])

    records, ignored = read_runs([tmp_path, first, tmp_path / "b"])
    assert [record.result.seed for record in records] == [1, 2]
    assert {item.folder for item in ignored} == {unfinished.resolve(), empty.resolve()}


def test_one_run_folder_is_enough(tmp_path: Path) -> None:
    folder = fabricate_run(tmp_path)
    records, ignored = read_runs([folder])
    assert [record.name for record in records] == [folder.name]
    assert ignored == []


def test_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"received .*nowhere.*no folder\. Give"):
        read_runs([tmp_path / "nowhere"])
    with pytest.raises(FileNotFoundError, match=r"at least one run folder.*there is none\. Train"):
        read_runs([tmp_path])


def test_flatten() -> None:
    nested = {"a": {"b": 1, "c": {"d": [1, 2]}}, "e": None, "f": {}}
    assert flatten(nested) == {"a.b": 1, "a.c.d": [1, 2], "e": None}
