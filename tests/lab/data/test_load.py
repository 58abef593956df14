from __future__ import annotations

from dataclasses import replace

import pytest
import yaml

from seqnorm.lab import data
from seqnorm.lab.config.data import SyntheticConfig, TextConfig
from seqnorm.lab.config.schema import conf_dir

CONFIG = SyntheticConfig(name="synthetic", examples=40, test_examples=10)


def test_an_unknown_name_lists_the_choices():
    with pytest.raises(
        ValueError, match=r"\['adding', 'copy_memory', 'files', 'imdb', .*\], received name='imbd'"
    ):
        data.load(replace(CONFIG, name="imbd"), 0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"truncate": "middle"}, "truncate=middle"),
        ({"max_length": 1}, "max_length=1"),
        ({"num_words": 3}, "num_words=3"),
        ({"validation_fraction": 0.0}, "validation_fraction=0.0"),
        ({"validation_fraction": 1.0}, "validation_fraction=1.0"),
    ],
)
def test_settings_out_of_range_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        data.load(replace(CONFIG, **changes), 0)


def test_texts_of_ones_own_are_cut_into_words_as_ours_are():
    choices = [yaml.safe_load(path.read_text()) for path in (conf_dir() / "data").glob("*.yaml")]
    of_texts = {choice["tokenizer"] for choice in choices if "tokenizer" in choice}
    assert of_texts == {TextConfig().tokenizer}
