from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from seqnorm.lab.config.data import DataConfig
from seqnorm.lab.data import imdb
from seqnorm.lab.data.prepare import OWN, PREPARERS, prepare
from seqnorm.lab.data.reuters import newswires
from tests.lab.data.files import (
    cut,
    write_archive,
    write_imdb,
    write_newswires,
    write_reuters,
)


def config(name: str, folder: Path | None) -> DataConfig:
    return DataConfig(name=name, dir=None if folder is None else str(folder))


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".lock"
    }


def test_every_data_set_can_be_prepared():
    from seqnorm.lab.data import LOADERS

    assert {*PREPARERS, *OWN} == set(LOADERS)


@pytest.mark.parametrize(
    "name", [name for name in PREPARERS if name not in ("synthetic", "adding", "copy_memory")]
)
def test_published_data_are_found_and_left_alone(real_data, no_network, name):
    before = {path: path.stat().st_mtime_ns for path in real_data.iterdir()}
    found = prepare(config(name, real_data))
    assert found and all(thing.path.exists() and thing.size > 500_000 for thing in found)
    assert {path: path.stat().st_mtime_ns for path in real_data.iterdir()} == before
    assert not no_network


def test_generated_data_need_nothing():
    assert prepare(config("synthetic", None)) == []


@pytest.mark.parametrize("share", [1.0, 0.5, 0.0])
@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("reuters", write_reuters),
        ("reuters_r8", write_newswires),
        ("reuters_r8", lambda folder: write_archive(folder / newswires.ARCHIVE, {"a.sgm": "a"})),
        ("imdb", write_imdb),
        ("imdb", lambda folder: write_archive(folder / imdb.ARCHIVE, {"a": "a"})),
    ],
)
def test_another_content_is_refused_and_left_as_it_was(tmp_path, no_network, name, write, share):
    """Whole files with other data (1.0), truncated ones (0.5) and empty ones (0.0)."""
    write(tmp_path)
    for path in tmp_path.rglob("*"):
        if path.is_file():
            cut(path, share)
    before = contents(tmp_path)
    with pytest.raises(OSError, match=r"must be .*(damaged or incomplete|checksum)"):
        prepare(config(name, tmp_path))
    assert contents(tmp_path) == before
    assert not no_network


@pytest.mark.parametrize("name", ["imdb", "imdb_ids", "mnist", "reuters", "reuters_clean"])
def test_without_a_network_nothing_is_left(tmp_path, no_network, name):
    with pytest.raises(OSError, match=r"is required .*https://.*Check the network"):
        prepare(config(name, tmp_path / "new"))
    assert contents(tmp_path) == {}
    assert no_network


def test_a_wrong_index_is_refused(real_data, tmp_path):
    shutil.copy(real_data / "reuters.npz", tmp_path)
    index = (real_data / "reuters_word_index.json").read_text()
    path = tmp_path / "reuters_word_index.json"
    path.write_text(index.replace("the", "teh", 1))
    with pytest.raises(OSError, match=r"reuters_word_index\.json must be the published file"):
        prepare(config("reuters", tmp_path))
    path.write_text(index)
    assert len(prepare(config("reuters", tmp_path))) == 2


@pytest.mark.parametrize("name", ["imdb_ids", "reuters_r8"])
def test_an_unwritable_folder_is_named(tmp_path, name):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file/below must be a folder that can be written to"):
        prepare(config(name, tmp_path / "file" / "below"))


def test_an_unknown_data_set_lists_the_choices():
    with pytest.raises(ValueError, match="needs one of imdb, imdb_ids"):
        prepare(config("imbd", None))


def test_what_a_killed_tfds_left_is_no_data_set(tmp_path, no_network):
    half = tmp_path / "tfds/imdb_reviews/plain_text/incomplete.ABCDEF_1.0.0"
    half.mkdir(parents=True)
    (half / "imdb_reviews-train.tfrecord-00000-of-00001").write_bytes(b"half")
    (half / "dataset_info.json").write_text("{}")
    with pytest.raises(OSError, match="Check the network"):
        prepare(config("imdb", tmp_path))
    assert half.exists()  # swept by the process that next makes the reviews
