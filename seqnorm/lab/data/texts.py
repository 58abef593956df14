"""From texts to a data set whose words are learnt on the training part."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqnorm.lab.data.spec import Dataset, Sequences, Split
from seqnorm.lab.data.splits import hold_out, start_and_cut
from seqnorm.lab.data.tokenizer import Tokenizer
from seqnorm.lab.data.vocabulary import WordCounter

if TYPE_CHECKING:
    from seqnorm.lab.config.schema import TextConfig


class TextReader:
    """Reads the parts of a data set of texts, then makes the data set.

    Args:
        config: how words are cut and which get an id.
    """

    def __init__(self, config: TextConfig) -> None:
        self.config = config
        self.counter = WordCounter(
            Tokenizer.named(config.tokenizer, config.lowercase, config.strip_breaks)
        )

    def read(self, texts: Iterable[str], labels: ArrayLike) -> tuple[Sequences, NDArray[np.int32]]:
        """Provisional word numbers of the texts, and their labels.

        ``labels`` may be a list that fills while the texts are read.
        """
        rows = Sequences.from_lengths(*self.counter.read(texts))
        return rows, np.asarray(labels, dtype=np.int32)

    def dataset(
        self,
        seed: int,
        train: tuple[Sequences, NDArray[np.int32]],
        test: tuple[Sequences, NDArray[np.int32]],
        label_names: tuple[str, ...],
    ) -> Dataset:
        """Holds out a validation part and learns the vocabulary on the rest of the training part.

        The seed decides what is held out, and so the vocabulary: a word that occurs only in
        validation or test is unknown there.
        """
        config = self.config
        kept, held = hold_out(train[1], config, seed)
        vocabulary, ids = self.counter.vocabulary(
            train[0].take(kept).values, config.num_words, config.min_count
        )
        everything, tested = (
            Split(
                start_and_cut(
                    Sequences(ids[rows.values], rows.offsets), config.max_length, config.truncate
                ),
                labels,
            )
            for rows, labels in (train, test)
        )
        return Dataset(
            name=config.name,
            train=everything.take(kept),
            validation=everything.take(held),
            test=tested,
            label_names=label_names,
            vocabulary=vocabulary,
        )
