"""The numbers of a data card."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.cards import features, labels
from seqnorm.lab.data.batching import Batches
from seqnorm.lab.data.repeats import repeated
from seqnorm.lab.data.spec import UNKNOWN, Dataset, Split
from seqnorm.lab.runs.portable import portable_value

if TYPE_CHECKING:
    from seqnorm.lab.config.data import DataConfig

PARTS = ("train", "validation", "test")
# Rows that are few for the statistics of one step: one row is its own mean, of two only the sign is
# left, and the variance of eight is off by half or more one time in three.
FEW = (1, 2, 8)
OF_IDS = ("num_words",)  # says nothing of rows of numbers
PLACE = ("name", "dir")  # all other settings of the data decide the numbers of a card


def measure(dataset: Dataset, config: DataConfig, seed: int) -> dict[str, Any]:
    """Everything a data card says about rows and batches, as JSON takes it.

    Args:
        dataset: what was loaded.
        config: how it is cut into batches.
        seed: the seed of the run whose first epoch is measured.
    """
    kinds = {"shuffled": replace(config, bucket=0)}
    if config.bucket > 1:
        kinds["bucketed"] = config
    return {
        "name": dataset.name,
        "settings": {
            **{
                key: portable_value(f"data.{key}", value)
                for key, value in asdict(config).items()
                if key not in PLACE and not (dataset.features and key in OF_IDS)
            },
            "seed": seed,
        },
        **(
            {"features": features.of_training(dataset)}
            if dataset.features
            else {"vocabulary": dataset.words.size}
        ),
        **labels.of_all(dataset),
        "parts": {
            part: part_numbers(getattr(dataset, part), dataset, config.max_length) for part in PARTS
        },
        "notes": list(dataset.notes),
        "repeated": repeated(dataset),
        "batches": {
            kind: batch_numbers(alive(Batches.configured(dataset.train, cut, seed)))
            for kind, cut in kinds.items()
        },
    }


def part_numbers(split: Split, dataset: Dataset, max_length: int) -> dict[str, Any]:
    """Numbers of one part: examples, labels, lengths in steps (of ids with START)."""
    lengths = split.sequences.lengths
    return {
        "examples": len(split),
        "tokens": int(lengths.sum()),
        **labels.of_part(split, dataset),
        "length_percentiles": np.percentile(lengths, range(101), method="lower").tolist(),
        "length_mean": float(lengths.mean()),
        "longest_share": float(np.mean(lengths == max_length)),
        **({} if dataset.features else {"unknown_rate": _unknown_rate(split)}),
    }


def _unknown_rate(split: Split) -> float:
    words = split.sequences.values[split.sequences.values >= UNKNOWN]
    return float(np.mean(words == UNKNOWN)) if words.size else 0.0


def alive(batches: Batches) -> NDArray[np.int64]:
    """int64[batches, time]: rows that have not ended at each step, in the current epoch.

    Zero where a batch has ended: it is not padded to the longest of the epoch.
    """
    lengths = batches.split.sequences.lengths
    steps = np.arange(int(lengths.max()))
    return np.stack([(lengths[rows, None] > steps).sum(axis=0) for rows in batches.rows])


def batch_numbers(rows: NDArray[np.int64]) -> dict[str, Any]:
    """Numbers of the batches of one epoch.

    Args:
        rows: what `alive` returns.

    Returns:
        ``padding_share``: share of the cells of all batches that are padding. ``few_share``: for
        each number in ``FEW``, the share of all steps of all batches at which at most so many rows
        are alive: what statistics per step are made of. ``alive``: the 5, 50 and 95 per cent
        quantiles over the batches that reach a step, at each step, and how many reach it.
    """
    running = rows > 0
    cells = int((rows[:, 0] * running.sum(axis=1)).sum())
    reach = running.sum(axis=0)
    quantiles = [np.percentile(column[column > 0], (5, 50, 95)) for column in rows.T]
    return {
        "batches": len(rows),
        "padding_share": 1.0 - int(rows.sum()) / cells,
        "few_share": {str(few): float(np.mean(rows[running] <= few)) for few in FEW},
        "alive": {
            **dict(zip(("low", "median", "high"), np.array(quantiles).T.tolist(), strict=True)),
            "batches": reach.tolist(),
        },
    }
