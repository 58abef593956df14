from __future__ import annotations

import random
from dataclasses import replace

import keras
import numpy as np
import pytest

from seqnorm.lab.config.data import DataConfig
from seqnorm.lab.data.batching import Batches, batch_bounds, batch_order, token_bounds
from seqnorm.lab.data.spec import PAD, START, Sequences, Split


def make_split(size: int, seed: int = 0) -> Split:
    """Rows of 1 to 60 tokens; the label is the row's number, so that a batch tells its rows."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 60, size)
    rows = [[START, *rng.integers(3, 99, length - 1)] for length in lengths]
    return Split(Sequences.from_rows(rows), np.arange(size, dtype=np.int32))


def fetch(batches: Batches) -> list[tuple[np.ndarray, np.ndarray]]:
    return [batches[index] for index in range(len(batches))]


def labels_of(batches: Batches) -> list[list[int]]:
    return [labels.tolist() for _, labels in fetch(batches)]


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("bucket", [0, 1, 3, 100])
@pytest.mark.parametrize(("size", "batch_size"), [(1, 4), (7, 7), (65, 8), (100, 16), (5, 1)])
def test_every_row_once_an_epoch_padded_to_the_longest(size, batch_size, bucket, shuffle):
    split = make_split(size)
    batches = Batches(split, batch_size, seed=1, shuffle=shuffle, bucket=bucket)
    seen = []
    for tokens, labels in fetch(batches):
        assert tokens.dtype == labels.dtype == np.int32
        assert len(labels) <= batch_size
        assert tokens.shape == (len(labels), max(len(split.sequences[i]) for i in labels))
        for row, label in zip(tokens, labels, strict=True):
            length = len(split.sequences[label])
            np.testing.assert_array_equal(row[:length], split.sequences[label])
            assert (row[length:] == PAD).all() and (row[:length] != PAD).all()
        seen.extend(labels.tolist())
    assert sorted(seen) == list(range(size))


@pytest.mark.parametrize("batch_size", [1, 2, 3, 8, 64])
@pytest.mark.parametrize("rows", [1, 2, 3, 9, 63, 64, 65, 129, 1000])
def test_batches_are_equal_to_within_one_row_and_none_is_a_single_row(rows, batch_size):
    sizes = np.diff(batch_bounds(rows, batch_size))
    assert sizes.sum() == rows
    assert sizes.max() - sizes.min() <= 1
    assert sizes.min() > 1 or batch_size == 1 or rows == 1
    odd_pairs = batch_size == 2 and rows % 2 == 1 and rows > 1
    assert sizes.max() <= batch_size + odd_pairs


@pytest.mark.parametrize(
    ("rows", "batch_size", "sizes"),
    [
        (7982, 512, [512] * 15 + [302]),  # as keras.Model.fit cuts arrays
        (128, 64, [64, 64]),
        (129, 64, [64, 65]),  # a single row has no statistics: it joins the batch before it
        (5, 2, [2, 3]),
        (3, 8, [3]),
        (1, 8, [1]),
        (3, 1, [1, 1, 1]),
    ],
)
def test_uneven_batches_are_full_but_for_the_rest(rows, batch_size, sizes):
    assert np.diff(batch_bounds(rows, batch_size, even=False)).tolist() == sizes


@pytest.mark.parametrize("bucket", [0, 3])
def test_the_rest_is_the_last_batch_of_every_epoch(bucket):
    batches = Batches(make_split(100), 16, seed=2, bucket=bucket, even=False)
    orders = []
    for _ in range(3):
        sizes = [len(labels) for _, labels in fetch(batches)]
        assert sizes == [16] * 6 + [4]
        assert sorted(batches.order.tolist()) == list(range(100))
        assert [rows.tolist() for rows in batches.rows] == labels_of(batches)
        orders.append(batches.order.tolist())
        batches.on_epoch_end()
    assert orders[0] != orders[1] != orders[2]


def test_the_configuration_decides_the_batches():
    split = make_split(100)
    config = DataConfig("any", batch_size=16, bucket=3, even_batches=False)
    for changes in ({}, {"even_batches": True}, {"even_batches": True, "batch_tokens": 300}):
        chosen = replace(config, **changes)
        expected = Batches(
            split, 16, 5, bucket=3, batch_tokens=chosen.batch_tokens, even=chosen.even_batches
        )
        assert labels_of(Batches.configured(split, chosen, 5)) == labels_of(expected)


def test_the_worked_example_of_the_docstring():
    lengths = np.array([5, 1, 4, 2, 3, 6])
    order = batch_order(lengths, batch_bounds(6, 2), bucket=3, rng=None)
    assert [rows.tolist() for rows in order] == [[1, 3], [4, 2], [0, 5]]
    assert sum(int((lengths[rows].max() - lengths[rows]).sum()) for rows in order) == 3


def test_pools_hold_what_an_unsorted_shuffle_holds_and_are_sorted_inside():
    lengths = make_split(96).sequences.lengths
    bounds = batch_bounds(96, 8)
    sorted_, plain = (
        batch_order(lengths, bounds, bucket, np.random.default_rng(3)) for bucket in (4, 0)
    )
    # The same generator draws the same rows and the same order of batches: undo the latter.
    rng = np.random.default_rng(3)
    rng.permutation(96)
    places = np.argsort(rng.permutation(12))
    for pool in range(3):
        batches = [sorted_[place] for place in places[4 * pool : 4 * pool + 4]]
        unsorted = [plain[place] for place in places[4 * pool : 4 * pool + 4]]
        rows = np.concatenate(batches)
        assert set(rows.tolist()) == set(np.concatenate(unsorted).tolist())
        assert (np.diff(lengths[rows]) >= 0).all()


def test_bucketing_saves_padding():
    split = make_split(640)

    def cells(bucket):
        return sum(tokens.size for tokens, _ in fetch(Batches(split, 16, bucket=bucket)))

    assert Batches(split, 16).tokens == split.sequences.lengths.sum()
    assert cells(10) < 1.2 * split.sequences.lengths.sum() < cells(0)


def test_the_order_follows_from_seed_and_epoch_alone():
    split = make_split(100)
    batches = Batches(split, 8, seed=5, bucket=4)
    epochs = []
    for _ in range(3):
        epochs.append(labels_of(batches))
        batches.on_epoch_end()
    assert epochs[0] != epochs[1] != epochs[2]
    np.random.seed(0)
    random.seed(0)
    later = Batches(split, 8, seed=5, bucket=4)
    later.epoch = 2
    assert labels_of(later) == epochs[2]
    assert labels_of(Batches(split, 8, seed=6, bucket=4)) != epochs[0]


def test_without_shuffle_every_epoch_is_the_same_and_outputs_go_back_in_place():
    split = make_split(50)
    batches = Batches(split, 8, shuffle=False, bucket=3)
    first = labels_of(batches)
    np.testing.assert_array_equal(np.concatenate(first), batches.order)
    outputs = np.concatenate([np.stack([labels, -labels], 1) for _, labels in fetch(batches)])
    np.testing.assert_array_equal(batches.restore(outputs)[:, 0], np.arange(50))
    batches.on_epoch_end()
    assert labels_of(batches) == first
    assert labels_of(Batches(split, 8, shuffle=False)) == [
        rows.tolist() for rows in np.split(np.arange(50), batch_bounds(50, 8)[1:-1])
    ]


def test_restore_wants_one_output_per_row():
    with pytest.raises(ValueError, match="one output for each of the 50 rows"):
        Batches(make_split(50), 8).restore(np.zeros((49, 2)))


@pytest.mark.parametrize("kwargs", [{}, {"workers": 2, "max_queue_size": 3}])
def test_keras_fit_sees_the_batches_in_their_order(kwargs):
    class Recorder(keras.Model):
        def __init__(self):
            super().__init__()
            self.head = keras.layers.Dense(1)
            self.seen: list[list[int]] = []

        def call(self, tokens):
            return self.head(keras.ops.cast(tokens[:, :1], "float32"))

        def train_step(self, data):
            self.seen.append(np.asarray(data[1]).tolist())
            return {"loss": keras.ops.sum(self(data[0]))}

    split = make_split(40)
    model = Recorder()
    model.compile(run_eagerly=True)
    batches = Batches(split, 8, seed=2, bucket=2, **kwargs)
    model.fit(batches, epochs=3, shuffle=False, verbose=0)
    expected = []
    for epoch in (1, 2, 3):  # fit ends an epoch before its first one
        again = Batches(split, 8, seed=2, bucket=2)
        again.epoch = epoch
        expected.extend(labels_of(again))
    assert list(model.seen) == expected


@pytest.mark.parametrize(
    ("size", "arguments"),
    [(0, {}), (3, {"batch_size": 0}), (3, {"bucket": -1}), (3, {"seed": -1})],
)
def test_numbers_out_of_range_are_refused(size, arguments):
    with pytest.raises(ValueError, match="at least one row, batch_size >= 1"):
        Batches(make_split(size), **{"batch_size": 4, **arguments})


@pytest.mark.parametrize("bucket", [0, 1, 4])
def test_batches_of_equal_tokens(bucket):
    split = make_split(400)
    batches = Batches(split, 16, seed=1, bucket=bucket, batch_tokens=300)
    assert len(batches) == pytest.approx(batches.tokens / 300, abs=1)
    for _ in range(2):
        got = fetch(batches)
        assert sorted(label for _, labels in got for label in labels) == list(range(400))
        sizes = [len(labels) for _, labels in got]
        tokens = [int((rows != PAD).sum()) for rows, _ in got]
        assert min(sizes) >= 2
        # Where pools are sorted, short rows share a batch with many, long ones with few.
        if bucket > 1:
            assert max(sizes) > 4 * min(sizes)
            assert np.percentile(tokens, 90) < 1.5 * np.percentile(tokens, 10)
        batches.on_epoch_end()


def test_batches_of_tokens_keep_two_rows():
    lengths = np.array([1, 1, 1, 1, 500, 1, 1, 900, 1, 1])
    bounds = np.array([0, 2, 4, 6, 8, 10])
    found = token_bounds(lengths, bounds, bounds[:0])
    assert found[0] == 0 and found[-1] == 10
    assert np.all(np.diff(found) >= 2)
