"""Rows whose labels are the tokens that come next, whole or cut into windows of a stream."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from seqnorm.lab.data.spec import IGNORED, START, Dataset, Sequences, Split


def labelled_with_next(dataset: Dataset) -> Dataset:
    """The same rows; at each step the label is the token that follows in its row.

    The last step of a row has none (`IGNORED`), so that every token but START is asked for once.
    The classes are the words.

    Raises:
        ValueError: if a part has no token that could be asked for.
    """
    return replace(
        dataset,
        train=_labelled("training", dataset.train),
        validation=_labelled("validation", dataset.validation),
        test=_labelled("test", dataset.test),
        label_names=dataset.words.words,
    )


def _labelled(part: str, split: Split) -> Split:
    rows = split.sequences
    following = np.append(rows.values[1:], np.int32(START))
    labels = np.where(following == START, IGNORED, following)
    if (labels == IGNORED).all():
        raise ValueError(
            f"a language model needs tokens to predict, received {len(split)} {part} texts without "
            "a word. Correct the texts, or choose a data.tokenizer that finds tokens in them, as "
            "characters."
        )
    return Split(rows, Sequences(labels, rows.offsets))


def windows(dataset: Dataset, steps: int, strands: int | None) -> Dataset:
    """The texts of each part one after the other, cut into windows of so many steps.

    With `strands` the stream is first cut into so many equal pieces; row ``k * strands + s`` is
    window k of strand s, so that a batch of `strands` rows, taken in order, goes on where the one
    before it ended.

    Args:
        dataset: as of `labelled_with_next`: START stands between two texts, and is not asked for.
        steps: of a window; the last of a strand may have one more, or fewer.
        strands: rows that are read side by side; None for windows that do not belong together.

    Raises:
        ValueError: if a part has fewer tokens than strands.
    """
    return replace(
        dataset,
        train=_cut("training", dataset.train, steps, strands or 1),
        validation=_cut("validation", dataset.validation, steps, strands or 1),
        test=_cut("test", dataset.test, steps, strands or 1),
    )


def _cut(part: str, split: Split, steps: int, strands: int) -> Split:
    values, labels = split.sequences.values, split.labels.values
    if len(values) < strands:
        raise ValueError(
            f"a carried state needs a token or more for each of data.batch_size={strands} strands; "
            f"received {len(values)} in the {part} part. Lower data.batch_size."
        )
    edges = np.arange(strands + 1) * len(values) // strands
    # As many for each strand, of which the longest has one token more than the shortest.
    count = -(-int(np.diff(edges).min()) // steps)
    starts = (edges[:-1] + np.arange(count)[:, None] * steps).ravel()
    stops = np.append(starts[strands:], edges[1:])
    lengths = stops - starts
    return Split(
        Sequences(values, split.sequences.offsets).slices(starts, lengths),
        Sequences(labels, split.labels.offsets).slices(starts, lengths),
    )
