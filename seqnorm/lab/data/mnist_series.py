"""MNIST digits as rows of numbers: 28 steps of a line each, or 784 of one pixel.

The tasks on which normalisation inside recurrent networks was argued: lines (28 steps), pixels from
the top left, and pixels in one order that was drawn once (Le et al., 2015; Cooijmans et al., 2016).
Grey values are divided by 255. That order is this project's own: papers drew theirs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.data import mnist, sources
from seqnorm.lab.data.spec import Dataset, Scale, Sequences, Split
from seqnorm.lab.data.splits import cut, divided

if TYPE_CHECKING:
    from seqnorm.lab.config.data import SeriesConfig

WHITE = 255.0
ORDER_SEED = 0
NAMES = ROWS, _, PERMUTED = "mnist_rows", "mnist_pixels", "mnist_pixels_permuted"


def order() -> NDArray[np.int64]:
    """Which pixel stands at each step of a permuted row, int64[784]."""
    return np.random.default_rng(ORDER_SEED).permutation(mnist.SIDE**2)


def load(config: SeriesConfig, seed: int) -> Dataset:
    """Reads MNIST; the seed decides only which training images are held out.

    Raises:
        OSError: if the file is missing, cannot be downloaded, or is damaged.
    """
    path = sources.find(config.dir, mnist.FILE, sources.KERAS_URL + mnist.FILE, mnist.FILE_HASH)
    features = mnist.SIDE if config.name == ROWS else 1
    names = (
        tuple(f"column {number}" for number in range(1, features + 1))
        if features > 1
        else ("grey",)
    )
    places = tuple(order().tolist()) if config.name == PERMUTED else ()
    scale = Scale(names, (0.0,) * features, (WHITE,) * features, places)

    def split(part: mnist.Part) -> Split:
        images, labels = part
        pixels = images.reshape(len(images), -1)
        pixels = pixels[:, list(places)] if places else pixels
        steps = np.full(len(images), pixels.shape[1] // features)
        rows = Sequences.from_lengths(scale.apply(pixels.reshape(-1, features)), steps)
        return Split(cut(rows, config.max_length, config.truncate), labels)

    everything, tested = map(split, mnist.read(path))
    return divided(config, seed, everything, tested, label_names=mnist.DIGITS, scale=scale)
