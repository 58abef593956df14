"""Reuters newswires, 46 topics: Keras's file and Keras's split.

The 11,228 newswires come as lists of word ranks; the file is divided 80 to 20 after a shuffle with
a fixed seed, which makes the test set part of the publication: it must be the same shuffle.
"""

from __future__ import annotations

import pickle
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seqnorm.data import sources
from seqnorm.data.spec import Dataset, Sequences, Split
from seqnorm.data.splits import limit_ids, start_and_cut, stratified_split
from seqnorm.data.vocabulary import SPECIAL, Vocabulary

if TYPE_CHECKING:
    from seqnorm.config import DataConfig

# name -> hash of the published file, as in keras.datasets.reuters
FILES = {
    "reuters.npz": "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916",
    "reuters_word_index.json": "4d44cc38712099c9e383dc6e5f11a921",
}
LABEL_NAMES = "reuters_label_names.json"
SHUFFLE_SEED = 113
TEST_SPLIT = 0.2
# Keras shifts ranks (from 1) by 3, so id 3 stands for no word.
OFFSET = 3
UNUSED = "<unused>"
# How the publishers cut text into words: everything but these signs and white space.
WORDS = r"""[^\s!"#$%&()*+,\-./:;<=>?@\[\\\]^_`{|}~]+"""


def load(config: DataConfig, seed: int) -> Dataset:
    """Reads Reuters; the seed decides only which training newswires are held out.

    Ids are Keras's: START 1, unknown 2, the most frequent word 4. Ids from ``config.num_words`` on
    become unknown. The published ranks were counted over all newswires, the test part included;
    they decide only which words have an id.

    Raises:
        OSError: if a file is missing, cannot be downloaded, or is damaged.
    """
    paths = {
        name: sources.find(config.dir, name, sources.KERAS_URL + name, file_hash)
        for name, file_hash in FILES.items()
    }
    rows, labels = read_newswires(paths["reuters.npz"])
    words = read_words(paths["reuters_word_index.json"])
    names = label_names(config.dir)
    if labels.max() >= len(names):
        raise ValueError(
            f"Every label needs a name, received labels up to {labels.max()} for {len(names)} "
            f"names. Use the {LABEL_NAMES} that belongs to reuters.npz."
        )
    order = np.arange(len(labels))
    # Keras's own generator and call: any other would give another test set.
    np.random.RandomState(SHUFFLE_SEED).shuffle(order)
    shifted = Sequences(limit_ids(rows.values + OFFSET, config.num_words), rows.offsets)
    cut = start_and_cut(shifted, config.max_length, config.truncate)
    everything = Split(cut.take(order), labels[order])
    end = int(len(order) * (1 - TEST_SPLIT))
    train, validation = stratified_split(
        everything.labels[:end], config.validation_fraction, np.random.default_rng(seed)
    )
    return Dataset(
        name="reuters",
        train=everything.take(train),
        validation=everything.take(validation),
        test=everything.take(np.arange(end, len(order))),
        label_names=names,
        vocabulary=Vocabulary(words[: config.num_words], WORDS),
    )


def read_newswires(path: Path) -> tuple[Sequences, NDArray[np.int32]]:
    """Word ranks (from 1) and labels in the order of the file.

    Raises:
        OSError: if the file is damaged or holds something else.
    """
    required = "an .npz file with object array 'x' (lists of word ranks) and int array 'y'"
    try:
        # The published file holds an object array of lists, which NumPy can only store pickled.
        # Unpickling can run code, so the file must come from a trusted source.
        with path.open("rb") as file, np.load(file, allow_pickle=True) as archive:
            rows, labels = archive["x"], np.asarray(archive["y"], dtype=np.int32)
        sequences = Sequences.from_rows(rows)
    except (
        *(OSError, EOFError, KeyError, ValueError, TypeError, AttributeError, OverflowError),
        *(pickle.UnpicklingError, zipfile.BadZipFile, zlib.error),
    ) as error:
        raise sources.damaged(path, required, error) from error
    if not 0 < len(sequences) == len(labels) or sequences.values.min(initial=1) < 1:
        received = f"{len(sequences)} rows, {len(labels)} labels or a rank below 1"
        raise sources.damaged(path, required, received)
    return sequences, labels


def read_words(path: Path) -> list[str]:
    """Words by id, from the published index of word -> rank.

    Raises:
        OSError: if the file is damaged or the ranks are not 1, 2, 3, ...
    """
    index = sources.read_json(path, dict)
    ranked = sorted(index, key=lambda word: index[word])
    if [index[word] for word in ranked] != list(range(1, len(ranked) + 1)):
        raise sources.damaged(path, "an index of words with ranks 1, 2, 3, ...", "other ranks")
    return [*SPECIAL, UNUSED, *ranked]


def label_names(directory: str | None) -> tuple[str, ...]:
    """Topic names by label: from ``directory`` if it has them, else Keras's table (no download)."""
    path = Path(directory).expanduser() / LABEL_NAMES if directory is not None else None
    if path is not None and path.is_file():
        return tuple(sources.read_json(path, list))
    from keras.datasets import reuters

    return tuple(reuters.get_label_names())
