"""Any data set of TensorFlow Datasets: features are looked up; what does not fit lists choices."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqnorm.lab import data
from seqnorm.lab.commands.data import main
from seqnorm.lab.config.data import TFDSConfig
from tests.lab.data.own import ROWS
from tests.tiers import exhaustive


def store(folder: Path, name: str, features: dict[str, Any], **splits: list[dict]) -> None:
    """A prepared data set, written by TFDS itself."""
    import tensorflow_datasets as tfds

    tfds.dataset_builders.store_as_tfds_dataset(
        name=name,
        version="1.0.0",
        features=tfds.features.FeaturesDict(features),
        split_datasets={name: list(enumerate(rows)) for name, rows in splits.items()},
        data_dir=folder,
        disable_shuffling=True,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    import tensorflow_datasets as tfds

    features = tfds.features
    folder = tmp_path_factory.mktemp("data")
    stars = features.ClassLabel(names=["five", "one", "two"])
    number = {5: "five", 1: "one", 2: "two"}
    rows = [{"review": text, "rating": number[star]} for text, star in ROWS]
    store(
        folder, "reviews", {"review": features.Text(), "rating": stars}, train=rows, test=rows[:6]
    )
    store(
        folder,
        "news",
        {
            "data": {"title": features.Text(), "text": features.Text()},
            "topic": features.ClassLabel(names=["a", "b"]),
            "stars": features.Scalar(np.int32),
            "kind": features.Text(),
            "tags": features.Sequence(features.ClassLabel(names=["x", "y"])),
            "vector": features.Tensor(shape=(2,), dtype=np.float32),
        },
        train=[
            {
                "data": {"title": text[:4], "text": text},
                "topic": "ab"[star == 5],
                "stars": star,
                "kind": f"of {star}",
                "tags": ["x"],
                "vector": [1.0, 2.0],
            }
            for text, star in ROWS
        ],
    )
    features_of_glue = {"sentence": features.Text(), "label": features.ClassLabel(names=["n", "p"])}
    labelled = [{"sentence": text, "label": int(star == 5)} for text, star in ROWS]
    hidden = [{"sentence": text, "label": -1} for text, _ in ROWS]
    store(folder, "glue", features_of_glue, train=labelled, validation=labelled[:9], test=hidden)
    return folder


def load(folder: Path, builder: str, **changes: Any) -> data.Dataset:
    return data.load(TFDSConfig(name="tfds", builder=builder, dir=str(folder), **changes), 0)


@pytest.fixture(autouse=True)
def offline(no_network):
    yield
    assert no_network == []


def texts(split, dataset):
    return [dataset.decode(row) for row in split.sequences]


def test_the_only_text_and_the_only_label_are_taken(folder):
    dataset = load(folder, "reviews")
    assert dataset.label_names == ("five", "one", "two")  # in the builder's order
    assert [len(part) for part in (dataset.train, dataset.validation, dataset.test)] == [27, 3, 6]
    assert texts(dataset.test, dataset)[:2] == ["good film number 0 !", "bad film number 0 !"]
    assert [dataset.label_names[label] for label in dataset.test.labels[:3]] == [
        "five",
        "one",
        "two",
    ]


def test_splits_that_are_missing_are_held_out(folder):
    dataset = load(folder, "glue", test=None, validation="validation")
    assert [len(part) for part in (dataset.train, dataset.validation, dataset.test)] == [24, 9, 6]


@pytest.mark.parametrize(
    ("label", "names"), [("topic", ("a", "b")), ("stars", ("1", "2", "5")), ("kind", None)]
)
def test_features_are_named_where_several_fit(folder, label, names):
    dataset = load(folder, "news", text="data/text", label=label, test=None)
    assert dataset.label_names == names or dataset.label_names == ("of 1", "of 2", "of 5")
    assert sum(map(len, (dataset.train, dataset.validation, dataset.test))) == 30


@pytest.mark.parametrize(
    ("builder", "keys", "parts"),
    [
        ("news", {"test": None}, ["data.text must name a feature", "data/text, data/title, kind"]),
        (
            "news",
            {"test": None, "text": "text"},
            [
                "received data.text=text, which is not there",
                "others are stars, tags, vector",
            ],
        ),
        ("news", {"test": None, "text": "vector"}, ["which is of another kind"]),
        (
            "news",
            {"test": None, "text": "data/text", "label": "tags"},
            ["data.label=tags, which has several", "its labels are topic"],
        ),
        ("news", {"text": "kind"}, ["data.test=test. It has train", "data.test=null to hold out"]),
        ("reviews", {"label": "stars"}, ["data.label=stars, which is not there", "rating"]),
        ("reviews", {"train": "training"}, ["data.train=training. It has train, test: name one"]),
        ("glue", {}, ["glue/1.0.0, example 1 of test", "received label=-1"]),
        (
            "imdb",
            {},
            ["That folder has glue, news, reviews", "prepare data=tfds data.builder=imdb"],
        ),
        ("reviews:2.0.0", {}, ["reviews:2.0.0 as prepared"]),
        ("reviews", {"test": "train"}, ["data.train and data.test need different splits"]),
        (
            "glue",
            {"test": "validation", "validation": "validation"},
            ["data.validation and data.test need different splits, received validation for both"],
        ),
    ],
)
def test_what_does_not_fit_lists_the_choices(folder, builder, keys, parts):
    with pytest.raises((ValueError, OSError)) as caught:
        load(folder, builder, **keys)
    print(f"| {builder} {keys} | {caught.value} |")
    assert all(part in str(caught.value) for part in parts), caught.value


def test_several_configs_are_listed(folder, tmp_path):
    for config in ("small", "large"):
        target = tmp_path / "sets" / config
        target.mkdir(parents=True)
        shutil.copytree(folder / "reviews" / "1.0.0", target / "1.0.0")
    with pytest.raises(ValueError, match="Name one of sets/large, sets/small"):
        data.refuse_missing(TFDSConfig(name="tfds", builder="sets", dir=str(tmp_path)))
    assert load(tmp_path, "sets/small").num_classes == 3


def test_a_damaged_data_set_is_named(folder, tmp_path):
    shutil.copytree(folder / "reviews", tmp_path / "reviews")
    for path in (tmp_path / "reviews").rglob("*train*"):
        path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(OSError, match="a complete split 'train'"):
        load(tmp_path, "reviews")
    (tmp_path / "reviews/1.0.0/dataset_info.json").write_text("{")
    with pytest.raises(OSError, match="a prepared data set of TFDS"):
        load(tmp_path, "reviews")


def test_an_unknown_name_is_told_the_nearest(tmp_path, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    with pytest.raises(ValueError, match="Did you mean ag_news_subset"):
        data.load(TFDSConfig(name="tfds", builder="ag_news_subst"), 0)
    assert list(tmp_path.iterdir()) == []


@exhaustive
def test_imdb_is_what_its_own_loader_reads(real_data):
    dataset = load(real_data, "imdb_reviews", train="test", test=None, num_words=100, max_length=9)
    assert dataset.label_names == ("neg", "pos")
    assert sum(map(len, (dataset.train, dataset.validation, dataset.test))) == 25_000


@pytest.fixture
def ag_news(tmp_path, monkeypatch):
    """The registered class of AG News, whose downloads come from a local folder."""
    import csv

    import tensorflow_datasets as tfds

    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "prepared"))
    archive = tmp_path / "ag_news_csv"
    archive.mkdir()
    for part, rows in (("train", ROWS), ("test", ROWS[:6])):
        with (archive / f"{part}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([[star % 4 + 1, text[:4], text] for text, star in rows])
    monkeypatch.setattr(
        tfds.download.DownloadManager,
        "download_and_extract",
        lambda manager, urls: {"ag_news_csv": str(tmp_path)},
    )
    return tmp_path / "prepared"


def test_ag_news_without_a_line_of_python(ag_news, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    keys = ["data=tfds", "data.builder=ag_news_subset"]
    assert main(["prepare", *keys]) == 0
    assert "ag_news_subset/1.0.0" in capsys.readouterr().out
    assert main(["show", *keys]) == 1
    assert "data.text=null and 2 that fit. Its texts are " in capsys.readouterr().err
    given = [*keys, "data.text=description"]
    assert main(["show", *given, f"data.dir={ag_news}", "--out", "card"]) == 0
    card = json.loads((tmp_path / "card" / "card.json").read_text())
    assert card["labels"] == ["Sports", "Business"]
    assert card["parts"]["test"]["examples"] == 6


def test_a_download_that_fails_leaves_nothing_that_is_empty(tmp_path, monkeypatch, capsys):
    import tensorflow_datasets as tfds

    def fail(manager, urls):
        raise OSError("no network")

    monkeypatch.setattr(tfds.download.DownloadManager, "download_and_extract", fail)
    (tmp_path / "mine").mkdir()
    words = ["prepare", "data=tfds", "data.builder=ag_news_subset", f"data.dir={tmp_path}/new"]
    assert main(words) == 1
    assert "received OSError: no network" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_folder_of_data_that_is_a_file_is_said_to_be_one(tmp_path, capsys):
    (tmp_path / "a.csv").touch()
    for command in ("prepare", "show"):
        for chosen in (["data=tfds", "data.builder=reviews"], ["data=reuters"]):
            assert main([command, *chosen, f"data.dir={tmp_path}/a.csv"]) == 1
            assert "a.csv, which is a file. Name its folder" in capsys.readouterr().err


def test_a_set_is_made_of_rows_of_ones_own_by_the_example_of_the_page(tmp_path, monkeypatch):
    page = (Path(__file__).parents[3] / "docs" / "own_data.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    for code in (blocks[0], *[block for block in blocks if "store_as_tfds_dataset" in block]):
        exec(code, {})
    dataset = load(tmp_path / "sets", "reviews")
    assert dataset.label_names == ("1", "5") and len(dataset.test) == 60
