"""Whether an exported file answers as the network does, in the runtime that it is for.

Both compute in float32, and add in another order. What that may come to depends on the network:
where layer norm meets a vector that is nearly constant, it multiplies it by up to
1 / sqrt(epsilon), and over hundreds of steps a last bit can grow into another answer. So how far
answers move when the last bit of each weight is moved is measured first.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.export.formats import Answers, Format
from seqnorm.lab.trained import Trained

# What no answer may be further off by, where rounding moves it less. A runtime has functions of its
# own: LiteRT 2.3 answered a trained LSTM with layer norm to 1.0e-5, onnxruntime to 9e-7.
TOLERANCE = 1e-4
WORTH_SAYING = 1e-5  # of what rounding alone comes to
DRAWS = 4  # of moved weights
# Of 492 rows of an LSTM on 784 steps none was further off than the largest of four moves.
FACTOR = 10
LAST_BIT = float(np.finfo(np.float32).eps)


@dataclass(frozen=True)
class Checked:
    """What a check came to; of answers beyond -1 and 1 differences are shares of them.

    Attributes:
        rows: how many were answered.
        steps: of the longest.
        difference: the largest, of the file's answers from the network's.
        moved: the largest, of the network's own answers when each weight's last bit is moved.
    """

    rows: int
    steps: int
    difference: float
    moved: float

    def said(self, which: str) -> str:
        """In words; `which` says where the rows are from."""
        said = (
            f"There it answered {self.rows} {which} rows of up to {self.steps} steps as here, to "
            f"{self.difference:.0e}."
        )
        if self.moved <= WORTH_SAYING:
            return said
        return (
            f"{said} Rounding alone moves such answers of this network by up to {self.moved:.0e}: "
            "formats and machines may differ by as much, or more on other rows."
        )


def write_checked(
    trained: Trained,
    model: keras.Model,
    kind: Format,
    folder: Path,
    rows: NDArray,
) -> Checked:
    """Writes a format, and runs it on padded rows.

    Args:
        trained: the run.
        model: of `answering`.
        kind: the format.
        folder: where it is written.
        rows: of `seqnorm.lab.export.rows`.

    Raises:
        ValueError: if some row's answers differ by more than `TOLERANCE`, and by more than `FACTOR`
            times what rounding moves them; or if they have other names.
    """
    expected = _answers(model, rows)
    kind.write(trained, model, folder)
    run, apart = kind.open(folder), np.zeros(len(rows))
    for first in range(0, len(rows), kind.rows or len(rows)):
        chosen = slice(first, first + (kind.rows or len(rows)))
        wanted = {name: each[chosen] for name, each in expected.items()}
        apart[chosen] = _apart(run(rows[chosen]), wanted)
    moved = moved_by_rounding(model, rows, expected)
    wrong = ~(apart <= np.maximum(TOLERANCE, FACTOR * moved))
    if wrong.any():
        row = int(np.argmax(np.where(wrong, apart, -1)))
        raise ValueError(
            f"its answers are {apart[row]:.1g} from the network's, which rounding moves by "
            f"{moved[row]:.0e}"
        )
    return Checked(len(rows), rows.shape[1], float(apart.max()), float(moved.max()))


def moved_by_rounding(model: keras.Model, rows: NDArray, expected: Answers) -> NDArray[np.float64]:
    """How far the answers to each row move when the last bit of each weight is moved, float64[n].

    Args:
        model: whose weights are as before when this returns.
        rows: padded.
        expected: the model's answers to them.
    """
    rng, weights = np.random.default_rng(0), model.get_weights()
    moved = np.zeros(len(rows))
    try:
        for _ in range(DRAWS):
            model.set_weights([_moved(weight, rng) for weight in weights])
            moved = np.maximum(moved, _apart(_answers(model, rows), expected))
    finally:
        model.set_weights(weights)
    return moved


def _moved(weight: NDArray, rng: np.random.Generator) -> NDArray:
    if weight.dtype.kind != "f":
        return weight
    return (weight * (1 + LAST_BIT * rng.choice([-1, 1], weight.shape))).astype(weight.dtype)


def _answers(model: keras.Model, rows: NDArray) -> Answers:
    return {name: np.asarray(each) for name, each in model.predict_on_batch(rows).items()}


def _apart(found: Answers, expected: Answers) -> NDArray[np.float64]:
    """The largest difference of the answers to each row; infinite where one is not finite."""
    worst = np.zeros(len(next(iter(expected.values()))))
    for name, each in expected.items():
        wanted = each.astype(np.float64)
        apart = np.abs(found[name].astype(np.float64) - wanted) / np.maximum(np.abs(wanted), 1)
        apart = np.where(np.isfinite(apart), apart, np.inf).reshape(len(worst), -1)
        worst = np.maximum(worst, apart.max(axis=1, initial=0))
    return worst
