"""Small files in the published formats, with content of our own."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

REVIEWS = {
    "train": [
        ("A good film!<br /><br />Really good.", 1),
        ("", 0),
        ("A bad, bad film...", 0),
        ("Good play", 1),
        ("Bad play", 0),
        ("Fine film", 1),
        ("Dull film", 0),
        ("Lovely", 1),
    ],
    "test": [("Good music", 1), ("Bad music", 0)],
}


def write_reuters(folder: Path, documents: int = 60) -> Path:
    """reuters.npz and its word index: 20 words, 3 topics of which one has a single newswire."""
    rng = np.random.default_rng(0)
    rows = np.empty(documents, dtype=object)
    rows[:] = [rng.integers(1, 21, rng.integers(0, 9)).tolist() for _ in range(documents)]
    labels = rng.integers(0, 2, documents)
    labels[0] = 2
    np.savez(folder / "reuters.npz", x=rows, y=labels)
    index = {f"word{rank}": rank for rank in range(1, 21)}
    (folder / "reuters_word_index.json").write_text(json.dumps(index))
    return folder


def write_imdb(folder: Path) -> Path:
    """tfds/imdb_reviews as TensorFlow Datasets lays it out, with the reviews above."""
    import tensorflow as tf

    target = folder / "tfds/imdb_reviews/plain_text/1.0.0"
    target.mkdir(parents=True)
    splits = []
    for name, reviews in REVIEWS.items():
        path = target / f"imdb_reviews-{name}.tfrecord-00000-of-00001"
        with tf.io.TFRecordWriter(str(path)) as writer:
            for text, label in reviews:
                feature = {
                    "text": tf.train.Feature(bytes_list=tf.train.BytesList(value=[text.encode()])),
                    "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
                }
                example = tf.train.Example(features=tf.train.Features(feature=feature))
                writer.write(example.SerializeToString())
        splits.append(
            {
                "name": name,
                "shardLengths": [str(len(reviews))],
                "numBytes": str(path.stat().st_size),
                "filepathTemplate": "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}",
            }
        )
    info = {
        "name": "imdb_reviews",
        "version": "1.0.0",
        "configName": "plain_text",
        "fileFormat": "tfrecord",
        "splits": splits,
    }
    features = {
        "pythonClassName": "tensorflow_datasets.core.features.features_dict.FeaturesDict",
        "featuresDict": {
            "features": {
                "label": {
                    "pythonClassName": (
                        "tensorflow_datasets.core.features.class_label_feature.ClassLabel"
                    ),
                    "classLabel": {"numClasses": "2"},
                },
                "text": {
                    "pythonClassName": "tensorflow_datasets.core.features.text_feature.Text",
                    "text": {},
                },
            }
        },
    }
    (target / "dataset_info.json").write_text(json.dumps(info))
    (target / "features.json").write_text(json.dumps(features))
    (target / "label.labels.txt").write_text("neg\npos\n")
    return target


def cut(path: Path, share: float) -> None:
    """Keeps the first ``share`` of a file, as an interrupted copy does."""
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])


NEWSWIRES = [
    # id, part, topics, title, body (None: the newswire is its headline)
    (1, "train", ["earn"], "PROFIT UP", "The profit of A rose."),
    (2, "train", ["acq"], "A BUYS B", "A buys <B> & more."),
    (3, "train", ["earn"], "LOSS", None),
    (4, "train", ["ship"], "SHIP", "A ship sank."),
    (5, "train", ["crude", "ship"], "OIL", "Oil in a ship."),
    (6, "train", ["earn"], "SAME", "The loss\nof C grew."),
    (7, "train", ["acq"], "TWO LABELS", "It was said twice."),
    (8, "train", ["cocoa"], "BEANS", "Cocoa was dear."),
    (9, "train", ["earn"], "D", "The loss of D grew."),
    (10, "train", ["acq"], "E", "E buys F."),
    (11, "unused", ["earn"], "NOT READ", "Nobody read this."),
    (12, "test", ["earn"], "LOSS AGAIN", "THE LOSS OF C GREW"),
    (13, "test", ["earn"], "TWO LABELS", "it was said\ntwice"),
    (14, "test", ["ship"], "TANKER", "A tanker sank."),
    (15, "test", ["acq"], "HEADLINE ONLY", None),
    (16, "test", ["no-such-topic"], "OTHER", "Of something else."),
]


def write_newswires(folder: Path) -> Path:
    """reuters21578.jsonl.gz with the newswires above."""
    path = folder / "reuters21578.jsonl.gz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        for number, part, topics, title, body in NEWSWIRES:
            record = {
                "id": number,
                "modapte": part,
                "topics": topics,
                "title": title,
                "body": body or "",
                "has_body": body is not None,
            }
            file.write(json.dumps(record) + "\n")
    return path


def sgml(documents: Iterable[dict[str, Any]]) -> str:
    """Newswires as the original archive has them."""

    def escape(text: str) -> str:
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

    lines = ['<!DOCTYPE lewis SYSTEM "lewis.dtd">']
    for record in documents:
        split = {"train": "TRAIN", "test": "TEST", "unused": "NOT-USED"}[record["part"]]
        topics = "".join(f"<D>{topic}</D>" for topic in record["topics"])
        body = escape(record["body"])
        if record["has_body"]:
            body = f"<DATELINE>    NEW YORK, Feb 26 - </DATELINE><BODY>{body}&#3;</BODY>"
        lines.append(
            f'<REUTERS TOPICS="YES" LEWISSPLIT="{split}" CGISPLIT="TRAINING-SET" OLDID="5"'
            f' NEWID="{record["id"]}">\n<DATE>26-FEB-1987 15:01:01.79</DATE>\n'
            f"<TOPICS>{topics}</TOPICS>\n<PLACES><D>usa</D></PLACES>\n"
            f"<UNKNOWN> \n&#5;&#5;&#5;F Y\n</UNKNOWN>\n<TEXT{'' if record['has_body'] else BRIEF}>"
            f"&#2;<TITLE>{escape(record['title'])}</TITLE>{body}</TEXT>\n</REUTERS>"
        )
    return "\n".join(lines)


BRIEF = ' TYPE="BRIEF"'


def write_archive(path: Path, files: dict[str, str]) -> Path:
    """A tar.gz of Latin-1 text files."""
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            content = text.encode("latin-1")
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path
