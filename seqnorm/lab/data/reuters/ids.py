"""Reuters newswires, 46 topics: Keras's file and Keras's split.

The 11,228 newswires come as lists of word ranks; the file is divided 80 to 20 after a shuffle with
a fixed seed, which makes the test set part of the publication: it must be the same shuffle.

What is published has flaws, kept here because others report on it: documents without a text of
their own carry the next one's, texts stand under two labels and in both parts, and of several
topics one was taken. `seqnorm.lab.data.reuters.newswires` has subsets without them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from seqnorm.lab.data import keras_files, sources
from seqnorm.lab.data.keras_files import Part
from seqnorm.lab.data.reuters.topics import KERAS46
from seqnorm.lab.data.spec import Dataset

if TYPE_CHECKING:
    from seqnorm.lab.config.data import DataConfig

ROWS, INDEX = "reuters.npz", "reuters_word_index.json"
# name -> hash of the published file, as in keras.datasets.reuters
FILES = {
    ROWS: "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916",
    INDEX: "4d44cc38712099c9e383dc6e5f11a921",
}
# `keras_files.digest` of the published ranks and labels
CONTENT = "a38c95e1f83f7c786d3f410a22bfa32178ccc72fb97e52495fccb144d9e9e42f"
TEST_SPLIT = 0.2


def load(config: DataConfig, seed: int) -> Dataset:
    """Reads Reuters; the seed decides only which training newswires are held out.

    The published ranks were counted over all newswires, the test part included; they decide only
    which words have an id.

    Raises:
        OSError: if a file is missing, cannot be downloaded, or is damaged.
    """
    paths = sources.find_all(config.dir, FILES)
    train, test = read(paths[ROWS])
    words = keras_files.read_words(paths[INDEX])
    return keras_files.ids_dataset(config, seed, train, test, words, KERAS46)


def read(path: Path) -> tuple[Part, Part]:
    """Word ranks and labels of the training and the test part, in Keras's order.

    Raises:
        OSError: if the file is damaged or holds something else.
    """
    [(rows, labels)] = keras_files.read_parts(path, ("x", "y"))
    order = np.arange(len(labels))
    # Keras's own generator and call: any other would give another test set.
    np.random.RandomState(keras_files.SHUFFLE_SEED).shuffle(order)
    end = int(len(order) * (1 - TEST_SPLIT))
    train, test = ((rows.take(part), labels[part]) for part in (order[:end], order[end:]))
    return train, test


def verify(path: Path) -> None:
    """Compares the content of a ``reuters.npz`` with what was published, however it was packed.

    Raises:
        OSError: if it is another one, or damaged.
    """
    keras_files.verify(path, CONTENT, ("x", "y"))
