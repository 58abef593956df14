"""Rows of a file to be answered: without labels, and a bad one does not end it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.data.own.paths import SERIES
from seqnorm.lab.data.own.series import long, npz, ts
from seqnorm.lab.data.own.series.recording import Layout, unnamed
from seqnorm.lab.data.own.source import bad

_USUAL = Layout()


def rows(
    path: Path, features: tuple[str, ...], layout: Layout = _USUAL
) -> Iterator[NDArray[np.float32] | ValueError]:
    """The rows of a file in their order, or why one cannot be read.

    Args:
        path: the file.
        features: what the network was trained on; those of a file that has names are put into this
            order.
        layout: Parquet: names of the columns of ids and times.

    Raises:
        ValueError: if the file is of another format, or has other features.
        OSError: if it is damaged.
    """
    kind = SERIES.of(path)
    if kind == "ts":
        for line in ts.lines(path, None):
            yield line.values
        return
    if kind == "parquet":
        recording = long.read(path, layout._replace(features=features))
        yield from recording.rows
        return
    if kind != "npz":
        raise bad(
            str(path),
            f"rows of numbers are read from {SERIES.in_words}; received the ending "
            f"{path.suffix or 'none'}. Convert it.",
        )
    recording = npz.read(path, _USUAL)
    names, width = recording.features, len(features)
    order = list(range(recording.rows.features))
    if names is not None and features != unnamed(width):
        if sorted(names) != sorted(features):
            raise bad(
                str(path),
                f"the network was trained on the features {', '.join(features)}, received "
                f"{', '.join(names)}. Give the same.",
            )
        order = [names.index(name) for name in features]
    for row in recording.rows:
        yield row[:, order]
