from __future__ import annotations

import numpy as np
import pytest

from seqnorm.lab.config.compose import compose
from seqnorm.lab.data.spec import START, UNKNOWN, Sequences
from seqnorm.lab.data.splits import hold_out, limit_ids, start_and_cut, stratified_split


def test_ids_beyond_the_table_become_unknown():
    values = np.array([3, 9, 10, 11, 0], np.int32)
    assert limit_ids(values, 10).tolist() == [3, 9, UNKNOWN, UNKNOWN, 0]


@pytest.mark.parametrize("truncate", ["head", "tail"])
@pytest.mark.parametrize("max_length", [2, 3, 5, 100])
def test_cutting_keeps_the_right_end_and_starts_with_start(rng, truncate, max_length):
    rows = [rng.integers(3, 99, size).tolist() for size in (0, 1, 4, 5, 0, 9, 0)]
    cut = start_and_cut(Sequences.from_rows(rows), max_length, truncate)
    for got, row in zip(cut, rows, strict=True):
        kept = row[: max_length - 1] if truncate == "tail" else row[-(max_length - 1) :]
        assert got.tolist() == [START, *kept]


def test_an_empty_row_becomes_start_alone():
    cut = start_and_cut(Sequences.from_rows([[], [7], []]), 10, "head")
    assert [row.tolist() for row in cut] == [[START], [START, 7], [START]]


def test_both_parts_together_are_everything_once(rng):
    labels = rng.integers(0, 7, 500)
    first, second = stratified_split(labels, 0.2, np.random.default_rng(0))
    np.testing.assert_array_equal(np.sort(np.concatenate([first, second])), np.arange(500))
    assert (np.diff(first) > 0).all() and (np.diff(second) > 0).all()


@pytest.mark.parametrize("fraction", [0.05, 0.15, 0.5, 0.9])
def test_each_class_has_its_share(rng, fraction):
    labels = rng.choice(5, p=[0.5, 0.3, 0.1, 0.07, 0.03], size=2000)
    _, held = stratified_split(labels, fraction, np.random.default_rng(0))
    assert len(held) == round(fraction * 2000)
    counts, given = np.bincount(labels), np.bincount(labels[held], minlength=5)
    assert (np.abs(given - fraction * counts) < 1).all()


@pytest.mark.parametrize("fraction", [0.1, 0.5, 0.95])
def test_a_class_keeps_its_last_example(fraction):
    labels = np.array([0] * 40 + [1] + [3] * 2)  # class 2 has none at all
    train, _ = stratified_split(labels, fraction, np.random.default_rng(0))
    assert {0, 1, 3} <= set(labels[train].tolist())


def test_the_seed_decides_and_nothing_else(rng):
    labels = rng.integers(0, 3, 200)
    one = stratified_split(labels, 0.2, np.random.default_rng(4))
    np.random.seed(99)
    again = stratified_split(labels, 0.2, np.random.default_rng(4))
    other = stratified_split(labels, 0.2, np.random.default_rng(5))
    np.testing.assert_array_equal(one[1], again[1])
    assert one[1].tolist() != other[1].tolist()


def test_a_part_without_examples_is_refused():
    config = compose(["data=synthetic", "data.validation_fraction=0.01"]).data
    labels = np.arange(34) % 2
    with pytest.raises(
        ValueError, match=r"data\.validation_fraction=0\.01 of 34 training examples"
    ):
        hold_out(labels, config, seed=0)


@pytest.mark.parametrize("truncate", ["head", "tail"])
def test_rows_are_chosen_cut_and_given_ids_in_one_go(truncate, rng, monkeypatch):
    monkeypatch.setattr("seqnorm.lab.data.spec.PIECE", 6)
    rows = Sequences.from_rows([rng.integers(0, 9, length) for length in (3, 0, 9, 4, 2, 7)])
    ids, chosen = rng.permutation(9).astype(np.int32) + 3, np.array([5, 0, 1, 2])
    found = start_and_cut(rows, 5, truncate, indices=chosen, ids=ids)
    for row, index in zip(found, chosen, strict=True):
        kept = ids[rows[index]][-4:] if truncate == "head" else ids[rows[index]][:4]
        assert row.tolist() == [1, *kept]
