"""A finished run answers what its test part was answered with, and what nobody has seen."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seqnorm.lab import data, load
from seqnorm.lab.config.compose import compose
from seqnorm.lab.data import mnist_series, scale
from seqnorm.lab.errors import UserError
from seqnorm.lab.trained import kept
from seqnorm.lab.training import require_tensorflow
from tests.lab.data.own_series import ROWS, TAGS, save

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
    with pytest.raises(ValueError, match=r"received rows\[1\]=' ', which is blank"):
        run.predict(["a film", " "])
    assert run.predict(text for text in ["a film"]) == run.predict(["a film"])


class Table(list):
    """Gives its columns one after the other, as a DataFrame does."""

    columns = ("text",)


@pytest.mark.parametrize("rows", ["a film", b"a film", {"text": "a film"}, {"a film"}, 3, Table()])
def test_what_would_be_answered_by_its_letters_or_keys_is_refused(rows, folder):
    with pytest.raises(TypeError, match=f"needs a list of rows, received {type(rows).__name__}"):
        load(folder).predict(rows)


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


def test_steps_are_put_into_the_order_of_the_run(of_series):
    run = load(of_series)
    assert run.scale is not None
    mixed = replace(run, scale=replace(run.scale, order=(2, 0, 1)))
    assert mixed.predict([ROWS[0]]) == run.predict([ROWS[0][[2, 0, 1]]])
    mixed.scale.save(of_series.parent / "mixed.json")
    assert type(run.scale).load(of_series.parent / "mixed.json") == mixed.scale
    with pytest.raises(ValueError, match=r"rows\[0\]: rows need 3 steps.* received 4"):
        mixed.predict([ROWS[2]])


def test_a_permuted_run_answers_digits_in_their_natural_order(of_series, tmp_path):
    """Also one that was made before the order was kept: it goes by the name of the data."""
    run = load(of_series)
    config = replace(run.config, data=replace(run.config.data, name=mnist_series.PERMUTED))
    run.scale.save(tmp_path / scale.FILE)
    found = kept._scale(tmp_path, config)
    assert found is not None and list(found.order) == mnist_series.order().tolist()
    assert kept._scale(tmp_path, run.config) == run.scale


def test_a_folder_that_keeps_no_network_is_refused(tmp_path, folder):
    with pytest.raises(UserError, match="needs the folder of a finished run"):
        load(tmp_path)
    trial = trained(tmp_path, *SMALL, "train.test=false")
    with pytest.raises(UserError, match=r"kept its model as model\.keras.*tried a setting"):
        load(trial)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nowhere", "'[^']*nowhere', which is not there"),
        ("run/model.keras", "model.keras', which is a file and no folder. Name its folder, .*run"),
        ("notes.txt", "notes.txt', which is a file and no folder. Name one"),
        (".", "a folder of 1 run. Name one of them, such as .*/run"),
        ("begun", "begun', an unfinished run without result.json"),
        ("empty", "empty', a folder without a run: it has neither config.yaml nor result.json"),
        ("x" * 300, r"x\.\.\.', which cannot be looked at \(File name too long\)"),
        ("damaged", "damaged', of which result.json must be valid JSON"),
    ],
)
def test_what_is_no_run_is_told_apart_and_nobody_is_told_to_delete_it(name, said, tmp_path):
    for place in ("run", "begun", "empty", "damaged"):
        (tmp_path / place).mkdir()
    for file in ("run/config.yaml", "run/result.json", "run/model.keras", "begun/config.yaml"):
        (tmp_path / file).touch()
    if name == "damaged":
        (tmp_path / "damaged" / "result.json").write_text("{")
    (tmp_path / "notes.txt").touch()
    with pytest.raises(UserError, match=said) as caught:
        load(tmp_path / name)
    assert "delete" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("vocabulary.json", None, "a run needs vocabulary.json"),
        (
            "vocabulary.json",
            9,
            r"vocabulary.json must hold the [\d,]+ words of its network; received 9",
        ),
        ("vocabulary.json", "{", "vocabulary.json must be as the run wrote it"),
        ("model.keras", "half", "model.keras must be as the run wrote it.*incomplete or damaged"),
        ("predictions.npz", "x", "predictions.npz must be as the run wrote it"),
    ],
)
def test_a_file_of_the_run_that_is_gone_or_damaged_is_named(name, change, said, folder, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(folder, copy)
    path = copy / name
    if change is None:
        path.unlink()
    elif change == 9:
        words = json.loads(path.read_text())
        path.write_text(json.dumps({**words, "words": words["words"][:9]}))
    elif change == "half":
        path.write_bytes(path.read_bytes()[:-100])
    else:
        path.write_text(change)
    with pytest.raises(UserError, match=said):
        load(copy)
