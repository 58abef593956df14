"""What the two norms would compute of real batches, as sequences end: the argument for layer norm.

A recurrent layer without a norm, its weights as training would find them, reads batches of the
training part. At step t its pre-activation is

    z_t = x_t W + h_{t-1} U

and the moments of z_t are taken three ways: over the rows of the batch that are still alive
(recurrent batch normalisation), over all its rows, those that have ended included (what a cell
inside `keras.layers.RNN` would do, which is shown no mask: a padded row has the word vector of
padding and the state in which it ended), and over the features of each row alive (layer
normalisation). The moments of a batch are compared with those over the rows alive at t in all
batches, feature by feature; those of a row with the mean row alive at t.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from seqnorm.lab import data
from seqnorm.lab.config.schema import RunConfig
from seqnorm.lab.console import track
from seqnorm.lab.data.batching import Batches
from seqnorm.lab.data.spec import PAD, Dataset
from seqnorm.lab.errors import UserError, blame_the_input
from seqnorm.lab.runs.naming import config_hash
from seqnorm.lab.training.run import start
from seqnorm.lab.training.seeding import seed_all
from seqnorm.lab.why.figure import Why, write_why
from seqnorm.lab.why.moments import (
    ALIVE,
    ALL_ROWS,
    MIN_ROWS,
    PER_SAMPLE,
    Curve,
    averaged,
    batch_moments,
    pooled,
    relate,
    sample_moments,
)
from seqnorm.layers import recurrent_layer

MAX_BATCHES = 100  # enough for smooth quantiles, and IMDB in a minute
FEATURES = 32  # of all that there are, evenly spread: a quantile needs no more


def why(config: RunConfig, overrides: Sequence[str]) -> list[Path]:
    """Draws the figure and writes its numbers into ``<runs_dir>/<data>-<cell>-s<seed>-<hash>``.

    The hash is that of the configuration without seed and folders: the same figure again replaces
    the first, another one does not.

    Args:
        config: the complete configuration.
        overrides: of which it was made, for the caption.

    Returns:
        The files.

    Raises:
        UserError: if data is missing, damaged or too small, or a component refuses its arguments.
    """
    start(config)
    with blame_the_input():
        dataset = data.load(config.data, config.seed, config.task.LABELS)
        seed_all(config.seed)  # once more: preparing data for the first time draws from these too
        batches = Batches.configured(dataset.train, config.data, config.seed)
        network = Network(config, dataset)
    curves = measure(network, batches)
    if not all(len(curve.alive) for way in curves.values() for curve in way.values()):
        raise UserError(
            f"seqnorm-data why needs at least {MIN_ROWS} rows in {MAX_BATCHES} batches, received "
            f"{len(dataset.train)} rows in batches of {config.data.batch_size}. Use more data or "
            "larger batches."
        )
    figure = Why(
        config.data.name,
        config.network,
        min(len(batches), MAX_BATCHES),
        max(int(curve.alive[-1]) for curve in curves[ALIVE].values()),  # all are alive at step 0
        curves,
        _command(overrides),
    )
    name = f"{config.data.name}-{config.network}-s{config.seed}-{config_hash(config)}"
    folder = Path(config.runs_dir).expanduser() / name
    return write_why(figure, folder)


def _command(overrides: Sequence[str]) -> str:
    """What makes the same figure, wherever the data lies."""
    kept = [text for text in overrides if not text.startswith(("data.dir=", "runs_dir="))]
    return shlex.join(["seqnorm-data", "why", *kept])


class Network:
    """Word vectors and one recurrent layer without a norm, as training would begin with them.

    Args:
        config: group ``cell`` and ``model.embedding`` are read.
        dataset: for the number of words.
    """

    def __init__(self, config: RunConfig, dataset: Dataset) -> None:
        model: Any = config.model
        arguments = asdict(config.cell)
        self.embedding = keras.layers.Embedding(dataset.words.size, model.embedding)
        self.layer = recurrent_layer(
            arguments.pop("name"), norm="none", return_sequences=True, **arguments
        )

    def preactivations(self, tokens: NDArray[np.int32]) -> NDArray[np.float32]:
        """int32[rows, steps] -> z, float32[rows, steps, features]."""
        vectors = self.embedding(tokens)
        states = np.asarray(self.layer(vectors, mask=keras.ops.convert_to_tensor(tokens != PAD)))
        before = np.pad(states[:, :-1], ((0, 0), (1, 0), (0, 0)))  # h_{t-1}, and h_0 = 0
        cell: Any = self.layer.cells[0]
        kernel, recurrent_kernel = np.asarray(cell.kernel), np.asarray(cell.recurrent_kernel)
        return np.asarray(vectors) @ kernel + before @ recurrent_kernel


def measure(network: Network, batches: Batches) -> dict[str, dict[str, Curve]]:
    """Quantiles of both moments in all three ways."""
    alive, everyone, samples = [], [], []
    count = min(len(batches), MAX_BATCHES)
    for index in track(range(count), "Measuring batches", count):
        tokens, _ = batches[index]
        z, valid = network.preactivations(tokens), tokens != PAD
        some = z[..., np.linspace(0, z.shape[-1] - 1, FEATURES).round().astype(int)]
        alive.append(batch_moments(some, valid, counted=valid))
        everyone.append(batch_moments(some, valid, counted=np.ones_like(valid)))
        samples.append(sample_moments(z, valid))
    truth = pooled(alive)
    return {
        ALL_ROWS: relate(everyone, truth),
        ALIVE: relate(alive, truth),
        PER_SAMPLE: relate(samples, averaged(samples)),
    }
