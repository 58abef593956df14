"""Data sets by name: ``load(config, seed)`` gives sequences of word ids with labels.

``seqnorm.lab.data.batching`` makes batches of what ``load`` returns.

Importing this package registers ``reuters21578`` with TensorFlow Datasets, so that a plain
``tfds.load("reuters21578/r8")`` finds it. It imports neither Keras nor TensorFlow (TensorFlow
Datasets imports that only once it reads); a loader imports what it needs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from seqnorm.lab.config.rules import check_group
from seqnorm.lab.data import (
    adding,
    copy_memory,
    imdb,
    imdb_ids,
    mnist,
    mnist_series,
    sources,
    synthetic,
)
from seqnorm.lab.data.own import files, paths, tfds
from seqnorm.lab.data.own.series import dataset as series
from seqnorm.lab.data.reuters import ids as reuters_ids
from seqnorm.lab.data.reuters import newswires, reuters21578
from seqnorm.lab.data.reuters import text as reuters_text
from seqnorm.lab.data.spec import IGNORED, PAD, START, UNKNOWN, Dataset, Scale, Sequences, Split
from seqnorm.lab.data.vocabulary import Vocabulary

if TYPE_CHECKING:
    from seqnorm.lab.config.data import DataConfig

__all__ = [
    "IGNORED",
    "LOADERS",
    "PAD",
    "START",
    "UNKNOWN",
    "Dataset",
    "Scale",
    "Sequences",
    "Split",
    "Vocabulary",
    "load",
    "refuse_missing",
    "reuters21578",
]

# name of a data set -> what loads it. A new one of ours also needs a file in conf/data, a schema in
# seqnorm/lab/config/schema.py, a line in LOCATORS and one in PREPARERS of data/prepare.py.
LOADERS: dict[str, Callable[..., Dataset]] = {
    "imdb": imdb.load,
    "imdb_ids": imdb_ids.load,
    "mnist": mnist.load,
    "reuters": reuters_ids.load,
    "reuters_r8": reuters_text.load,
    "reuters_r52": reuters_text.load,
    "reuters_clean": reuters_text.load,
    "synthetic": synthetic.load,
    "adding": adding.load,
    "copy_memory": copy_memory.load,
    **dict.fromkeys(mnist_series.NAMES, mnist_series.load),
    "files": files.load,
    "series": series.load,
    "tfds": tfds.load,
}


def _in_folder(look: Callable[[str], object]) -> Callable[[Any], object]:
    """Looks into `data.dir` where that is set: what is downloaded is not asked for."""
    return lambda config: None if config.dir is None else look(config.dir)


# name of a data set that is read from files -> what looks for them, given its configuration
LOCATORS: dict[str, Callable[[Any], object]] = {
    "imdb": _in_folder(imdb.locate),
    "imdb_ids": _in_folder(partial(sources.find_all, files=imdb_ids.FILES)),
    **dict.fromkeys(
        ("mnist", *mnist_series.NAMES),
        _in_folder(partial(sources.find_all, files={mnist.FILE: mnist.FILE_HASH})),
    ),
    "reuters": _in_folder(partial(sources.find_all, files=reuters_ids.FILES)),
    **dict.fromkeys(reuters_text.SUBSETS, _in_folder(newswires.find)),
    "files": paths.locate,
    "series": paths.locate,
    "tfds": tfds.locate,
}


def refuse_missing(config: DataConfig) -> None:
    """Looks whether files that `load` will want are there, before anything heavy is imported.

    Raises:
        FileNotFoundError: if a folder or a file was named and is missing; what is downloaded is not
            asked for.
        NotADirectoryError: if data.dir is a file.
        ValueError: if a file was named that cannot be read.
    """
    sources.require_folder(config.dir)
    if config.name in LOCATORS:
        LOCATORS[config.name](config)


def load(config: DataConfig, seed: int, labels: str | None = None) -> Dataset:
    """Loads the data set ``config.name``.

    Args:
        config: the ``data`` group of a run.
        seed: decides which training examples are held out for validation; the test part does not
            depend on it.
        labels: which labels the task needs (`TaskConfig.LABELS`); None for the usual ones of the
            data.

    Raises:
        ValueError: if the name is unknown or a setting is out of range.
        OSError: if data is missing (FileNotFoundError), cannot be downloaded, or is damaged.
    """
    if config.name not in LOADERS:
        raise ValueError(
            f"data.name must be one of {sorted(LOADERS)}, received name={config.name!r}. "
            "Choose one of them."
        )
    check_group("data", config)
    if len(config.KINDS) == 1:
        return LOADERS[config.name](config, seed)
    return LOADERS[config.name](config, seed, labels or config.KINDS[0])
