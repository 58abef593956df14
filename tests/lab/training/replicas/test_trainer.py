"""How a batch is shared out, and what of a model cannot be."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqnorm.lab.training.replicas.strategy import Replicas
from seqnorm.lab.training.replicas.trainer import ReplicaTrainer, begin, padded, unrolled
from seqnorm.layers import NormLSTM


@pytest.mark.parametrize(
    ("rows", "replicas", "shares"),
    [
        (65, 2, [33, 32]),
        (64, 2, [32, 32]),
        (10, 4, [3, 2, 3, 2]),
        (2, 3, [1, 1, 0]),
        (1, 2, [1, 0]),
        (7, 1, [7]),
    ],
)
def test_shares_are_equal_to_within_one_row(rows, replicas, shares):
    bounds = [int(begin(tf.constant(rows), each, replicas)) for each in range(replicas + 1)]
    assert (bounds[0], bounds[-1]) == (0, rows)
    assert np.diff(bounds).tolist() == shares


def test_more_padding_is_padding():
    ids = padded(tf.constant([[5, 6, 0]]), 5)
    assert ids.shape == (1, 5) and ids.numpy().tolist() == [[5, 6, 0, 0, 0]]
    numbers = padded(tf.ones((1, 2, 3)), 4).numpy()
    assert (numbers[:, :2] == 1).all() and np.isnan(numbers[:, 2:]).all()


def test_layers_are_unrolled_while_it_lasts():
    one, other = NormLSTM(2), NormLSTM(2, unroll=True)
    with unrolled([one, other]):
        assert one.unroll and other.unroll
    assert not one.unroll and other.unroll


@pytest.mark.parametrize(
    ("options", "named"),
    [({"kernel_regularizer": "l2"}, "own/kernel"), ({"activity_regularizer": "l2"}, "own")],
)
def test_a_loss_of_a_layers_own_is_refused(options, named):
    inputs = keras.Input((3,))
    outputs = keras.layers.Dense(2, name="own", **options)(inputs)
    with pytest.raises(ValueError, match=rf"received regularisers of {named}\. Leave them out"):
        ReplicaTrainer(Replicas(), None, False, inputs=inputs, outputs=outputs)
