from __future__ import annotations

from dataclasses import replace

import pytest

from seqnorm.lab import data
from seqnorm.lab.config.data import SyntheticConfig

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
