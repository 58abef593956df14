"""The builder. Beside it: the card (README.md), citations, tags, and checksums of the downloads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from seqnorm.lab.data import keras_files, sources, staging
from seqnorm.lab.data.keras_files import Part
from seqnorm.lab.data.reuters import ids as reuters
from seqnorm.lab.data.reuters import newswires, topics
from seqnorm.lab.data.vocabulary import START

KERAS = "keras46"
DESCRIPTIONS = {
    KERAS: "As in keras.datasets.reuters: ids, 46 topics, Keras's split.",
    "r8": "Title and body, one of 8 topics.",
    "r52": "Title and body, one of 52 topics.",
    "modapte": "Title and body, one or more of the 90 topics of the ModApte split.",
    "clean": "r52 without documents that have no body and without texts in both splits.",
}


class Builder(tfds.core.GeneratorBasedBuilder):
    """Reuters-21578, Distribution 1.0.

    The source files are looked for in the manual directory of the download configuration and in
    ``data_dir`` itself (``reuters21578.jsonl.gz``, ``reuters21578.tar.gz``, ``reuters.npz``), and
    are downloaded if they are in neither. A file of another content is refused.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}  # noqa: RUF012
    BUILDER_CONFIGS = [  # noqa: RUF012
        tfds.core.BuilderConfig(name=name, description=text) for name, text in DESCRIPTIONS.items()
    ]
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        f"Nothing need be downloaded by hand. Without a network, put {newswires.ARCHIVE} (or "
        f"{reuters.ROWS} for the config {KERAS}) into the manual directory or into data_dir."
    )

    def _info(self) -> tfds.core.DatasetInfo:
        name = self.builder_config.name
        if name == KERAS:
            features: dict[str, Any] = {
                "ids": tfds.features.Tensor(shape=(None,), dtype=np.int32),
                "label": tfds.features.ClassLabel(names=list(topics.KERAS46)),
            }
        else:
            label = tfds.features.ClassLabel(names=list(newswires.SUBSETS[name]))
            features = {
                "id": np.int64,
                "title": tfds.features.Text(),
                "text": tfds.features.Text(),
                "has_body": np.bool_,
            }
            if name == "modapte":
                features["labels"] = tfds.features.Sequence(label)
            else:
                features["label"] = label
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(features),
            supervised_keys=(
                "ids" if name == KERAS else "text",
                "labels" if name == "modapte" else "label",
            ),
            homepage="https://kdd.ics.uci.edu/databases/reuters21578/reuters21578.html",
        )

    def download_and_prepare(self, **kwargs: Any) -> None:
        """As in the base class; a second process that prepares the same config waits."""
        if self.is_prepared():
            return super().download_and_prepare(**kwargs)
        with staging.exclusive(self._root(), f"{self.name}-{self.builder_config.name}"):
            if self.is_prepared():  # by another process, after this builder looked
                return self.info.read_from_directory(self.data_dir)
            staging.sweep_incomplete(Path(self.data_dir).parent)
            return super().download_and_prepare(**kwargs)

    def _root(self) -> Path:
        """``data_dir`` as it was given: the folder above name, config and version."""
        return Path(self.data_dir).parents[2]

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        if self.builder_config.name == KERAS:
            path = self._source(dl_manager, [reuters.ROWS], sources.KERAS_URL + reuters.ROWS)
            reuters.verify(path)
            train, test = reuters.read(path)
            return {"train": self._generate_examples(train), "test": self._generate_examples(test)}
        names = [newswires.LINES, newswires.ARCHIVE]
        path = self._source(dl_manager, names, newswires.URL)
        newswires.verify(path)
        parts = newswires.subset(newswires.read(path), self.builder_config.name)
        return {part: self._generate_examples(documents) for part, documents in parts.items()}

    def _source(
        self, dl_manager: tfds.download.DownloadManager, names: list[str], url: str
    ) -> Path:
        folders = [self._root()]
        with suppress(AssertionError):  # there is no such folder, or it is empty
            folders.insert(0, Path(dl_manager.manual_dir))
        for path in (folder / name for folder in folders for name in names):
            if path.is_file():
                return path
        sources.check_reachable(names[-1], url, Path(dl_manager.download_dir))
        # The download has no name of its own, and `newswires.read` goes by the name.
        return Path(dl_manager.download(url))

    def _generate_examples(
        self, part: Part | list[newswires.Document]
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        if isinstance(part, tuple):
            for number, (row, label) in enumerate(zip(*part, strict=True)):
                ids = np.insert(row + keras_files.OFFSET, 0, START)
                yield number, {"ids": ids, "label": int(label)}
            return
        name = self.builder_config.name
        for document in part:
            known = [topic for topic in document.topics if topic in newswires.SUBSETS[name]]
            yield (
                document.id,
                {
                    "id": document.id,
                    "title": document.title,
                    "text": document.text,
                    "has_body": document.has_body,
                    **({"labels": known} if name == "modapte" else {"label": known[0]}),
                },
            )
