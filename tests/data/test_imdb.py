from __future__ import annotations

import re

import numpy as np
import pytest

from seqnorm import data
from seqnorm.config import DataConfig
from seqnorm.data.spec import START, UNKNOWN
from tests.data.files import REVIEWS, cut, write_imdb

RECORDS = "imdb_reviews-{}.tfrecord-00000-of-00001"


def config(folder, **changes) -> DataConfig:
    values = {"num_words": 1000, "max_length": 50, "validation_fraction": 0.25, **changes}
    return DataConfig(name="imdb", dir=str(folder), **values)


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
    assert any(one.vocabulary.words != first.vocabulary.words for one in others)


def test_a_missing_data_set_is_named_with_where_and_how(tmp_path, no_network):
    with pytest.raises(FileNotFoundError) as error:
        data.load(config(tmp_path), 0)
    for part in ("imdb_reviews", str(tmp_path / "tfds"), "tfds.load(", "leave data.dir unset"):
        assert part in str(error.value)
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


def test_a_truncated_description_is_one_error(tmp_path):
    cut(write_imdb(tmp_path) / "dataset_info.json", 0.5)
    with pytest.raises(OSError, match="imdb_reviews must be a prepared TFDS data set"):
        data.load(config(tmp_path), 0)


def test_without_a_folder_and_a_network_the_error_comes_at_once(tmp_path, monkeypatch, no_network):
    monkeypatch.setattr("tensorflow_datasets.core.constants.DATA_DIR", str(tmp_path))
    with pytest.raises(
        OSError, match=r"aclImdb_v1\.tar\.gz is required .*ai\.stanford\.edu"
    ) as error:
        data.load(DataConfig(name="imdb"), 0)
    assert "set data.dir to the folder" in str(error.value)
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
    assert not no_network
