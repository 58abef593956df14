from __future__ import annotations

import gzip
import json

import keras
import numpy as np
import pytest

from seqnorm.lab import data
from seqnorm.lab.config.data import DataConfig
from seqnorm.lab.data import imdb_ids
from tests.lab.data.files import cut
from tests.tiers import exhaustive


def config(folder, **changes) -> DataConfig:
    values = {"num_words": 1000, "max_length": 50, "validation_fraction": 0.25, **changes}
    return DataConfig(name="imdb_ids", dir=str(folder), **values)


def write(folder, documents=40):
    rng = np.random.default_rng(0)
    arrays = {}
    for part in ("train", "test"):
        rows = np.empty(documents, dtype=object)
        rows[:] = [rng.integers(1, 21, rng.integers(1, 9)).tolist() for _ in range(documents)]
        arrays |= {f"x_{part}": rows, f"y_{part}": np.arange(documents) % 2}
    np.savez(folder / imdb_ids.ROWS, **arrays)
    index = {f"word{rank}": rank for rank in range(1, 21)}
    (folder / imdb_ids.INDEX).write_text(json.dumps(index))
    return folder


def test_a_small_file_is_shuffled_shifted_and_named(tmp_path, no_network):
    dataset = data.load(config(write(tmp_path)), 0)
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (30, 10, 40)
    assert dataset.label_names == ("negative", "positive")
    assert dataset.test.labels.tolist() != [index % 2 for index in range(40)]  # Keras's shuffle
    row = dataset.train.sequences[0]
    assert row[0] == 1 and (row[1:] >= 4).all()
    assert dataset.decode(row).split() == [f"word{number - 3}" for number in row[1:]]
    assert not no_network


def test_a_label_of_no_class_is_refused(tmp_path):
    path = write(tmp_path) / imdb_ids.ROWS
    with np.load(path, allow_pickle=True) as stored:
        arrays = dict(stored)
    for label in (2, -1):
        arrays["y_train"][3] = label
        np.savez(path, **arrays)
        with pytest.raises(OSError, match=r"labels from 0 to 1, received labels from"):
            data.load(config(tmp_path), 0)


@pytest.mark.parametrize("name", [imdb_ids.ROWS, imdb_ids.INDEX])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_truncated_file_is_one_error_that_names_it(tmp_path, name, share):
    cut(write(tmp_path) / name, share)
    with pytest.raises(OSError, match=rf"{name} must be .*damaged or incomplete"):
        data.load(config(tmp_path), 0)


@pytest.fixture(scope="module")
def whole(real_data):
    """Everything as published, nothing cut and no word unknown."""
    return data.load(config(real_data, num_words=90_000, max_length=3000), 0)


def test_published_counts_and_keras_sequences(whole, real_data):
    train, test = imdb_ids.read(real_data / imdb_ids.ROWS)
    assert train[0].lengths[:5].tolist() == [217, 188, 140, 549, 146]  # 218, 189, ... with START
    assert train[1][:10].tolist() == [1, 0, 0, 1, 0, 0, 1, 0, 1, 0]
    # The beginning of the sequence that every Keras tutorial prints.
    first = [1, 14, 22, 16, 43, 530, 973, 1622, 1385, 65]
    assert [1, *(train[0][0] + 3).tolist()][:10] == first
    assert (train[0].lengths + 1).mean() == pytest.approx(238.71364)
    assert (test[0].lengths + 1).mean() == pytest.approx(230.8042)
    assert (len(whole.train) + len(whole.validation), len(whole.test)) == (25_000, 25_000)
    assert whole.vocabulary.size == 88_584 + 4
    assert np.bincount(whole.test.labels).tolist() == [12_500, 12_500]
    np.testing.assert_array_equal(whole.test.sequences[7][1:], test[0][7] + 3)
    np.testing.assert_array_equal(whole.test.labels, test[1])


@exhaustive
def test_ids_are_those_of_keras_itself(real_data, monkeypatch):
    """Keras's own loader, spared only its download."""
    path = str(real_data / imdb_ids.ROWS)
    monkeypatch.setattr("keras.src.datasets.imdb.get_file", lambda *_, **__: path)
    (rows, labels), (test_rows, test_labels) = keras.datasets.imdb.load_data(num_words=10_000)
    ours = data.load(config(real_data, num_words=10_000, max_length=3000, validation_first=5000), 0)
    assert [row.tolist() for row in ours.test.sequences] == test_rows.tolist()
    assert ours.test.labels.tolist() == test_labels.tolist()
    assert [row.tolist() for row in ours.train.sequences] == rows[5000:].tolist()
    assert [row.tolist() for row in ours.validation.sequences] == rows[:5000].tolist()
    assert [*ours.validation.labels, *ours.train.labels] == labels.tolist()


def test_decoding_gives_the_words_of_the_review(whole, real_data):
    """Against the raw text, of which the first test reviews come through Keras's shuffle."""
    rng = np.random.RandomState(113)
    rng.shuffle(np.arange(25_000))
    order = np.arange(25_000)
    rng.shuffle(order)
    with gzip.open(real_data / "aclImdb.jsonl.gz", "rt", encoding="utf-8") as file:
        texts = [json.loads(line)["text"] for line in file][25_000:]
    same = 0
    for place in range(500):
        row = whole.test.sequences[place]
        words = whole.vocabulary.encode(texts[order[place]])
        decoded = whole.decode(row)
        assert whole.vocabulary.encode(decoded).tolist() == row[1:].tolist()
        known = [whole.vocabulary.words[number] for number in words if number != 2]
        same += decoded.split(" ") == known
    assert same >= 495  # the publishers made only ASCII letters small
