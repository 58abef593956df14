"""IMDB reviews as Keras publishes them: word ranks, punctuation gone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from seqnorm.lab.data import keras_files, sources
from seqnorm.lab.data.keras_files import Part
from seqnorm.lab.data.spec import Dataset

if TYPE_CHECKING:
    from seqnorm.lab.config.data import DataConfig

ROWS, INDEX = "imdb.npz", "imdb_word_index.json"
# name -> hash of the published file, as in keras.datasets.imdb
FILES = {
    ROWS: "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f",
    INDEX: "bfafd718b763782e994055a2d397834f",
}
# `keras_files.digest` of the published ranks and labels
CONTENT = "2f4a2166fc664c8bae119b65e9dd167872c86e7e759750b2b04d848d18187e37"
MEMBERS = (("x_train", "y_train"), ("x_test", "y_test"))
LABEL_NAMES = ("negative", "positive")


def load(config: DataConfig, seed: int) -> Dataset:
    """Reads IMDB as ids; the seed decides only which training reviews are held out.

    The published ranks were counted over the training part, the held-out reviews included; a word
    that occurs only in test reviews has no rank and is missing there, not unknown.

    Raises:
        OSError: if a file is missing, cannot be downloaded, or is damaged.
    """
    paths = sources.find_all(config.dir, FILES)
    train, test = read(paths[ROWS])
    words = keras_files.read_words(paths[INDEX])
    return keras_files.ids_dataset(config, seed, train, test, words, LABEL_NAMES)


def read(path: Path) -> tuple[Part, Part]:
    """Word ranks and labels of the training and the test part, in Keras's order.

    Raises:
        OSError: if the file is damaged or holds something else.
    """
    parts = keras_files.read_parts(path, *MEMBERS)
    rng = np.random.RandomState(keras_files.SHUFFLE_SEED)
    shuffled = []
    for rows, labels in parts:  # one generator for both, training first, as in Keras
        order = np.arange(len(labels))
        rng.shuffle(order)
        shuffled.append((rows.take(order), labels[order]))
    train, test = shuffled
    return train, test


def verify(path: Path) -> None:
    """Compares the content of an ``imdb.npz`` with what was published, however it was packed.

    Raises:
        OSError: if it is another one, or damaged.
    """
    keras_files.verify(path, CONTENT, *MEMBERS)
