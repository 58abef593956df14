"""Data sets that Keras publishes as word ranks: their files, and Keras's own steps on them."""

from __future__ import annotations

import hashlib
import pickle
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.data import sources
from seqnorm.lab.data.spec import Dataset, Sequences, Split
from seqnorm.lab.data.splits import divided, limit_ids, start_and_cut
from seqnorm.lab.data.tokenizer import KERAS_WORDS, Tokenizer
from seqnorm.lab.data.vocabulary import SPECIAL, Vocabulary

if TYPE_CHECKING:
    from seqnorm.lab.config.data import DataConfig

# The seed of Keras's shuffles, which is part of the publication.
SHUFFLE_SEED = 113
# Keras shifts ranks (from 1) by 3, so id 3 stands for no word.
OFFSET = 3
UNUSED = "<unused>"
# The publishers lower-cased the text and left "br" of every HTML line break.
TOKENIZER = Tokenizer(KERAS_WORDS, lowercase=True, strip_breaks=False)

Part = tuple[Sequences, NDArray[np.int32]]


def read_parts(path: Path, *members: tuple[str, str]) -> list[Part]:
    """Word ranks (from 1) and labels of each part of an ``.npz`` file, in the order of the file.

    Args:
        path: the file.
        *members: names of the array of ranks and of the array of labels, one pair per part.

    Raises:
        OSError: if the file is damaged or holds something else.
    """
    pairs = " and ".join(f"object array {x!r} with int array {y!r}" for x, y in members)
    required = f"an .npz file with {pairs} (lists of word ranks, their labels)"
    try:
        # The published files hold object arrays of lists, which NumPy can only store pickled.
        # Unpickling can run code, so a file must come from a trusted source.
        with path.open("rb") as file, np.load(file, allow_pickle=True) as archive:
            parts = [
                (Sequences.from_rows(archive[x]), np.asarray(archive[y], dtype=np.int32))
                for x, y in members
            ]
    except (
        *(OSError, EOFError, KeyError, ValueError, TypeError, AttributeError, OverflowError),
        *(pickle.UnpicklingError, zipfile.BadZipFile, zlib.error),
    ) as error:
        raise sources.damaged(path, required, error) from error
    for rows, labels in parts:
        if not 0 < len(rows) == len(labels) or rows.values.min(initial=1) < 1:
            received = f"{len(rows)} rows, {len(labels)} labels or a rank below 1"
            raise sources.damaged(path, required, received)
    return parts


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


def ids_dataset(
    config: DataConfig,
    seed: int,
    train: Part,
    test: Part,
    words: Sequence[str],
    label_names: tuple[str, ...],
) -> Dataset:
    """Shifts, limits and cuts ranks as Keras does, then holds out a validation part.

    Raises:
        OSError: if a label is not that of a class.

    Ids are Keras's: START 1, unknown 2, the most frequent word 4. Ids from ``config.num_words`` on
    become unknown. Rows longer than ``config.max_length`` are cut, where Keras drops them.
    """
    parts = []
    for rows, labels in (train, test):
        if not 0 <= labels.min() <= labels.max() < len(label_names):
            required = f"data with labels from 0 to {len(label_names) - 1}"
            received = f"labels from {labels.min()} to {labels.max()}"
            raise sources.damaged(f"the files of {config.name}", required, received)
        known = Sequences(limit_ids(rows.values + OFFSET, config.num_words), rows.offsets)
        parts.append(Split(start_and_cut(known, config.max_length, config.truncate), labels))
    vocabulary = Vocabulary(words[: config.num_words], TOKENIZER)
    return divided(config, seed, *parts, label_names, vocabulary)


def verify(path: Path, content: str, *members: tuple[str, str]) -> None:
    """Compares the content of a file with what was published.

    Raises:
        OSError: if it is another one, or damaged.
    """
    if digest(read_parts(path, *members)) != content:
        raise sources.damaged(path, "the published data", "another content (checksum)")


def digest(parts: Sequence[Part]) -> str:
    """sha256 of ranks, lengths and labels.

    Unlike that of the file it does not depend on how the archive was packed (time stamps, say).
    """
    hasher = hashlib.sha256()
    for rows, labels in parts:
        for numbers in (rows.values, rows.lengths, labels):
            hasher.update(np.ascontiguousarray(numbers, dtype="<i4").tobytes())
    return hasher.hexdigest()
