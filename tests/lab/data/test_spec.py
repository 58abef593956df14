from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from seqnorm.lab.data.spec import PAD, Dataset, Sequences, Split
from seqnorm.lab.data.vocabulary import SPECIAL, Vocabulary


@pytest.fixture
def rows(rng: np.random.Generator) -> list[np.ndarray]:
    return [rng.integers(3, 90, size).astype(np.int32) for size in (4, 0, 1, 7, 0, 3)]


def test_rows_come_back_as_they_were_given(rows):
    sequences = Sequences.from_rows(rows)
    assert len(sequences) == len(rows)
    assert sequences.lengths.tolist() == [4, 0, 1, 7, 0, 3]
    for index, row in enumerate(rows):
        np.testing.assert_array_equal(sequences[index], row)
        assert sequences[index].dtype == np.int32
    np.testing.assert_array_equal(sequences[-1], rows[-1])


def test_a_row_is_a_view(rows):
    sequences = Sequences.from_rows(rows)
    assert np.shares_memory(sequences[3], sequences.values)


@pytest.mark.parametrize("indices", [[5, 0, 3], [1, 1, 4], [], [2]])
def test_take_equals_indexing_one_by_one(rows, indices):
    taken = Sequences.from_rows(rows).take(indices)
    assert [row.tolist() for row in taken] == [rows[index].tolist() for index in indices]


def test_padded_has_the_rows_on_the_left_and_nothing_else(rows):
    tokens = Sequences.from_rows(rows).padded([0, 3, 1])
    assert tokens.shape == (3, 7)
    assert tokens.dtype == np.int32
    for row, index in zip(tokens, [0, 3, 1], strict=True):
        np.testing.assert_array_equal(row[: len(rows[index])], rows[index])
        assert (row[len(rows[index]) :] == PAD).all()


@pytest.mark.parametrize("index", [6, -7])
def test_an_index_out_of_range_is_an_index_error(rows, index):
    with pytest.raises(IndexError, match=rf"rows 0 to 5, received index={index}"):
        Sequences.from_rows(rows)[index]


@pytest.mark.parametrize("offsets", [[0, 2], [1, 3], [0, 3, 2, 3], []])
def test_offsets_that_do_not_fit_are_refused(offsets):
    with pytest.raises(ValueError, match="offsets that rise from 0"):
        Sequences([5, 6, 7], offsets)


def test_a_split_needs_one_label_per_row():
    with pytest.raises(ValueError, match=r"len\(sequences\)=2, len\(labels\)=1"):
        Split(Sequences.from_rows([[1], [1, 3]]), np.zeros(1, np.int32))


def test_a_split_takes_rows_and_labels_together():
    split = Split(Sequences.from_rows([[1], [1, 3], [1, 4, 5]]), np.array([0, 1, 2], np.int32))
    taken = split.take([2, 0])
    assert taken.labels.tolist() == [2, 0]
    assert taken.sequences[0].tolist() == [1, 4, 5]


def test_majority_is_learnt_from_train_and_scored_on_test():
    def split(labels):
        return Split(Sequences.from_rows([[1]] * len(labels)), np.array(labels, np.int32))

    dataset = Dataset(
        "toy",
        split([0, 2, 2]),
        split([0]),
        split([2, 0, 0, 1]),
        ("a", "b", "c"),
        Vocabulary(SPECIAL),
    )
    assert dataset.num_classes == 3
    assert dataset.majority_accuracy == 0.25


def test_importing_the_package_imports_neither_keras_nor_tensorflow():
    code = (
        "import sys, seqnorm.lab.data; heavy = {'keras', 'tensorflow', 'sklearn', 'scipy'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_rows_are_copied_in_pieces(rng, monkeypatch):
    monkeypatch.setattr("seqnorm.lab.data.spec.PIECE", 7)
    rows = [rng.integers(3, 99, length).tolist() for length in (0, 5, 20, 0, 3, 4, 1, 0)]
    order = [6, 2, 0, 2, 1, 7, 5, 4, 3]
    taken = Sequences.from_rows(rows).take(order)
    assert [row.tolist() for row in taken] == [rows[index] for index in order]
    assert len(Sequences.from_rows([]).take([])) == 0
