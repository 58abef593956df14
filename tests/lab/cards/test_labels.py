"""Cards of texts by what they are labelled with: several classes a row, a number, nothing."""

from __future__ import annotations

import json

import pytest

from seqnorm.lab import data
from seqnorm.lab.cards.figures import draw_rows
from seqnorm.lab.cards.measure import measure
from seqnorm.lab.cards.page import page
from seqnorm.lab.config.data import FilesConfig
from tests.lab.cards.test_series import SPEED
from tests.lab.data.own import csv_text, write

ROWS = [(f"text {n}", label) for n, label in enumerate(["a", "a|b", "", "b", "a", "c|a"] * 6)]


@pytest.mark.parametrize(
    ("kind", "rows", "said"),
    [
        ("classes", ROWS, "Any number of 3 classes a row, "),
        ("number", [(text, n / 4) for n, (text, _) in enumerate(ROWS)], "A number a row, "),
        ("none", ROWS, "Rows without labels, "),
    ],
)
def test_a_card_says_what_texts_are_labelled_with(tmp_path, kind, rows, said):
    write(tmp_path / "a.csv", csv_text(rows))
    keys = {"text": "review", "label": "stars", "label_separator": "|"}
    config = FilesConfig(name="files", train=str(tmp_path / "a.csv"), **keys)
    dataset = data.load(config, 0, kind)
    card = json.loads(json.dumps({**measure(dataset, config, 0), "speed": SPEED}))
    text = page(card)
    assert said in text
    if kind == "classes":
        parts = card["parts"].values()
        assert sum(part["class_counts"][0] for part in parts) == 24  # of "a"
        padded = [[*part["rows_by_labels"], 0, 0][:3] for part in parts]
        assert [sum(column) for column in zip(*padded, strict=True)] == [6, 18, 12]
        assert "| rows with 1 class |" in text and "| rows with 2 classes |" in text
    assert len(draw_rows(card).axes) == (1 if kind == "none" else 2)
    assert all(panel.has_data() for panel in draw_rows(card).axes)
