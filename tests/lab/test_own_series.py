"""The page about rows of numbers of one's own, done as it says; and JapaneseVowels."""

from __future__ import annotations

import json
import os
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from seqnorm.lab.commands.train import main as train
from tests.lab.data.own_series import load
from tests.lab.data.test_bad_series import CASES

PAGE = (Path(__file__).parents[2] / "docs" / "own_series.md").read_text(encoding="utf-8")


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def vowels() -> dict[str, str]:
    """The keys that name the two files, where there are some."""
    folder = os.environ.get("SEQNORM_JAPANESE_VOWELS")
    if not folder:
        pytest.skip("needs SEQNORM_JAPANESE_VOWELS, the folder with JapaneseVowels_TRAIN.ts")
    return {key: f"{folder}/JapaneseVowels_{key.upper()}.ts" for key in ("train", "test")}


def test_the_training_of_the_page(here):
    exec(re.search(r"```python\n(.*?)```", PAGE, flags=re.DOTALL).group(1), {})
    line = next(line for line in PAGE.splitlines() if line.startswith("seqnorm-train data=series"))
    words = [word for word in shlex.split(line)[1:] if not word.startswith("norm")]
    small = ["norm=none", "model.bidirectional=false", "train.epochs=1", "cell.units=4"]
    assert train([*words, *small]) == 0
    (run,) = (here / "runs").iterdir()
    scale = json.loads((run / "scale.json").read_text())
    assert scale["features"] == ["feature 1", "feature 2"]
    with np.load(run / "predictions.npz") as answers:
        assert answers["label_names"].tolist() == ["falling", "rising"]
        assert len(answers["labels"]) == 40


@pytest.mark.parametrize(
    ("said", "case"),
    [
        ("lengths that do not add up", "npz: lengths that do not add up"),
        ("missing number", "npz: NaN"),
        ("infinity", "npz: infinity"),
        ("rows of different length in one array", "npz: dtype object"),
        ("another letter", "ts: label of other letters"),
        ("id with two labels", "Parquet: id with two labels"),
    ],
)
def test_the_messages_of_the_page_are_those_that_are_given(said, case, here):
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| {said} |")]
    for file, content in CASES[case].files.items():
        content(here / file)
    with pytest.raises(ValueError) as caught:
        load(**CASES[case].keys)
    assert str(caught.value) == row.split(" | ")[1].removesuffix(" |").strip("`")


def test_japanese_vowels_are_read_as_they_were_published(vowels):
    dataset = load(**vowels, validation_first=1, standardize=False)
    train, test = dataset.train.sequences, dataset.test.sequences
    assert (len(train) + 1, len(test), dataset.features) == (270, 370, 12)
    assert (train.lengths.min(), test.lengths.min(), test.lengths.max()) == (7, 7, 29)
    assert dataset.label_names == tuple("123456789")
    assert np.bincount(dataset.test.labels).tolist() == [31, 35, 88, 44, 29, 24, 40, 50, 29]
    # The third row, the second one of training here, begins so in the file.
    np.testing.assert_array_equal(train[1][:3, 0], np.float32([1.462484, 1.309815, 1.418207]))


def test_a_short_training_on_japanese_vowels_reaches_what_is_published(vowels, here):
    """From .955 to .986 by Tóth et al. (2023), see the page; one row is .003."""
    files = [f"data.{key}={path}" for key, path in vowels.items()]
    short = ["train.epochs=12", "optim.learning_rate=0.01", "train.probe_every=0", "norm=none"]
    assert train(["experiment=japanese_vowels", *files, *short, "cell=gru", "runs_dir=runs"]) == 0
    (run,) = (here / "runs").iterdir()
    result = json.loads((run / "result.json").read_text())
    assert result["test"]["accuracy"] > 0.95
