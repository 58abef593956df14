"""Whether an exported file answers as the network does, in the runtime that it is for."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.data.spec import START, Sequences
from seqnorm.lab.export.formats import Format
from seqnorm.lab.trained import Trained

TOLERANCE = 1e-5
LENGTHS = (1.0, 0.5, 0.0)  # of the longest row; the last is a single step


def write_checked(trained: Trained, model: keras.Model, kind: Format, folder: Path) -> float:
    """Writes a format, and runs it on padded rows of different lengths.

    Returns:
        The largest difference of its answers from the model's; of answers beyond -1 and 1 as a
        share of them.

    Raises:
        ValueError: if they differ by more than `TOLERANCE`, or have other names.
    """
    rows = _rows(trained)
    expected = {name: np.asarray(each) for name, each in model.predict_on_batch(rows).items()}
    kind.write(trained, model, folder)
    run, worst = kind.open(folder), 0.0
    for first in range(0, len(rows), kind.rows or len(rows)):
        chosen = slice(first, first + (kind.rows or len(rows)))
        found = run(rows[chosen])
        for name, each in expected.items():
            worst = max(worst, _difference(found[name], each[chosen]))
    if not worst <= TOLERANCE:
        raise ValueError(f"its answers are {worst:.1g} from the network's")
    return worst


def _difference(found: NDArray, expected: NDArray) -> float:
    wanted = expected.astype(np.float64)
    apart = np.abs(found.astype(np.float64) - wanted) / np.maximum(np.abs(wanted), 1)
    return float(apart.max()) if np.all(np.isfinite(apart)) else np.inf


def _rows(trained: Trained) -> NDArray:
    """Rows as they are given to an exported model, padded."""
    rng = np.random.default_rng(0)
    longest = min(trained.config.data.max_length, 200)
    lengths = [max(round(share * longest), 1) for share in LENGTHS]
    if trained.scale is not None:
        scale = trained.scale
        values = rng.normal(scale.mean, scale.spread, (sum(lengths), len(scale.features)))
        return Sequences.from_lengths(values, lengths).padded(range(len(lengths)))
    assert trained.vocabulary is not None
    ids = [[START, *rng.integers(START, trained.vocabulary.size, n - 1)] for n in lengths]
    return Sequences.from_rows(ids).padded(range(len(lengths)))
