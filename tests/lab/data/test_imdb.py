from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
from unittest.mock import Mock

import numpy as np
import pytest
import tensorflow_datasets as tfds
from tensorflow_datasets.core.download import resource

from seqnorm.lab import data
from seqnorm.lab.cards.measure import repeated
from seqnorm.lab.config.data import TextConfig
from seqnorm.lab.data import imdb
from seqnorm.lab.data.spec import START, UNKNOWN
from tests.lab.data.files import REVIEWS, cut, write_imdb

RECORDS = "imdb_reviews-{}.tfrecord-00000-of-00001"


def config(folder, **changes) -> TextConfig:
    values = {"num_words": 1000, "max_length": 50, "validation_fraction": 0.25, **changes}
    return TextConfig(name="imdb", dir=str(folder), **values)


def test_text_becomes_ids_of_words(tmp_path, no_network):
    write_imdb(tmp_path)
    dataset = data.load(config(tmp_path), 0)
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (6, 2, 2)
    assert dataset.label_names == ("negative", "positive")
    words = dataset.vocabulary.ids
    assert dataset.test.sequences[0].tolist() == [START, words["good"], UNKNOWN]
    assert dataset.test.labels.tolist() == [1, 0]
    assert not no_network  # prepared data are read without asking any server


@pytest.mark.parametrize("seed", range(6))
def test_the_vocabulary_is_learnt_on_the_training_part_only(tmp_path, seed):
    write_imdb(tmp_path)
    dataset = data.load(config(tmp_path), seed)
    texts = [dataset.vocabulary.decode(row) for row in dataset.train.sequences]
    seen = set(" ".join(texts).split())
    assert set(dataset.vocabulary.words[3:]) == seen
    assert (dataset.train.sequences.values != UNKNOWN).all()
    held_out = set(re.findall(r"[\w!]+", " ".join(t for t, _ in REVIEWS["train"]).lower())) - seen
    assert not held_out & set(dataset.vocabulary.words)


@pytest.mark.parametrize(
    ("changes", "present", "absent"),
    [
        ({}, {"good", "!"}, {"Good", "br"}),
        ({"lowercase": False}, {"good", "Good", "Really"}, {"really", "br"}),
        ({"strip_breaks": False}, {"good", "br"}, {"Good"}),
        ({"tokenizer": "keras", "strip_breaks": False}, {"good", "br"}, {"!"}),
        ({"min_count": 3}, {"good", "film"}, {"play", "really", "!"}),
        ({"num_words": 5}, {"film", "bad"}, {"good", "play"}),
    ],
)
def test_options_of_the_text_decide_the_words(tmp_path, monkeypatch, changes, present, absent):
    # An empty review is held out, so that all words are those of the training part.
    monkeypatch.setitem(REVIEWS, "train", [("", 0), *REVIEWS["train"]])
    write_imdb(tmp_path)
    words = set(data.load(config(tmp_path, validation_first=1, **changes), 0).vocabulary.words)
    assert present <= words and not absent & words


def test_an_empty_review_is_a_start_token(tmp_path):
    write_imdb(tmp_path)
    dataset = data.load(config(tmp_path), 0)
    lengths = np.concatenate(
        [dataset.train.sequences.lengths, dataset.validation.sequences.lengths]
    )
    assert lengths.min() == 1


def test_the_seed_moves_validation_but_not_the_test_labels(tmp_path):
    write_imdb(tmp_path)
    first, again = (data.load(config(tmp_path), 0) for _ in range(2))
    assert first.vocabulary.words == again.vocabulary.words
    assert first.train.sequences.values.tobytes() == again.train.sequences.values.tobytes()
    others = [data.load(config(tmp_path), seed) for seed in range(1, 6)]
    for one in others:
        np.testing.assert_array_equal(one.test.labels, first.test.labels)
    assert any(one.vocabulary.words != first.vocabulary.words for one in others)


def test_a_missing_data_set_is_named_with_where_and_how(tmp_path, no_network):
    with pytest.raises(FileNotFoundError) as error:
        data.load(config(tmp_path), 0)
    for part in ("imdb_reviews", str(tmp_path / "tfds"), "leave data.dir unset"):
        assert part in str(error.value)
    assert f"seqnorm-data prepare data=imdb data.dir={tmp_path}" in str(error.value)
    assert not no_network


@pytest.mark.parametrize("part", ["train", "test"])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_truncated_record_file_is_one_error_that_names_the_folder(tmp_path, part, share):
    target = write_imdb(tmp_path)
    cut(target / RECORDS.format(part), share)
    with pytest.raises(OSError, match=rf"{target} must be .*\(part '{part}'\).*delete it"):
        data.load(config(tmp_path), 0)


def test_a_record_too_few_is_found(tmp_path):
    target = write_imdb(tmp_path)
    (target / RECORDS.format("train")).write_bytes((target / RECORDS.format("test")).read_bytes())
    with pytest.raises(OSError, match="must be a complete TFDS data set"):
        data.load(config(tmp_path), 0)


def test_a_missing_record_file_is_one_error(tmp_path):
    target = write_imdb(tmp_path)
    (target / RECORDS.format("test")).unlink()
    with pytest.raises(OSError, match=r"must be .*\(part 'test'\)"):
        data.load(config(tmp_path), 0)


def test_another_form_of_the_reviews_is_none(tmp_path, no_network):
    """Old tutorials prepared ids of word pieces, which TFDS keeps beside the text."""
    write_imdb(tmp_path)
    reviews = tmp_path / "tfds/imdb_reviews"
    (reviews / "plain_text").rename(reviews / "subwords8k")
    with pytest.raises(FileNotFoundError, match=r"imdb_reviews as prepared by"):
        imdb.load(config(tmp_path), 0)
    assert not no_network


def test_only_another_version_is_named_with_the_one_that_is_read(tmp_path):
    version = write_imdb(tmp_path)
    version.rename(version.with_name("0.1.0"))
    with pytest.raises(
        FileNotFoundError, match=r"read in version 1\.0\.0, received version 0\.1\.0"
    ):
        data.refuse_missing(config(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"Run seqnorm-data prepare"):
        data.load(config(tmp_path), 0)


def test_the_folder_of_a_user_of_tfds_is_taken(tmp_path, no_network):
    write_imdb(tmp_path)
    data.refuse_missing(config(tmp_path / "tfds"))
    assert len(data.load(config(tmp_path / "tfds"), 0).test) == 2
    assert not no_network


def test_a_truncated_description_is_one_error(tmp_path):
    cut(write_imdb(tmp_path) / "dataset_info.json", 0.5)
    with pytest.raises(OSError, match="imdb_reviews must be a prepared TFDS data set"):
        data.load(config(tmp_path), 0)


def test_without_a_folder_and_a_network_the_error_comes_at_once(tmp_path, monkeypatch, no_network):
    monkeypatch.setattr("tensorflow_datasets.core.constants.DATA_DIR", str(tmp_path))
    with pytest.raises(
        OSError, match=r"aclImdb_v1\.tar\.gz is required .*ai\.stanford\.edu"
    ) as error:
        data.load(TextConfig(name="imdb"), 0)
    assert str(error.value).endswith("and run seqnorm-data prepare data=imdb data.dir=DIR once.")
    assert no_network


def test_published_counts(real_data, no_network):
    dataset = data.load(
        config(real_data, num_words=20_000, max_length=256, validation_fraction=0.1), 0
    )
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (
        22_500,
        2500,
        25_000,
    )
    for part in (dataset.train, dataset.validation, dataset.test):
        assert np.bincount(part.labels).tolist() == [len(part) // 2] * 2
        assert part.sequences.lengths.min() > 1 and part.sequences.lengths.max() == 256
        assert (part.sequences.values[part.sequences.offsets[:-1]] == START).all()
    assert dataset.vocabulary.size == 20_000
    assert set(dataset.vocabulary.words[3:7]) == {"the", "and", "a", "of"}
    assert (dataset.train.sequences.values == UNKNOWN).mean() < 0.03
    assert repeated(dataset)["test_in_training"] == 123  # as published, in train and test
    words = dataset.decode(dataset.test.sequences[0])
    assert len(words.split(" ")) == len(dataset.test.sequences[0]) - 1
    assert not no_network


def write_archive(folder, monkeypatch, reviews: int = 6):
    """A small archive in the layout of aclImdb_v1.tar.gz, known to TFDS by its checksum."""
    path = folder / imdb.ARCHIVE
    with tarfile.open(path, "w:gz") as archive:
        for part in ("train", "test", "train/unsup"):
            for number in range(reviews):
                label = "unsup" if part == "train/unsup" else ("neg", "pos")[number % 2]
                name = f"aclImdb/{part.split('/')[0]}/{label}/{number}_7.txt"
                content = f"Review {number} of {part}.<br />Good!".encode()
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    content = path.read_bytes()
    checksum = hashlib.sha256(content).hexdigest()
    infos = tfds.builder_cls("imdb_reviews").url_infos
    (url,) = infos
    known = type(infos[url])(size=len(content), checksum=checksum, filename=imdb.ARCHIVE)
    monkeypatch.setitem(infos, url, known)
    monkeypatch.setattr(imdb, "ARCHIVE_HASH", checksum)
    return path


def test_a_local_archive_is_converted_once(tmp_path, monkeypatch, no_network):
    archive = write_archive(tmp_path, monkeypatch)
    half = tmp_path / "tfds/imdb_reviews/plain_text/incomplete.ABCDEF_1.0.0"
    half.mkdir(parents=True)  # left by a process that was killed
    builder = imdb.download(tfds, tmp_path / "tfds", archive)
    assert builder.info.splits["train"].num_examples == 6
    assert not half.exists()
    archive.unlink()
    again = imdb.download(tfds, tmp_path / "tfds")
    assert again.is_prepared() and not no_network
    dataset = data.load(config(tmp_path, validation_fraction=0.4), 0)
    assert len(dataset.test) == 6 and dataset.test.labels.sum() == 3
    with pytest.raises(OSError, match="6 reviews of another content"):
        imdb.verify(builder)


def test_what_was_downloaded_before_needs_no_network(tmp_path, monkeypatch, no_network):
    """As TFDS keeps it if a process is killed while it converts the reviews."""
    archive = write_archive(tmp_path, monkeypatch)
    ((url, info),) = tfds.builder_cls("imdb_reviews").url_infos.items()
    kept = tmp_path / "downloads/imdb_reviews" / resource.get_dl_fname(url, info.checksum)
    kept.parent.mkdir(parents=True)
    archive.rename(kept)
    note = kept.with_name(f"{kept.name}.INFO")
    note.write_text(json.dumps({"urls": [url]}))
    assert imdb.download(tfds, tmp_path).info.splits["test"].num_examples == 6
    assert not no_network


def test_a_full_disk_is_not_blamed_on_the_network(tmp_path, monkeypatch):
    archive = write_archive(tmp_path, monkeypatch)
    lack = "Not enough disk space. Needed: 80.23 MiB (download: 80.23 MiB)"  # as TFDS says it
    builder = tfds.builder_cls("imdb_reviews")
    monkeypatch.setattr(builder, "download_and_prepare", Mock(side_effect=OSError(lack)))
    with pytest.raises(OSError, match=r"must be a folder that can be written to.*disk space"):
        imdb.download(tfds, tmp_path / "tfds", archive)


def test_an_interrupted_conversion_leaves_nothing_half_made(tmp_path, monkeypatch, no_network):
    archive = write_archive(tmp_path, monkeypatch)
    folder = tmp_path / "tfds"

    def stop(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as context:
        context.setattr(tfds.core.writer.Writer, "finalize", stop)
        with pytest.raises(KeyboardInterrupt):
            imdb.download(tfds, folder, archive)
    assert not imdb.is_prepared(folder) and not list(folder.glob("imdb_reviews/plain_text/*"))
    assert imdb.download(tfds, folder, archive).info.splits["test"].num_examples == 6
