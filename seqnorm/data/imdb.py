"""IMDB reviews, positive or negative: text from TensorFlow Datasets, a vocabulary of our own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from seqnorm.data import sources
from seqnorm.data.spec import Dataset, Sequences, Split
from seqnorm.data.splits import start_and_cut, stratified_split
from seqnorm.data.vocabulary import WordCounter

if TYPE_CHECKING:
    from seqnorm.config import DataConfig

NAME = "imdb_reviews"
URL = "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz"
LABEL_NAMES = ("negative", "positive")
# Where TensorFlow Datasets keeps its data inside data.dir.
SUBFOLDER = "tfds"


def load(config: DataConfig, seed: int) -> Dataset:
    """Reads IMDB; the seed decides which training reviews are held out, and so the vocabulary.

    The vocabulary is learnt on the training part without the held-out reviews: a word that occurs
    only in validation or test is unknown there.

    Raises:
        OSError: if the data is missing, cannot be downloaded, or is damaged.
    """
    builder = prepare(config.dir)
    counter = WordCounter()
    train_values, train_lengths, train_labels = read(builder, "train", counter)
    test_values, test_lengths, test_labels = read(builder, "test", counter)
    train, validation = stratified_split(
        train_labels, config.validation_fraction, np.random.default_rng(seed)
    )
    numbers = Sequences.from_lengths(train_values, train_lengths)
    vocabulary, ids = counter.vocabulary(numbers.take(train).values, config.num_words)

    def split(values: NDArray, lengths: NDArray, labels: NDArray) -> Split:
        rows = Sequences.from_lengths(ids[values], lengths)
        return Split(start_and_cut(rows, config.max_length, config.truncate), labels)

    everything = split(train_values, train_lengths, train_labels)
    return Dataset(
        name="imdb",
        train=everything.take(train),
        validation=everything.take(validation),
        test=split(test_values, test_lengths, test_labels),
        label_names=LABEL_NAMES,
        vocabulary=vocabulary,
    )


def prepare(directory: str | None) -> Any:
    """The TFDS builder of prepared data: in ``directory``, or downloaded and prepared if None.

    Raises:
        FileNotFoundError: if the folder has no prepared reviews.
        OSError: if the download fails or the folder's description is damaged.
    """
    import tensorflow_datasets as tfds
    from google.protobuf.json_format import ParseError

    if directory is None:
        return download(tfds)
    folder = Path(directory).expanduser() / SUBFOLDER
    if not list((folder / NAME).glob("*/*/dataset_info.json")):
        raise sources.missing(
            f"{NAME} as prepared by TensorFlow Datasets",
            f"{folder / NAME} (data.dir={str(directory)!r})",
            f"Prepare it there with tfds.load('{NAME}', data_dir={str(folder)!r}), or leave "
            "data.dir unset (null) to download it.",
        )
    try:
        # A builder that reads a folder never looks for a network.
        return tfds.builder(NAME, data_dir=folder)
    except (ParseError, ValueError, KeyError, OSError) as error:
        raise sources.damaged(folder / NAME, "a prepared TFDS data set", error) from error


def download(tfds: Any) -> Any:
    """The builder in TFDS's own folder, after downloading and preparing what is not there yet.

    Raises:
        OSError: if the download fails.
    """
    builder = tfds.builder(NAME)
    if not builder.is_prepared():
        sources.check_reachable("aclImdb_v1.tar.gz", URL)
        try:
            builder.download_and_prepare()
        except (OSError, tfds.download.DownloadError) as error:
            raise sources.unreachable("aclImdb_v1.tar.gz", URL, error) from error
    return builder


def read(
    builder: Any, part: str, counter: WordCounter
) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int32]]:
    """Word numbers int32[total], words per review int64[n] and labels int32[n] of one part.

    Raises:
        OSError: if files of that part are missing, damaged or incomplete.
    """
    import tensorflow as tf

    labels: list[int] = []
    folder = builder.data_dir
    required = f"a complete TFDS data set (part {part!r})"
    try:
        values, lengths = counter.read(texts(builder, part, labels))
        expected = builder.info.splits[part].num_examples
    except (tf.errors.OpError, UnicodeDecodeError, KeyError, OSError) as error:
        raise sources.damaged(folder, required, error) from error
    if len(labels) != expected:
        raise sources.damaged(folder, required, f"{len(labels)} of {expected} examples")
    return values, lengths, np.array(labels, dtype=np.int32)


def texts(builder: Any, part: str, labels: list[int]) -> Iterator[str]:
    """Yields the reviews in the order of the files and appends their labels to ``labels``.

    One pass in pieces: the text of a whole part is never in memory.
    """
    import tensorflow_datasets as tfds

    for piece in tfds.as_numpy(builder.as_dataset(split=part, batch_size=500)):
        labels.extend(piece["label"].tolist())
        for text in piece["text"]:
            yield text.decode("utf-8")
