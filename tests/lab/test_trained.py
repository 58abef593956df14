"""A finished run answers what its test part was answered with, and what nobody has seen."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seqnorm.lab import data, load
from seqnorm.lab.commands import predict as command
from seqnorm.lab.config.compose import compose
from seqnorm.lab.errors import UserError
from seqnorm.lab.trained import Trained
from seqnorm.lab.training import require_tensorflow
from tests.lab.data.own_series import ROWS, TAGS, save, ts_text

SMALL = ("experiment=smoke", "norm=layer", "data.max_length=12", "data.truncate=head")


def trained(folder: Path, *overrides: str) -> Path:
    require_tensorflow()
    from seqnorm.lab.training.run import run

    config = compose([*overrides, f"runs_dir={folder}"])
    return folder / str(run(config).run)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return trained(tmp_path_factory.mktemp("texts"), *SMALL)


@pytest.fixture(scope="module")
def texts(folder) -> list[str]:
    """The test part as texts, whole: the run cut them."""
    dataset = data.load(compose([*SMALL, "data.max_length=200"]).data, 0)
    return [dataset.decode(row) for row in dataset.test.sequences]


def test_texts_get_the_answers_that_the_run_gave_them(folder, texts):
    answers = load(folder).predict(texts, batch_size=7)
    with np.load(folder / "predictions.npz") as kept:
        names = kept["label_names"][kept["predicted"]].tolist()
        assert [answer["label"] for answer in answers] == names
        found = [answer["probability"] for answer in answers]
        np.testing.assert_allclose(found, kept["probability"], atol=1e-5)
    assert all(sum(answer["probabilities"].values()) == pytest.approx(1) for answer in answers)


def test_no_row_is_no_answer_and_what_is_no_text_is_named(folder):
    run = load(folder)
    assert run.predict([]) == []
    with pytest.raises(ValueError, match=r"received rows\[1\] of list"):
        run.predict(["a film", [3, 4]])


def test_numbers_are_scaled_as_in_training(tmp_path):
    few = ("data.examples=60", "data.test_examples=9", "data.max_length=6", "cell.units=4")
    chosen = ("experiment=smoke", "data=adding", "task=regression", *few)
    folder = trained(tmp_path, *chosen)
    rows = data.load(compose(chosen).data, 0, "number").test.sequences
    run = load(folder)
    with np.load(folder / "predictions.npz") as kept:
        found = [answer["number"] for answer in run.predict(list(rows))]
        np.testing.assert_allclose(found, kept["predicted"], atol=1e-5)
    with pytest.raises(ValueError, match=r"rows\[0\]: .*\[time, 2\] of number, mark.*list\[1, 3\]"):
        run.predict([[[1.0, 2.0, 3.0]]])


@pytest.fixture(scope="module")
def of_series(tmp_path_factory) -> Path:
    """A run on labels of steps, in a folder with its data."""
    place = tmp_path_factory.mktemp("series")
    save(place / "a.npz", labels=TAGS, features=np.array(["x", "y"]))
    chosen = ("data=series", "task=tagging", "norm=none", "cell.units=4", "train.epochs=1")
    return trained(place, *chosen, f"data.train={place / 'a.npz'}", "data.missing=mask")


def test_a_step_that_misses_a_number_gets_no_answer_and_the_others_keep_theirs(of_series):
    run = load(of_series)
    hole = np.insert(ROWS[2], 1, np.nan, axis=0)
    whole, found = (run.predict([row])[0]["labels"] for row in (ROWS[2], hole))
    assert len(whole) == 4 and found == [whole[0], None, *whole[1:]]
    again = replace(
        run, config=replace(run.config, data=replace(run.config.data, missing="refuse"))
    )
    with pytest.raises(
        ValueError, match=r"rows\[1\]: each step needs all its numbers.* x at step 2"
    ):
        again.predict([ROWS[2], hole])


def test_a_file_of_numbers_is_answered_and_a_bad_row_does_not_end_it(of_series, tmp_path, capsys):
    broken = [ROWS[0], ROWS[2] * np.inf, ROWS[4]]
    path = tmp_path / "b.ts"
    path.write_text(ts_text(rows=broken, labels="aaa") + "1,2:3:a\n")
    assert command.main([str(of_series), str(path)]) == 1
    out, err = capsys.readouterr()
    lines = [json.loads(line) for line in out.splitlines()]
    assert [len(line.get("labels", ())) for line in lines] == [3, 0, 5, 0]
    assert "each number must be finite" in lines[1]["error"]
    assert "as many steps each, received 2, 1" in lines[3]["error"]
    assert "2 rows, " in err and "2 rows could not be answered" in err


def test_a_folder_that_keeps_no_network_is_refused(tmp_path, folder):
    with pytest.raises(UserError, match="needs the folder of a finished run"):
        load(tmp_path)
    trial = trained(tmp_path, *SMALL, "train.test=false")
    with pytest.raises(UserError, match=r"kept its model as model\.keras.*tried a setting"):
        load(trial)


def test_one_bad_row_does_not_end_a_file(folder, tmp_path, capsys):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "a good film"}\n{"text"\n{"text": ""}\n{"text": "bad"}\n')
    assert command.main([str(folder), str(path)]) == 1
    out, err = capsys.readouterr()
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["row"] for line in lines] == [1, 2, 3, 4]
    assert [sorted(line)[0] for line in lines] == ["label", "error", "error", "label"]
    assert "2 texts" in err and "2 rows could not be answered" in err


def test_a_table_is_read_by_its_column_and_answered_as_one(folder, tmp_path, capsys):
    path = tmp_path / "rows.csv"
    path.write_text('id,review\n1,"a good, warm film"\n2,a bad film\n')
    assert command.main([str(folder), str(path), "--text", "review", "--csv"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "row,answer,probability,error" and len(lines) == 3
    both = [answer["label"] for answer in load(folder).predict(["a good, warm film", "a bad film"])]
    assert [line.split(",")[1] for line in lines[1:]] == both
    assert command.main([str(folder), str(path)]) == 1
    assert "received --text text, and its columns are id, review" in capsys.readouterr().err


def test_plain_lines_are_texts(folder, tmp_path, capsys, monkeypatch):
    path = tmp_path / "lines"
    path.write_text("a good film\r\nbad\n")
    assert command.main([str(folder), str(path)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    monkeypatch.setattr(Trained, "predict", lambda self, texts: [{"label": "x"} for _ in texts])
    assert command.main([str(folder), str(path)]) == 0
