"""From rows with labels to a data set: the parts that are not given, and what is refused."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from seqnorm.lab.data.own.kinds import Kind
from seqnorm.lab.data.own.source import Row, bad
from seqnorm.lab.data.repeats import repeated
from seqnorm.lab.data.spec import Dataset
from seqnorm.lab.data.splits import strata, stratified_split
from seqnorm.lab.data.texts import Part, TextReader, part_of

if TYPE_CHECKING:
    from seqnorm.lab.config.data import OwnTextConfig

TRAIN, VALIDATION, TEST = "data.train", "data.validation", "data.test"


class PartReader:
    """Reads the parts of one data set.

    Args:
        config: how words are cut, and what is held out.
        labels: takes the labels of all parts.
    """

    def __init__(self, config: OwnTextConfig, labels: Kind) -> None:
        self.config, self.labels = config, labels
        self._reader = TextReader(config)

    def load(self, seed: int, rows: Mapping[str, Callable[[], Iterable[Row]]]) -> Dataset:
        """The data set; says on standard error what stands in two of its parts.

        Args:
            seed: decides the validation part, unless that is given.
            rows: what reads the rows of `TRAIN`, and of `VALIDATION` and `TEST` if they are given.
                The text of a row is a text.

        Raises:
            ValueError: if a part cannot be trained on or tested with, naming the row.
        """
        train = self._read(TRAIN, rows[TRAIN]())
        self.labels.require(TRAIN, len(train[1]))
        self.labels.close(TRAIN)
        validation = self._read(VALIDATION, rows[VALIDATION]()) if VALIDATION in rows else None
        if TEST in rows:
            test = self._read(TEST, rows[TEST]())
        else:
            train, test = self._divide(train)

        def settled(part: Part) -> Part:
            return part[0], self.labels.settled(part[1])

        dataset = self._reader.dataset(
            seed,
            settled(train),
            settled(test),
            self.labels.names,
            validation and settled(validation),
        )
        _say_repeats(dataset)
        return dataset

    def _read(self, key: str, rows: Iterable[Row]) -> Part:
        """Word numbers of a part, and its labels as they are taken."""

        def texts() -> Iterator[str]:
            for row in rows:
                try:
                    self.labels.add(row.label)
                except ValueError as error:
                    raise bad(row.place, error) from error
                yield row.text

        words, _ = self._reader.read(texts(), [])
        labels = self.labels.taken()
        if not len(labels):
            raise ValueError(f"{key} needs rows, received none. Name data that has some.")
        return words, labels

    def _divide(self, part: Part) -> tuple[Part, Part]:
        """Holds out the test part, the same for every seed of a run."""
        config = self.config
        rng = np.random.default_rng(config.split_seed)
        kept, tested = stratified_split(strata(part[1]), config.test_fraction, rng)
        if not (kept.size and tested.size):
            raise ValueError(
                "data.test_fraction must leave rows to train on and to test with, received "
                f"data.test_fraction={config.test_fraction} of {len(part[1])} rows. Choose another "
                "share, or more data."
            )
        return part_of(part, kept), part_of(part, tested)


def _say_repeats(dataset: Dataset) -> None:
    numbers = repeated(dataset)
    test, validation = numbers["test_in_training"], numbers["validation_in_training"]
    if test or validation:
        print(
            f"data={dataset.name}: {test:,} of {len(dataset.test):,} test texts also stand in "
            f"train or validation, {validation:,} of {len(dataset.validation):,} validation texts "
            "in train; they are left in",
            file=sys.stderr,
        )
