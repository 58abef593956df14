from __future__ import annotations

import json

import keras
import numpy as np
import pytest

from seqnorm.lab import data
from seqnorm.lab.config.data import DataConfig
from seqnorm.lab.data.reuters.topics import KERAS46
from tests.lab.data.files import cut, write_reuters


def config(folder, **changes) -> DataConfig:
    values = {"num_words": 1000, "max_length": 50, "validation_fraction": 0.2, **changes}
    return DataConfig(name="reuters", dir=str(folder), **values)


def test_a_small_file_is_divided_shifted_and_named(tmp_path, no_network):
    dataset = data.load(config(write_reuters(tmp_path)), 0)
    assert (len(dataset.train) + len(dataset.validation), len(dataset.test)) == (48, 12)
    assert len(dataset.label_names) == 46 and dataset.label_names[3] == "earn"
    assert dataset.vocabulary.words[:5] == ("<pad>", "<start>", "<unknown>", "<unused>", "word1")
    assert min(part.sequences.lengths.min() for part in (dataset.train, dataset.test)) >= 1
    assert not no_network


def test_the_topics_are_those_of_keras():
    from keras.datasets import reuters

    assert tuple(reuters.get_label_names()) == KERAS46


def test_the_seed_moves_validation_but_not_the_test_part(tmp_path):
    write_reuters(tmp_path)
    first, again, other = (data.load(config(tmp_path), seed) for seed in (0, 0, 1))
    for part in ("train", "validation", "test"):
        one, two = getattr(first, part), getattr(again, part)
        assert one.sequences.values.tobytes() == two.sequences.values.tobytes()
        assert one.labels.tobytes() == two.labels.tobytes()
    assert first.test.sequences.values.tobytes() == other.test.sequences.values.tobytes()
    assert (
        first.validation.sequences.values.tobytes() != other.validation.sequences.values.tobytes()
    )


def test_a_small_table_makes_the_other_words_unknown(tmp_path):
    dataset = data.load(config(write_reuters(tmp_path), num_words=8), 0)
    assert dataset.vocabulary.size == 8
    assert dataset.train.sequences.values.max() == 7


@pytest.mark.parametrize("name", ["reuters.npz", "reuters_word_index.json"])
def test_a_missing_file_is_named_with_where_and_how(tmp_path, no_network, name):
    (write_reuters(tmp_path) / name).unlink()
    with pytest.raises(FileNotFoundError) as error:
        data.load(config(tmp_path), 0)
    for part in (f"{name} is required", str(tmp_path / name), "data.dir=", "leave data.dir unset"):
        assert part in str(error.value)
    assert not no_network  # a folder that was named is never completed by a download


@pytest.mark.parametrize("name", ["reuters.npz", "reuters_word_index.json"])
@pytest.mark.parametrize("share", [0.0, 0.2, 0.7, 0.99])
def test_a_truncated_file_is_one_error_that_names_it(tmp_path, name, share):
    cut(write_reuters(tmp_path) / name, share)
    with pytest.raises(OSError, match=rf"{name} must be .*damaged or incomplete") as error:
        data.load(config(tmp_path), 0)
    assert error.value.__cause__ is not None


def test_a_flipped_byte_is_found(tmp_path):
    path = write_reuters(tmp_path) / "reuters.npz"
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(OSError, match=r"reuters\.npz must be"):
        data.load(config(tmp_path), 0)


@pytest.mark.parametrize(
    "arrays",
    [
        {"x": np.zeros((3, 2), int), "z": np.zeros(3)},
        {"x": np.ones((3, 2), int), "y": np.zeros(2, int)},
        {"x": np.zeros((3, 2), int), "y": np.zeros(3, int)},
        {"x": np.ones((0, 2), int), "y": np.zeros(0, int)},
    ],
)
def test_another_archive_is_refused(tmp_path, arrays):
    np.savez(write_reuters(tmp_path) / "reuters.npz", **arrays)
    with pytest.raises(OSError, match=r"reuters\.npz must be an \.npz file"):
        data.load(config(tmp_path), 0)


@pytest.mark.parametrize("index", [["a"], {"a": 1, "b": 3}])
def test_another_index_is_refused(tmp_path, index):
    (write_reuters(tmp_path) / "reuters_word_index.json").write_text(json.dumps(index))
    with pytest.raises(OSError, match=r"reuters_word_index\.json must be"):
        data.load(config(tmp_path), 0)


def test_without_a_folder_and_a_network_the_error_says_how_to_get_it(
    tmp_path, monkeypatch, no_network
):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(
        OSError, match=r"reuters\.npz is required .*storage\.googleapis\.com"
    ) as error:
        data.load(DataConfig(name="reuters"), 0)
    assert "set data.dir to the folder" in str(error.value)
    assert no_network


def keras_steps(folder, num_words):
    """What keras.datasets.reuters.load_data does, on a file whose hash it would refuse."""
    with np.load(folder / "reuters.npz", allow_pickle=True) as archive:
        rows, labels = archive["x"], archive["y"]
    order = np.arange(len(rows))
    np.random.RandomState(113).shuffle(order)
    shifted = [[1] + [word + 3 for word in rows[i]] for i in order]
    known = [[word if word < num_words else 2 for word in row] for row in shifted]
    end = int(len(rows) * 0.8)
    return (known[:end], labels[order][:end]), (known[end:], labels[order][end:])


def test_published_counts_and_keras_sequences(real_data):
    dataset = data.load(
        config(real_data, num_words=40_000, max_length=3000, validation_fraction=0.1), 0
    )
    (rows, labels), (test_rows, test_labels) = keras_steps(real_data, 40_000)
    assert (len(rows), len(test_rows)) == (8982, 2246)
    assert rows[0][:7] == [1, 27595, 28842, 8, 43, 10, 447]
    assert [row.tolist() for row in dataset.test.sequences] == test_rows
    assert dataset.test.labels.tolist() == test_labels.tolist()
    assert test_labels[:10].tolist() == [3, 10, 1, 4, 4, 3, 3, 3, 3, 3]
    ours = [
        (tuple(row), int(label))
        for part in (dataset.train, dataset.validation)
        for row, label in zip(part.sequences, part.labels, strict=True)
    ]
    assert sorted(ours) == sorted((tuple(row), int(y)) for row, y in zip(rows, labels, strict=True))
    assert dataset.num_classes == 46
    assert dataset.vocabulary.size == 30_979 + 4
    text = dataset.vocabulary.decode(rows[0])
    assert "said as a result of its december acquisition" in text
    assert dataset.vocabulary.encode(text).tolist() == rows[0][1:]


def test_ids_are_those_of_keras_itself(real_data, monkeypatch):
    """Keras's own loader, spared only its download."""
    path = str(real_data / "reuters.npz")
    monkeypatch.setattr("keras.src.datasets.reuters.get_file", lambda *_, **__: path)
    (rows, labels), (test_rows, test_labels) = keras.datasets.reuters.load_data(num_words=10_000)
    ours = data.load(config(real_data, num_words=10_000, max_length=3000, validation_first=1000), 0)
    assert [row.tolist() for row in ours.test.sequences] == test_rows.tolist()
    assert ours.test.labels.tolist() == test_labels.tolist()
    assert [row.tolist() for row in ours.train.sequences] == rows[1000:].tolist()
    assert [*ours.validation.labels, *ours.train.labels] == labels.tolist()


def test_the_usual_table_and_length(real_data):
    dataset = data.load(
        config(real_data, num_words=10_000, max_length=200, validation_fraction=0.1), 3
    )
    (rows, _), (test_rows, _) = keras_steps(real_data, 10_000)
    assert len(dataset.validation) == 898 and len(dataset.train) == 8084
    assert [row.tolist() for row in dataset.test.sequences] == [row[:200] for row in test_rows]
    assert dataset.train.sequences.values.max() == max(max(row) for row in rows)
    counts = np.bincount(dataset.train.labels, minlength=46)
    held = np.bincount(dataset.validation.labels, minlength=46)
    assert (np.abs(held - 0.1 * (counts + held)) < 1).all()
    assert dataset.majority_accuracy == pytest.approx(0.36198, abs=1e-5)
