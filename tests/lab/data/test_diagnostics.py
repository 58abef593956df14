"""The adding and the copying problem, and MNIST as rows of numbers."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from seqnorm.lab import data
from seqnorm.lab.config.compose import compose
from seqnorm.lab.config.rules import ConfigError
from seqnorm.lab.data import copy_memory, mnist, mnist_series
from seqnorm.lab.data.spec import IGNORED, START

REAL = os.environ.get("SEQNORM_DATA")


def loaded(*overrides, seed=0):
    config = compose(overrides)
    return data.load(config.data, seed, config.task.LABELS)


@pytest.fixture(scope="module")
def adding():
    few = ("data.examples=500", "data.test_examples=400", "data.max_length=31")
    return loaded("data=adding", "task=regression", *few)


def test_the_sum_is_that_of_two_marked_numbers_one_in_each_half(adding):
    for part in (adding.train, adding.validation, adding.test):
        series = part.sequences.values.reshape(len(part), 31, 2)
        numbers, marks = series[..., 0], series[..., 1]
        assert (marks[:, :15].sum(axis=1) == 1).all() and (marks[:, 15:].sum(axis=1) == 1).all()
        np.testing.assert_allclose((numbers * marks).sum(axis=1), part.labels, rtol=1e-6)


def test_always_answering_the_mean_has_the_published_error(adding):
    labels = adding.test.labels
    assert np.mean((labels - 1) ** 2) == pytest.approx(1 / 6, abs=0.03)


def test_only_what_is_held_out_follows_from_the_seed(adding):
    few = ("data.examples=500", "data.test_examples=400", "data.max_length=31")
    other = loaded("data=adding", "task=regression", *few, seed=1)
    np.testing.assert_array_equal(adding.test.labels, other.test.labels)
    assert not np.array_equal(adding.validation.labels, other.validation.labels)


def test_the_copying_problem_asks_for_its_first_symbols_at_its_last_steps():
    few = ("data.examples=20", "data.test_examples=5", "data.delay=7")
    dataset = loaded("data=copy_memory", "task=tagging", *few)
    row, labels = dataset.test.sequences[0], dataset.test.labels[0]
    assert len(row) == len(labels) == 28 and row[0] == START
    assert np.flatnonzero(row == copy_memory.MARKER).tolist() == [17]
    assert (row[11:17] == copy_memory.BLANK).all() and (row[18:] == copy_memory.BLANK).all()
    assert (labels[:18] == IGNORED).all()
    np.testing.assert_array_equal(labels[18:], row[1:11] - copy_memory.FIRST)


def test_a_delay_that_would_be_cut_off_is_refused():
    with pytest.raises(ValueError, match=r"needs data\.max_length=41 or more for data\.delay=20"):
        loaded("data=copy_memory", "task=tagging", "data.delay=20", "data.max_length=40")


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["data=adding"], "which has a number a row"),
        (["data=synthetic", "task=regression"], "needs data with a number a row"),
        (
            ["data=files", "data.train=a.csv", "data.text=stars", "data.label=stars"],
            "data.text and data.label must name two columns",
        ),
        (["data=copy_memory", "task=regression"], "which has a class at every step"),
        (["data=mnist_rows", "model=mlp", "cell=none", "norm=none"], "model=mlp reads ids"),
        (["data=mnist_rows", "model=bag_of_words", "cell=none", "norm=none"], "on rows of ids"),
    ],
)
def test_labels_and_rows_that_do_not_fit_are_refused_before_anything_is_read(overrides, said):
    with pytest.raises(ConfigError, match=said):
        compose(overrides)


@pytest.mark.skipif(REAL is None, reason="needs SEQNORM_DATA=<folder with mnist.npz>")
def test_digits_are_read_as_lines_as_pixels_and_in_one_order():
    (images, labels), _ = mnist.read(Path(str(REAL)) / mnist.FILE)
    here = f"data.dir={REAL}"
    lines = loaded("data=mnist_rows", here, "data.validation_first=5000").train
    assert lines.sequences.lengths[0] == 28 and lines.labels[0] == labels[5000]
    np.testing.assert_allclose(lines.sequences[0], images[5000] / 255, rtol=1e-6)
    mixed = loaded("data=mnist_pixels_permuted", here, "data.validation_first=59000").train
    wanted = images[59000].ravel()[mnist_series.order()] / 255
    np.testing.assert_allclose(mixed.sequences[0][:, 0], wanted, rtol=1e-6)
