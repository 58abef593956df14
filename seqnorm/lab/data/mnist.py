"""MNIST digits, each a sequence of pixels: what recurrent networks are tested on at length 784.

An image is read row by row from the top left; grey value ``g`` has the id ``OFFSET + g``, since ids
0 to 2 are padding, start and unknown. A convolutional network takes the same rows and undoes this
(`seqnorm.lab.models.convnet`), so that every model runs on the same batches.
"""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.data import sources
from seqnorm.lab.data.spec import Dataset, Sequences, Split
from seqnorm.lab.data.splits import divided, start_and_cut
from seqnorm.lab.data.vocabulary import SPECIAL, Vocabulary

if TYPE_CHECKING:
    from seqnorm.lab.config.data import DataConfig

FILE = "mnist.npz"
# As in keras.datasets.mnist.
FILE_HASH = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
# sha256 of images and labels, training part first
CONTENT = "06b0d1f124c4e5fa796686ade41a9b778edacc8622f2195a352ef479ad44fc16"
SIDE = 28  # pixels
GREYS = 256
OFFSET = len(SPECIAL)
DIGITS = tuple(str(digit) for digit in range(10))

Part = tuple[NDArray[np.uint8], NDArray[np.int32]]  # images [n, 28, 28] and labels [n]


def load(config: DataConfig, seed: int) -> Dataset:
    """Reads MNIST; the seed decides only which training images are held out.

    Raises:
        ValueError: if ``config.num_words`` has no id for some grey value.
        OSError: if the file is missing, cannot be downloaded, or is damaged.
    """
    if config.num_words != OFFSET + GREYS:
        raise ValueError(
            f"MNIST needs data.num_words={OFFSET + GREYS}, an id for each of {GREYS} grey values, "
            f"received num_words={config.num_words}. Leave it as it is in conf/data/mnist.yaml."
        )
    path = sources.find(config.dir, FILE, sources.KERAS_URL + FILE, FILE_HASH)
    everything, tested = (as_split(part, config) for part in read(path))
    vocabulary = Vocabulary([*SPECIAL, *(str(grey) for grey in range(GREYS))])
    return divided(config, seed, everything, tested, label_names=DIGITS, vocabulary=vocabulary)


def read(path: Path) -> tuple[Part, Part]:
    """Images and labels of the training and of the test part, in the order of the file.

    Raises:
        OSError: if the file is damaged or holds something else.
    """
    required = "an .npz file with images x_train, x_test and their digits y_train, y_test"
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            train, test = (
                (np.asarray(archive[f"x_{part}"]), np.asarray(archive[f"y_{part}"]))
                for part in ("train", "test")
            )
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise sources.damaged(path, required, error) from error
    return _checked(path, train), _checked(path, test)


def verify(path: Path) -> None:
    """Compares the images with those that were published, however the file is packed.

    Raises:
        OSError: if the file is damaged or holds other images.
    """
    hasher = hashlib.sha256()
    for images, labels in read(path):
        hasher.update(images.tobytes())
        hasher.update(labels.astype("u1").tobytes())
    if hasher.hexdigest() != CONTENT:
        raise sources.damaged(path, "the published data", "another content (checksum)")


def _checked(path: Path, part: tuple[NDArray, NDArray]) -> Part:
    images, labels = part
    fits = images.dtype == np.uint8 and images.shape == (len(labels), SIDE, SIDE) and len(labels)
    if not fits or labels.min() < 0 or labels.max() > 9:
        raise sources.damaged(
            path,
            f"images uint8[n, {SIDE}, {SIDE}] and one digit from 0 to 9 for each",
            f"images {images.dtype}{list(images.shape)} and labels {labels.dtype}"
            f"{list(labels.shape)}",
        )
    return images, labels.astype(np.int32)


def as_split(part: Part, config: DataConfig) -> Split:
    """Images as rows of ids with START in front."""
    images, labels = part
    pixels = images.reshape(len(images), -1).astype(np.int32) + OFFSET
    rows = Sequences.from_lengths(pixels.ravel(), np.full(len(images), pixels.shape[1]))
    return Split(start_and_cut(rows, config.max_length, config.truncate), labels)
