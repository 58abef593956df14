from __future__ import annotations

import numpy as np
import pytest

from seqnorm.lab import data
from seqnorm.lab.config.data import TextConfig
from seqnorm.lab.data.reuters import topics
from seqnorm.lab.data.spec import UNKNOWN
from tests.lab.data.files import write_newswires


def config(folder, name="reuters_r8", **changes) -> TextConfig:
    values = {"num_words": 1000, "max_length": 50, "validation_fraction": 0.25, **changes}
    return TextConfig(name=name, dir=str(folder), strip_breaks=False, **values)


def test_title_and_body_become_ids(tmp_path, no_network):
    write_newswires(tmp_path)
    dataset = data.load(config(tmp_path), 0)
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (6, 2, 4)
    assert dataset.label_names == topics.R8
    assert [dataset.label_names[label] for label in dataset.test.labels] == [
        "earn",
        "earn",
        "ship",
        "acq",
    ]
    known = dataset.vocabulary.ids
    words = [
        word if word in known else "<unknown>"
        for word in ["loss", "again", "the", "loss", "of", "c"]
    ]
    assert {"the", "<unknown>"} <= set(words)
    assert dataset.decode(dataset.test.sequences[0]).split()[:6] == words
    assert not no_network


def test_the_vocabulary_is_learnt_on_the_training_part_only(tmp_path):
    write_newswires(tmp_path)
    for seed in range(5):
        dataset = data.load(config(tmp_path, "reuters_r52"), seed)
        seen = {word for row in dataset.train.sequences for word in dataset.decode(row).split()}
        assert set(dataset.vocabulary.words[3:]) == seen
        assert (dataset.train.sequences.values != UNKNOWN).all()


def test_options_of_the_text(tmp_path):
    write_newswires(tmp_path)
    cased = data.load(config(tmp_path, lowercase=False, validation_fraction=0.1), 0).vocabulary
    assert {"The", "SHIP", "ship"} <= set(cased.words)
    rare = data.load(config(tmp_path, min_count=4), 0).vocabulary
    assert 3 < rare.size < cased.size
    keras = data.load(config(tmp_path, tokenizer="keras"), 0).vocabulary
    assert keras.tokenizer.split("well-made! it's") == ["well", "made", "it's"]


@pytest.mark.parametrize(
    ("name", "train", "test", "classes", "majority"),
    [
        ("reuters_r8", 5485, 2189, 8, 0.4947),
        ("reuters_r52", 6532, 2568, 52, 0.4217),
        ("reuters_clean", 5928, 2334, 52, 0.4456),
    ],
)
def test_published_counts(real_data, no_network, name, train, test, classes, majority):
    dataset = data.load(config(real_data, name, num_words=10_000, validation_fraction=0.1), 0)
    assert (len(dataset.train) + len(dataset.validation), len(dataset.test)) == (train, test)
    assert dataset.num_classes == classes
    assert dataset.majority_accuracy == pytest.approx(majority, abs=1e-4)
    assert np.array_equal(np.unique(dataset.train.labels), np.arange(classes))
    assert "japan" in dataset.decode(dataset.test.sequences[0])
    assert not no_network
