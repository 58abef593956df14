"""Texts are cut into words once, and again whenever what decides their words is another."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from seqnorm.lab import data
from seqnorm.lab.config.compose import compose
from seqnorm.lab.data import kept
from seqnorm.lab.data.kept import Keeper, Source, find
from seqnorm.lab.data.spec import Dataset, Sequences

SAID = "Reading reviews.csv"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("SEQNORM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "texts"


@pytest.fixture
def reviews(tmp_path) -> Path:
    path = tmp_path / "reviews.csv"
    words = ("bad", "good")
    lines = [f"{words[row % 2]} film number {row},{row % 2},film {row}" for row in range(60)]
    path.write_text("\n".join(["review,stars,title", *lines]) + "\n")
    return path


def load(path: Path, *overrides: str, task: str = "classification") -> Dataset:
    columns = ["data=files", f"data.train={path}", "data.text=review", "data.label=stars"]
    config = compose([*columns, f"task={task}", *overrides])
    return data.load(config.data, config.seed, config.task.LABELS)


def everything(dataset: Dataset) -> Iterator[object]:
    for split in (dataset.train, dataset.validation, dataset.test):
        yield from (split.sequences.values.tolist(), split.sequences.lengths.tolist())
        yield split.labels.tolist()
    yield from (dataset.vocabulary.words, dataset.label_names)


def test_the_second_run_reads_nothing_and_has_the_same_data(reviews, capfd):
    first = load(reviews)
    assert SAID in capfd.readouterr().err
    again = load(reviews)
    assert SAID not in capfd.readouterr().err
    assert [*everything(again)] == [*everything(first)]
    other_seed = load(reviews, "seed=5")
    assert SAID not in capfd.readouterr().err
    os.environ["SEQNORM_CACHE"] = "off"
    assert [*everything(load(reviews, "seed=5"))] == [*everything(other_seed)]
    assert SAID in capfd.readouterr().err


@pytest.mark.parametrize(
    "other", ["data.tokenizer=characters", "data.lowercase=false", "data.text=title"]
)
def test_words_that_are_cut_in_another_way_are_read_anew(reviews, other, capfd):
    load(reviews)
    capfd.readouterr()
    load(reviews, other)
    assert SAID in capfd.readouterr().err


def test_a_file_that_has_changed_is_read_anew(reviews):
    load(reviews)
    reviews.write_text(reviews.read_text().replace("film", "book"))
    assert "book" in load(reviews).vocabulary.words


def test_labels_that_another_task_does_not_take_are_refused_all_the_same(reviews):
    reviews.write_text(reviews.read_text().replace(",1,film", ",much,film"))
    load(reviews)
    with pytest.raises(ValueError, match=r"reviews\.csv, line 3.*needs a number.*much"):
        load(reviews, task="regression")


def test_an_entry_that_is_damaged_is_made_again(reviews, cache, capfd):
    first = load(reviews)
    [entry] = cache.iterdir()
    (entry / "data.train.values.npy").write_bytes(b"nothing")
    capfd.readouterr()
    assert [*everything(load(reviews))] == [*everything(first)]
    assert SAID in capfd.readouterr().err
    load(reviews)
    assert SAID not in capfd.readouterr().err


def test_a_folder_that_takes_nothing_is_said_and_costs_no_run(reviews, cache, capfd):
    cache.parent.write_text("a file")
    assert len(load(reviews).train.labels)
    said = capfd.readouterr().err
    assert "The words of files are not kept for the next run" in said and "SEQNORM_CACHE" in said


def keep(source: Source, rows: Sequences) -> None:
    keeper = Keeper(source)
    keeper.add("train", rows, [1])
    keeper.finish(["word"])


def test_what_was_not_used_for_longest_goes_first(tmp_path, cache, monkeypatch):
    rows = Sequences(np.arange(1000), [0, 1000])
    size = rows.values.nbytes + rows.offsets.nbytes
    monkeypatch.setattr(kept, "LIMIT", 3 * size)  # and less than that of three with their words
    sources = [Source(name, (), {}) for name in "abcd"]
    for age, source in enumerate(sources[:2]):
        keep(source, rows)
        os.utime(cache / source.entry, (age, age))
    assert find(sources[0])  # which makes it the one that was used last
    keep(sources[2], rows)
    assert [bool(find(source)) for source in sources[:3]] == [True, False, True]
    shutil.rmtree(cache)
    assert find(sources[0]) is None


def test_reading_that_fails_leaves_nothing(reviews, cache):
    reviews.write_text(reviews.read_text() + "no label\n")
    with pytest.raises(ValueError, match="line 62"):
        load(reviews)
    gc.collect()
    assert list(cache.iterdir()) == []


def test_labels_that_no_file_can_hold_are_said_and_cost_no_run(cache, capfd):
    keeper = Keeper(Source("mine", (), {}))
    keeper.add("train", Sequences(np.arange(3), [0, 3]), [object()])
    keeper.finish(["word"])
    assert "The words of mine are not kept for the next run" in capfd.readouterr().err
    assert find(Source("mine", (), {})) is None
