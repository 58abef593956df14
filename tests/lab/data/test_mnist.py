from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from seqnorm.lab import data
from seqnorm.lab.config.compose import compose
from seqnorm.lab.config.data import DataConfig
from seqnorm.lab.data import mnist
from seqnorm.lab.data.vocabulary import START
from tests.lab.data.files import cut


def write_mnist(folder: Path, **changes: np.ndarray) -> Path:
    rng = np.random.default_rng(0)
    arrays = {
        "x_train": rng.integers(0, 256, (40, 28, 28), dtype=np.uint8),
        "y_train": np.arange(40, dtype=np.uint8) % 10,
        "x_test": rng.integers(0, 256, (10, 28, 28), dtype=np.uint8),
        "y_test": np.arange(10, dtype=np.uint8),
        **changes,
    }
    np.savez_compressed(folder / "mnist.npz", **arrays)
    return folder


def config(folder: Path | None, *overrides: str) -> DataConfig:
    place = [] if folder is None else [f"data.dir={folder}"]
    return compose(["data=mnist", *place, *overrides]).data


def test_an_image_is_a_row_of_784_pixels_after_start(tmp_path, no_network):
    dataset = data.load(config(write_mnist(tmp_path)), 0)
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (36, 4, 10)
    with np.load(tmp_path / "mnist.npz") as archive:
        images = archive["x_test"]
    for row, pixels in zip(dataset.test.sequences, images, strict=True):
        assert row[0] == START
        np.testing.assert_array_equal(row[1:] - mnist.OFFSET, pixels.ravel())
    assert dataset.vocabulary.size == 259 and dataset.label_names == tuple("0123456789")
    assert dataset.decode(dataset.test.sequences[3]).split()[5] == str(images[3, 0, 5])
    assert not no_network


def test_the_first_images_can_be_the_validation_part(tmp_path):
    write_mnist(tmp_path)
    first = config(tmp_path, "data.validation_first=5")
    one, other = (data.load(first, seed) for seed in (0, 1))
    for dataset in (one, other):
        assert dataset.validation.labels.tolist() == [0, 1, 2, 3, 4]
        assert dataset.train.labels.tolist() == [5, 6, 7, 8, 9] + list(range(10)) * 3
    with pytest.raises(ValueError, match=r"first=40 of 40 training examples"):
        data.load(config(tmp_path, "data.validation_first=40"), 0)


def test_a_smaller_table_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"needs data.num_words=259.* received num_words=100"):
        data.load(config(write_mnist(tmp_path), "data.num_words=100"), 0)


def test_a_missing_file_is_named_with_where_and_how(tmp_path, no_network):
    with pytest.raises(FileNotFoundError, match=r"mnist\.npz is required.*leave data\.dir unset"):
        data.load(config(tmp_path), 0)
    assert not no_network


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_truncated_file_is_one_error_that_names_it(tmp_path, share):
    cut(write_mnist(tmp_path) / "mnist.npz", share)
    with pytest.raises(OSError, match=r"mnist\.npz must be .*damaged or incomplete"):
        data.load(config(tmp_path), 0)


@pytest.mark.parametrize(
    "change",
    [
        {"x_test": np.zeros((10, 28, 27), np.uint8)},
        {"x_test": np.zeros((10, 28, 28), np.float32)},
        {"y_test": np.zeros(9, np.uint8)},
        {"y_train": np.full(40, 10, np.uint8)},
        {"x_train": np.zeros((0, 28, 28), np.uint8), "y_train": np.zeros(0, np.uint8)},
    ],
    ids=lambda change: "-".join(change),
)
def test_another_archive_is_refused(tmp_path, change):
    write_mnist(tmp_path, **change)
    with pytest.raises(OSError, match=r"mnist\.npz must be images uint8\[n, 28, 28\].*received"):
        data.load(config(tmp_path), 0)


def test_without_a_folder_and_a_network_the_error_says_how_to_get_it(
    tmp_path, monkeypatch, no_network
):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(OSError, match=r"mnist\.npz is required .*storage\.googleapis\.com"):
        data.load(config(None), 0)
    assert no_network


def test_published_counts_and_pixels(real_data):
    train, test = mnist.read(real_data / "mnist.npz")
    assert (train[0].shape, test[0].shape) == ((60_000, 28, 28), (10_000, 28, 28))
    assert train[1][:5].tolist() == [5, 0, 4, 1, 9] and test[1][:5].tolist() == [7, 2, 1, 0, 4]
    assert train[0].mean() / 255 == pytest.approx(0.1307, abs=5e-5)
    # The checksum of the original file of training images, whose header is this.
    header = np.array([2051, 60_000, 28, 28], ">i4").tobytes()
    digest = hashlib.md5(header + train[0].tobytes(), usedforsecurity=False).hexdigest()
    assert digest == "6bbc9ace898e44ae57da46a324031adb"
