"""Rows of numbers beside rows of ids, and labels of steps."""

from __future__ import annotations

import numpy as np
import pytest

from seqnorm.lab.data.scale import FILE, Scale
from seqnorm.lab.data.spec import IGNORED, Sequences, Split, present
from seqnorm.lab.data.splits import strata

ROWS = [np.array([[0.0, 1.0], [2.0, 3.0]]), np.array([[4.0, 5.0]])]


def test_rows_of_numbers_are_padded_with_nan_because_zero_is_a_number():
    batch = Sequences.from_rows(ROWS).padded([1, 0])
    assert batch.dtype == np.float32
    np.testing.assert_array_equal(batch, [[[4, 5], [np.nan, np.nan]], [[0, 1], [2, 3]]])
    np.testing.assert_array_equal(present(batch), [[True, False], [True, True]])


def test_rows_of_numbers_are_taken_in_any_order():
    rows = Sequences.from_rows(ROWS).take([1, 0, 1])
    assert rows.lengths.tolist() == [1, 2, 1] and rows.features == 2
    np.testing.assert_array_equal(rows[1], ROWS[0])


def test_labels_of_steps_are_padded_with_what_is_ignored():
    split = Split(
        Sequences.from_rows([[1, 5], [1]]), Sequences.from_rows([[IGNORED, 3], [IGNORED]])
    )
    tokens, labels = split.take([1, 0]).batch([0, 1])
    np.testing.assert_array_equal(tokens, [[1, 0], [1, 5]])
    np.testing.assert_array_equal(labels, [[-1, -1], [-1, 3]])


@pytest.mark.parametrize(
    "labels", [np.array([0.5, 1.5]), np.eye(2), Sequences.from_rows([[1], [2]])]
)
def test_what_has_no_class_is_held_out_without_strata(labels):
    assert strata(labels).tolist() == [0, 0]


def test_a_scale_leaves_missing_numbers_out_and_is_read_back(tmp_path):
    values = np.array([[0.0, 7.0], [2.0, 7.0], [np.nan, 7.0]])
    scale = Scale.learnt(values, ("x", "constant"))
    np.testing.assert_array_equal(scale.apply(values), [[-1, 0], [1, 0], [np.nan, 0]])
    scale.save(tmp_path / FILE)
    assert Scale.load(tmp_path / FILE) == scale
