"""Data sets by name: ``load(config, seed)`` gives sequences of word ids with labels.

``seqnorm.data.batching`` makes batches of what ``load`` returns.

Importing this package registers ``reuters21578`` with TensorFlow Datasets, so that a plain
``tfds.load("reuters21578/r8")`` finds it. It imports neither Keras nor TensorFlow (TensorFlow
Datasets imports that only once it reads); a loader imports what it needs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from seqnorm.data import (
    imdb,
    imdb_ids,
    mnist,
    reuters,
    reuters21578,
    reuters_text,
    synthetic,
)
from seqnorm.data.spec import PAD, START, UNKNOWN, Dataset, Sequences, Split
from seqnorm.data.splits import TRUNCATE
from seqnorm.data.vocabulary import SPECIAL, Vocabulary

if TYPE_CHECKING:
    from seqnorm.config import DataConfig

__all__ = [
    "LOADERS",
    "PAD",
    "START",
    "UNKNOWN",
    "Dataset",
    "Sequences",
    "Split",
    "Vocabulary",
    "load",
    "reuters21578",
]

# name of a data set -> what loads it. A new data set is one module and one line here.
LOADERS: dict[str, Callable[..., Dataset]] = {
    "imdb": imdb.load,
    "imdb_ids": imdb_ids.load,
    "mnist": mnist.load,
    "reuters": reuters.load,
    "reuters_r8": reuters_text.load,
    "reuters_r52": reuters_text.load,
    "reuters_clean": reuters_text.load,
    "synthetic": synthetic.load,
}


def load(config: DataConfig, seed: int) -> Dataset:
    """Loads the data set ``config.name``.

    Args:
        config: the ``data`` group of a run.
        seed: decides which training examples are held out for validation; the test part does not
            depend on it.

    Raises:
        ValueError: if the name is unknown or a setting is out of range.
        OSError: if data is missing (FileNotFoundError), cannot be downloaded, or is damaged.
    """
    if config.name not in LOADERS:
        raise ValueError(
            f"data.name must be one of {sorted(LOADERS)}, received name={config.name!r}. "
            "Choose one of them."
        )
    if config.truncate not in TRUNCATE:
        raise ValueError(
            f"data.truncate must be one of {TRUNCATE}, the part that is cut off, received "
            f"truncate={config.truncate!r}. Choose one of them."
        )
    if (
        config.max_length < 2
        or config.num_words <= len(SPECIAL)
        or not 0 < config.validation_fraction < 1
    ):
        raise ValueError(
            "data needs max_length >= 2 (start token and one word), num_words >= "
            f"{len(SPECIAL) + 1} (special ids and one word) and 0 < validation_fraction < 1, "
            f"received max_length={config.max_length}, num_words={config.num_words}, "
            f"validation_fraction={config.validation_fraction}. Correct the data configuration."
        )
    return LOADERS[config.name](config, seed)
