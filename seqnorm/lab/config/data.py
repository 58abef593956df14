"""Data sets and how they are cut into batches: one dataclass per kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from omegaconf import MISSING

from seqnorm.lab.config.ranges import (
    BUILDER,
    FILES,
    FOLDER,
    NAME,
    NAMES,
    SEED,
    SERIES_FILES,
    SHARE,
    SIGN,
    at_least,
    one_of,
    ranged,
)

# What the rows of a data set may be labelled with.
LABELS: dict[str, str] = {
    "class": "one class a row",
    "classes": "any number of classes a row",
    "number": "a number a row",
    "tags": "a class at every step",
    "none": "rows of ids, whatever their labels",
}


@dataclass
class DataConfig:
    """A data set and how it is cut into batches.

    A data set says with `KINDS` which labels it has, its usual one first. The loader of one that
    has several is told which are wanted: ``load(config, seed, labels)``.

    Attributes:
        name: registered name of the loader.
        dir: folder that holds the data; None means the loader's own default.
        num_words: size of the id table, special ids included.
        max_length: longest row in tokens, the start token included.
        truncate: which part of a longer text is cut off, "head" or "tail".
        batch_size: rows per batch.
        even_batches: whether the rows of an epoch are divided evenly; if not, every training batch
            has `batch_size` rows and the last one of an epoch has the rest.
        batch_tokens: tokens per training batch instead, the number of rows following from their
            lengths; None goes by rows.
        validation_fraction: share of the training examples held out for early stopping.
        validation_first: hold out this many training examples instead, the first in the loader's
            order (for Keras's ids that of Keras), the same whatever the seed; None holds out the
            share.
        bucket: batches in one shuffled pool that is sorted by length; 0 or 1 means no bucketing.
    """

    KINDS: ClassVar[tuple[str, ...]] = ("class",)

    name: str = MISSING
    dir: str | None = ranged(None, FOLDER)
    # The ids 0, 1 and 2 are special; the start token leaves no word in a row of 1.
    num_words: int = ranged(20_000, at_least(4))
    max_length: int = ranged(200, at_least(2))
    truncate: str = ranged("tail", one_of("head", "tail"))
    batch_size: int = ranged(64, at_least(1))
    even_batches: bool = True
    batch_tokens: int | None = ranged(None, at_least(1))
    validation_fraction: float = ranged(0.1, SHARE)
    validation_first: int | None = ranged(None, at_least(1))
    bucket: int = ranged(0, at_least(0))


@dataclass
class SeriesConfig(DataConfig):
    """Rows of numbers, one or several at each step; nothing is embedded."""


@dataclass
class TextConfig(DataConfig):
    """Texts whose words are cut and numbered here.

    Attributes:
        tokenizer: what a word is: "unicode"; "words", which knows no combining marks, decimals or
            typographic apostrophes and is that of the published results; "keras", as in the ids
            that Keras publishes; or "characters", each of which is a word.
        lowercase: whether capitals are made small.
        strip_breaks: whether HTML line breaks are spaces.
        min_count: how often a word must occur in the training part to get an id.
    """

    tokenizer: str = ranged("unicode", one_of("unicode", "words", "keras", "characters"))
    lowercase: bool = True
    strip_breaks: bool = True
    min_count: int = ranged(1, at_least(1))


@dataclass
class OwnTextConfig(TextConfig):
    """Texts of the user's, whose parts may be missing.

    Attributes:
        label_separator: stands between the labels of a row that has several; None if each has one.
        test_fraction: share of the training rows held out as test part, where there is none.
        split_seed: decides which; a test part is the same for every seed of the run.
    """

    KINDS = ("class", "classes", "number", "none")

    label_separator: str | None = ranged(None, SIGN)
    test_fraction: float = ranged(0.2, SHARE)
    split_seed: int = ranged(0, SEED)


@dataclass
class FilesConfig(OwnTextConfig):
    """Texts from files: CSV, TSV, JSON lines, Parquet, each also gzipped.

    Attributes:
        train: a name, a list of names, or a pattern with ``*``, relative to the current folder.
        validation: likewise; None holds out a share of the training rows by the run's seed.
        test: likewise; None holds out `test_fraction`.
        text: name of the column of texts.
        label: name of the column of labels.
        delimiter: between the fields of CSV and TSV; None goes by the file's ending.
        quotes: whether their fields may stand in double quotes.
    """

    train: Any = ranged("", FILES)
    validation: Any = ranged(None, FILES)
    test: Any = ranged(None, FILES)
    text: str = ranged("text", NAME)
    label: str = ranged("label", NAME)
    delimiter: str | None = ranged(None, SIGN)
    quotes: bool = True


@dataclass
class OwnSeriesConfig(SeriesConfig):
    """Rows of numbers from files: NumPy's .npz, the .ts of the UEA and UCR archive, Parquet.

    Attributes:
        train: a name, a list of names, or a pattern with ``*``, relative to the current folder.
        validation: likewise; None holds out a share of the training rows by the run's seed.
        test: likewise; None holds out `test_fraction`.
        label: the array (.npz) or column (Parquet) of labels; None is "labels" or "label".
        id: Parquet: the column that says which row a step belongs to.
        time: Parquet: the column that the steps of a row are sorted by.
        features: Parquet: the columns of numbers; None for all others that hold numbers, except
            what pandas wrote as its index.
        standardize: whether each feature gets mean 0 and spread 1, as learnt on the training part.
        missing: what becomes of steps with a number that is missing: "refuse", or "mask", which
            leaves the step out.
        test_fraction: share of the training rows held out as test part, where there is none.
        split_seed: decides which; a test part is the same for every seed of the run.
    """

    KINDS = ("class", "number", "tags")

    train: Any = ranged("", SERIES_FILES)
    validation: Any = ranged(None, SERIES_FILES)
    test: Any = ranged(None, SERIES_FILES)
    label: str | None = ranged(None, NAME)
    id: str = ranged("id", NAME)
    time: str = ranged("time", NAME)
    features: list[str] | None = ranged(None, NAMES)
    standardize: bool = True
    missing: str = ranged("refuse", one_of("refuse", "mask"))
    test_fraction: float = ranged(0.2, SHARE)
    split_seed: int = ranged(0, SEED)


@dataclass
class TFDSConfig(OwnTextConfig):
    """Any data set of texts that TensorFlow Datasets has.

    Attributes:
        builder: its name there, with its config if it has several, such as "glue/sst2".
        text: name of the feature that is the text; None takes the only one there is.
        label: likewise of the label.
        train: name of the split to train on.
        validation: likewise; None holds out a share of the training examples by the run's seed.
        test: likewise; None holds out `test_fraction`.
    """

    builder: str = ranged("", BUILDER)
    text: str | None = ranged(None, NAME)
    label: str | None = ranged(None, NAME)
    train: str = ranged("train", NAME)
    validation: str | None = ranged(None, NAME)
    test: str | None = ranged("test", NAME)


@dataclass
class SyntheticConfig(DataConfig):
    """Generated sequences: no file, no network.

    Attributes:
        examples, test_examples: rows generated for training and validation, and for the test.
    """

    examples: int = ranged(2_000, at_least(10))
    test_examples: int = ranged(1_000, at_least(1))


@dataclass
class AddingConfig(SeriesConfig):
    """The adding problem: generated rows of `max_length` steps, whose sum of two is asked for.

    Attributes:
        examples, test_examples: rows generated for training and validation, and for the test.
    """

    KINDS = ("number",)

    examples: int = ranged(10_000, at_least(10))
    test_examples: int = ranged(2_000, at_least(1))


@dataclass
class CopyMemoryConfig(DataConfig):
    """The copying problem: generated rows whose first ten symbols are asked for at their end.

    Attributes:
        delay: steps between what is to be remembered and where it is asked for.
        examples, test_examples: rows generated for training and validation, and for the test.
    """

    KINDS = ("tags",)

    delay: int = ranged(100, at_least(1))
    examples: int = ranged(10_000, at_least(10))
    test_examples: int = ranged(2_000, at_least(1))


def has_labels(schema: type[DataConfig], wanted: str) -> bool:
    """Whether data of a schema has labels of a kind; "none" is content with any rows of ids."""
    if wanted == "none":
        return not issubclass(schema, SeriesConfig)
    return wanted in schema.KINDS


DATA: dict[str, type] = {
    "imdb": TextConfig,
    "imdb_ids": DataConfig,
    "reuters": DataConfig,
    "reuters_r8": TextConfig,
    "reuters_r52": TextConfig,
    "reuters_clean": TextConfig,
    "mnist": DataConfig,
    "synthetic": SyntheticConfig,
    "adding": AddingConfig,
    "copy_memory": CopyMemoryConfig,
    "mnist_rows": SeriesConfig,
    "mnist_pixels": SeriesConfig,
    "mnist_pixels_permuted": SeriesConfig,
    "files": FilesConfig,
    "series": OwnSeriesConfig,
    "tfds": TFDSConfig,
}
