"""From texts to a data set whose words are learnt on the training part."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqnorm.lab.data.kept import Keeper, Kept, Source, find
from seqnorm.lab.data.spec import Dataset, Sequences, Split
from seqnorm.lab.data.splits import hold_out, start_and_cut
from seqnorm.lab.data.tokenizer import Tokenizer
from seqnorm.lab.data.vocabulary import WordCounter

if TYPE_CHECKING:
    from seqnorm.lab.config.data import TextConfig


# Provisional word numbers of the texts, and their labels int32[n].
Part = tuple[Sequences, NDArray[np.int32]]


def labelled(read: tuple[Sequences, list[int]]) -> Part:
    """A part as `TextReader.read_once` gives it whose labels are numbers of classes."""
    return read[0], np.array(read[1], np.int32)


def part_of(part: Part, indices: NDArray[np.int64]) -> Part:
    """Some rows of a part, copied."""
    return part[0].take(indices), part[1][indices]


def all_of(part: Part) -> NDArray[np.int64]:
    """The numbers of all rows."""
    return np.arange(len(part[1]))


class TextReader:
    """Reads the parts of a data set of texts, then makes the data set.

    Args:
        config: how words are cut and which get an id.
        source: what is read, by `read_once`; what an earlier run has read of it is not read again.

    Attributes:
        known: what an earlier run has read.
    """

    def __init__(self, config: TextConfig, source: Source | None = None) -> None:
        self.config = config
        tokenizer = Tokenizer.named(config.tokenizer, config.lowercase, config.strip_breaks)
        self.known: Kept | None = None
        self._keeper: Keeper | None = None
        if source is not None:
            source = source.also(**asdict(tokenizer))
            self.known = find(source)
            self._keeper = None if self.known else Keeper(source)
        self.counter = WordCounter(tokenizer, self.known.words if self.known else ())

    def read(self, texts: Iterable[str], labels: ArrayLike) -> Part:
        """Provisional word numbers of the texts, and their labels, which are numbers of classes.

        Raises:
            ValueError: if there are not as many labels as texts, or they are no numbers.
        """
        rows = Sequences.from_lengths(*self.counter.read(texts))
        found = np.asarray(labels)
        whole = found.dtype.kind in "iub" or not found.size
        if found.shape != (len(rows),) or not whole:
            raise ValueError(
                "labels must be numbers of classes, a whole number for each text; received "
                f"{found.shape} of dtype {found.dtype} for {len(rows)} texts. Write the place of "
                "each text's class in `label_names`."
            )
        return rows, found.astype(np.int32)

    def read_once(
        self, part: str, texts: Callable[[list[Any]], Iterable[str]]
    ) -> tuple[Sequences, list[Any]]:
        """Provisional word numbers of a part of the source, and the labels of its rows.

        Args:
            part: its name.
            texts: reads the texts, and adds their labels to a list, as plain values. Not called
                if the part is known.
        """
        if self.known:
            return self.known.parts[part]
        labels: list[Any] = []
        rows = Sequences.from_lengths(*self.counter.read(texts(labels)))
        if self._keeper:
            self._keeper.add(part, rows, labels)
        return rows, labels

    def dataset(
        self,
        seed: int,
        train: Part,
        test: Part,
        label_names: tuple[str, ...],
        validation: Part | None = None,
    ) -> Dataset:
        """Learns the vocabulary on the training part and makes the data set.

        Args:
            seed: decides what is held out for validation, and so the vocabulary: a word that
                occurs only in validation or test is unknown there.
            train: what `read` gave.
            test: likewise.
            label_names: one per class, in the order of the labels.
            validation: as train; None holds out a share of the training part.
        """
        config = self.config
        if self._keeper:
            self._keeper.finish(self.counter.words)
        if validation is None:
            kept, held = hold_out(train[1], config, seed)
            chosen = [(train, kept), (train, held), (test, all_of(test))]
        else:
            chosen = [(part, all_of(part)) for part in (train, validation, test)]
        learnt = part_of(*chosen[0])[0].values
        vocabulary, ids = self.counter.vocabulary(learnt, config.num_words, config.min_count)
        del learnt  # as large as the part, which the next step makes once more
        length, truncate = config.max_length, config.truncate
        train_split, validation_split, test_split = (
            Split(start_and_cut(rows, length, truncate, indices=indices, ids=ids), labels[indices])
            for (rows, labels), indices in chosen
        )
        return Dataset(
            config.name, train_split, validation_split, test_split, label_names, vocabulary
        )
