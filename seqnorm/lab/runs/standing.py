"""Where a run stands after some of its epochs, by the records that it keeps while it trains.

A run that is paused, that was stopped early or that is finished has the same records of the same
epochs, so what is read here does not depend on how much further a run has come since.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqnorm.lab.runs.files import epoch_records
from seqnorm.lab.runs.read import METRICS
from seqnorm.lab.runs.result import RESULT


@dataclass(frozen=True)
class Standing:
    """A run after some of its epochs.

    Attributes:
        epochs: Those that it has finished, at most as many as were asked for.
        score: Validation score of the epoch whose weights it would keep if it ended now; None
            before the first epoch whose validation loss is a number.
        seconds: Training time so far.
    """

    epochs: int
    score: float | None
    seconds: float


def standing(folder: Path, score: str, keep: str, epochs: int | None = None) -> Standing:
    """Where a run stood after an epoch, or stands now.

    Args:
        folder: Of the run, of whatever state; one that is not there has not begun.
        score: Name of the task's first score, as "accuracy".
        keep: Which epoch is kept: "best" by the validation loss, or "last".
        epochs: The epoch; None for the last one so far.
    """
    found = Standing(0, None, 0.0)
    lowest = None
    for record in _finite(folder):
        if epochs is not None and record["epoch"] > epochs:
            break
        lower = lowest is None or record["val_loss"] < lowest
        kept = record[f"val_{score}"] if lower or keep == "last" else found.score
        lowest = record["val_loss"] if lower else lowest
        found = Standing(record["epoch"], kept, record["seconds"])
    return found


def epochs_done(folder: Path) -> int:
    """How many epochs a run has finished."""
    return max((record["epoch"] for record in _finite(folder)), default=0)


def seconds_trained(folder: Path) -> float:
    """How long they took."""
    return max((record["seconds"] for record in _finite(folder)), default=0.0)


def has_reached(folder: Path, epochs: int | None) -> bool:
    """Whether a run is finished, or has finished so many epochs; None asks for its end."""
    return (folder / RESULT).exists() or (epochs is not None and epochs_done(folder) >= epochs)


def _finite(folder: Path) -> Iterator[dict[str, Any]]:
    """The records of the epochs after which training could go on, in their order."""
    path = folder / METRICS
    if path.exists():
        records = epoch_records(path, "val_loss", cut_off=not (folder / RESULT).exists())
        yield from (record for record in records if record["val_loss"] is not None)
