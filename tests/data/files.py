"""Small files in the published formats, with content of our own."""

from __future__ import annotations

import json
from pathlib import Path

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
    (folder / "reuters_label_names.json").write_text(json.dumps(["oil", "gold", "tin"]))
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
