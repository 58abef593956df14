"""Cards of rows of numbers, whatever they are labelled with."""

from __future__ import annotations

import json

import numpy as np
import pytest

from seqnorm.lab.cards.features import draw_features, of_training
from seqnorm.lab.cards.figures import draw_rows
from seqnorm.lab.cards.measure import measure
from seqnorm.lab.cards.page import page
from tests.lab.data.own_series import LABELS, LENGTHS, TAGS, VALUES, config, load, save

SPEED = {
    "pipeline_tokens_per_second": 1.0,
    "loading_seconds": 1.0,
    "start_memory_mb": 1.0,
    "peak_memory_mb": 1.0,
    "ids_mb": 1.0,
}


@pytest.fixture
def card(tmp_path, monkeypatch):
    """Makes the card of a file with labels of one kind."""
    monkeypatch.chdir(tmp_path)

    def made(labels, kind, **changes):
        values = VALUES.copy()
        values[0, 1] = np.nan
        save(tmp_path / "a.npz", values=values, labels=labels)
        keys = {"missing": "mask", "test": "t.npz"} | changes
        save(tmp_path / "t.npz", labels=labels, values=VALUES + 1)
        dataset = load(labels=kind, **keys)
        return {**measure(dataset, config(**keys), 0), "speed": SPEED}, dataset

    return made


@pytest.mark.parametrize(
    ("labels", "kind", "said"),
    [
        (LABELS, "class", "2 classes, 2 features. Always answering the most frequent class scores"),
        (TAGS, "tags", "3 classes at every step, 2 features."),
        (LENGTHS * 1.5, "number", "A number a row, 2 features. Always answering the mean label"),
    ],
)
def test_a_card_says_what_rows_and_labels_are(labels, kind, said, card):
    found, dataset = card(labels, kind)
    text = page(json.loads(json.dumps(found)))
    assert said in text and "![Labels and lengths](rows.png)" in text
    assert "- data.train: 1 of 35 steps miss a number (2.9% of feature 2)" in text
    assert f"| steps | {len(dataset.train.sequences.values)} |" in text and "unknown" not in text
    for figure in (draw_rows(found), draw_features(found)):
        assert all(panel.has_data() for panel in figure.axes)


def test_features_are_in_the_units_of_the_file(card):
    _, dataset = card(LABELS, "class")
    rows = dataset.train.sequences
    second = rows.values[:, 1] * dataset.scale.spread[1] + dataset.scale.mean[1]
    found = of_training(dataset)[1]
    assert found["mean"] == pytest.approx(second.mean(), abs=1e-5)
    assert found["spread"] == pytest.approx(second.std(), abs=1e-5)
    assert found["percentiles"][0] == pytest.approx(second.min(), abs=1e-5)
    steps = [np.mean([row[at, 1] for row in rows if len(row) > at]) for at in range(5)]
    np.testing.assert_allclose(found["course"], steps, atol=1e-6)


def test_what_needs_no_model_is_measured_on_the_test_part(card):
    found, _ = card(TAGS, "tags")
    assert found["majority_accuracy"] == pytest.approx(12 / 35)
    prices = np.arange(12.0)
    found, dataset = card(prices, "number")
    mean = dataset.train.labels.mean()
    assert found["mean_answer"]["mae"] == pytest.approx(np.abs(prices - mean).mean())
    assert found["parts"]["test"]["label_percentiles"][50] == 5.5


def test_a_name_with_a_line_break_or_a_bar_stays_in_its_cell(card):
    found, _ = card(np.array(["a|b", "c\nd"] * 6), "class")
    text = page(json.loads(json.dumps(found)))
    assert "| a\\|b |" in text and "| c\\nd |" in text
    assert "num_words" not in text
