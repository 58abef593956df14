"""From rows with labels to a data set: the parts that are not given, and what is refused."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from seqnorm.lab.data.kept import Source
from seqnorm.lab.data.own.kinds import Kind
from seqnorm.lab.data.own.source import Row, bad
from seqnorm.lab.data.repeats import say_repeats
from seqnorm.lab.data.spec import Dataset
from seqnorm.lab.data.splits import hold_out_test
from seqnorm.lab.data.texts import Part, TextReader, part_of

if TYPE_CHECKING:
    from seqnorm.lab.config.data import OwnTextConfig

TRAIN, VALIDATION, TEST = "data.train", "data.validation", "data.test"


class PartReader:
    """Reads the parts of one data set.

    Args:
        config: how words are cut, and what is held out.
        labels: takes the labels of all parts.
        source: what is read.
    """

    def __init__(self, config: OwnTextConfig, labels: Kind, source: Source) -> None:
        self.config, self.labels = config, labels
        # What one kind of labels takes may be no label to another.
        kind = [type(labels).__name__, labels.column, config.label_separator]
        self._reader = TextReader(config, source.also(kind=kind))

    def load(self, seed: int, rows: Mapping[str, Callable[[], Iterable[Row]]]) -> Dataset:
        """The data set; says on standard error what stands in two of its parts.

        Args:
            seed: decides the validation part, unless that is given.
            rows: what reads the rows of `TRAIN`, and of `VALIDATION` and `TEST` if they are given.
                The text of a row is a text.

        Raises:
            ValueError: if a part cannot be trained on or tested with, naming the row.
        """
        train = self._read(TRAIN, rows[TRAIN])
        self.labels.require(TRAIN, len(train[1]))
        self.labels.close(TRAIN)
        validation = self._read(VALIDATION, rows[VALIDATION]) if VALIDATION in rows else None
        if TEST in rows:
            test = self._read(TEST, rows[TEST])
        else:
            kept, tested = hold_out_test(train[1], self.config)
            train, test = part_of(train, kept), part_of(train, tested)

        def settled(part: Part) -> Part:
            return part[0], self.labels.settled(part[1])

        dataset = self._reader.dataset(
            seed,
            settled(train),
            settled(test),
            self.labels.names,
            validation and settled(validation),
        )
        say_repeats(dataset, "texts")
        self._look_for_words(dataset)
        return dataset

    def _look_for_words(self, dataset: Dataset) -> None:
        """Says how many texts hold nothing that the tokenizer finds; if all do, refuses them."""
        parts = (dataset.train, dataset.validation, dataset.test)
        total = sum(map(len, parts))
        empty = sum(int((part.sequences.lengths <= 1).sum()) for part in parts)  # START alone
        found = f"{empty:,} of {total:,} texts without anything that "
        found += f"data.tokenizer={self.config.tokenizer} takes for a word"
        if empty == total:
            raise ValueError(
                f"texts need words, received {found}. Name another column with data.text, or "
                "another tokenizer."
            )
        if empty:
            print(f"data={dataset.name}: {found}; they are left in", file=sys.stderr)

    def _read(self, key: str, rows: Callable[[], Iterable[Row]]) -> Part:
        """Word numbers of a part, and its labels as they are taken."""

        def texts(labels: list[Any]) -> Iterator[str]:
            for row in rows():
                try:
                    self.labels.add(row.label)
                except ValueError as error:
                    raise bad(row.place, error) from error
                labels.append(row.label)
                yield row.text

        words, found = self._reader.read_once(key, texts)
        if self._reader.known:
            for each in found:
                self.labels.add(each)
        labels = self.labels.taken()
        if not len(labels):
            raise ValueError(f"{key} needs rows, received none. Name data that has some.")
        return words, labels
