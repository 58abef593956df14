"""A SavedModel: rows or texts in, answers out, with TensorFlow alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from seqnorm.lab.export.texts import Encoder, obstacle
from seqnorm.lab.trained import Trained


def write(trained: Trained, model: keras.Model, folder: Path) -> None:
    """Writes the signatures "rows", which is the default, and where it can be "texts".

    What is a class by its number in "label", "labels" or "next" is so by name in "label_name" ...
    """
    names = tf.constant(trained.label_names or [""])

    def answers(rows: Any) -> dict[str, Any]:
        found = model(rows, training=False)
        classes = {name: each for name, each in found.items() if each.dtype == tf.int32}
        return {**found, **{f"{name}_name": tf.gather(names, classes[name]) for name in classes}}

    archive = keras.export.ExportArchive()
    archive.track(model)
    given = model.inputs[0]
    archive.add_endpoint("rows", answers, [tf.TensorSpec(given.shape, given.dtype, given.name)])
    words = trained.vocabulary
    if words is not None and not obstacle(words):
        data = trained.config.data
        encoder = Encoder(words, data.max_length, data.truncate)
        archive.track(encoder)
        spec = tf.TensorSpec([None], tf.string, "texts")
        archive.add_endpoint("texts", lambda texts: answers(encoder(texts)), [spec])
    archive.write_out(str(folder), verbose=False)
