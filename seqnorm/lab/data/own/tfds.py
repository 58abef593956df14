"""``data=tfds``: any data set of TensorFlow Datasets that has texts and labels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from seqnorm.lab.console import track
from seqnorm.lab.data import sources
from seqnorm.lab.data.own import builders
from seqnorm.lab.data.own.labels import Labels
from seqnorm.lab.data.own.parts import TEST, TRAIN, VALIDATION, PartReader
from seqnorm.lab.data.own.source import Row, bad
from seqnorm.lab.data.spec import Dataset

if TYPE_CHECKING:
    from seqnorm.lab.config.data import TFDSConfig

PIECE = 500  # examples read at a time


def locate(config: TFDSConfig) -> None:
    """Looks for the prepared data set in `config.dir`, if that is set.

    Raises:
        FileNotFoundError: if it is not there.
        ValueError: if it has several configs and none is named.
    """
    builders.require(config.builder, config.dir)


def load(config: TFDSConfig, seed: int) -> Dataset:
    """Reads the data set; parts that are not named are held out of the training split.

    Without `config.dir`, one that is not prepared is downloaded.

    Raises:
        ValueError: if features or splits do not fit, with the choices.
        OSError: if the data is missing (FileNotFoundError), cannot be downloaded, or is damaged.
    """
    builder = builders.prepared(config.builder, config.dir, download=config.dir is None)
    features = dict(sorted(_flat(builder.info.features)))
    text = _chosen("text", config.text, _texts(features), features)
    label = _chosen("label", config.label, _labels(features), features)
    names = getattr(features[label], "names", None)
    named = {TRAIN: config.train, VALIDATION: config.validation, TEST: config.test}
    rows: Mapping[str, Callable[[], Iterable[Row]]] = {
        key: partial(_rows, builder, _split(builder, key, split), text, label, names)
        for key, split in named.items()
        if split is not None
    }
    labels = Labels(label, config.label_separator, order=names or ())
    return PartReader(config, labels).load(seed, rows)


def _flat(features: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every feature by its name; one inside another as "outer/inner"."""
    for name, feature in features.items():
        if hasattr(feature, "items"):
            yield from _flat(feature, f"{prefix}{name}/")
        else:
            yield f"{prefix}{name}", feature


def _texts(features: Mapping[str, Any]) -> list[str]:
    import tensorflow_datasets as tfds

    return [name for name, each in features.items() if isinstance(each, tfds.features.Text)]


def _labels(features: Mapping[str, Any]) -> list[str]:
    """Classes; where there are none, whole numbers and booleans."""
    import tensorflow_datasets as tfds

    kind = tfds.features.ClassLabel
    classes = [name for name, each in features.items() if isinstance(each, kind)]
    return classes or [name for name, each in features.items() if _is_whole(each)]


def _is_whole(feature: Any) -> bool:
    return feature.shape == () and np.dtype(feature.np_dtype).kind in "iub"


def _chosen(key: str, wanted: str | None, fitting: list[str], features: Mapping[str, Any]) -> str:
    """The feature that is meant: the one that is named, or the only one that fits.

    Raises:
        ValueError: if it cannot be that, with the choices.
    """
    texts, labels = ", ".join(_texts(features)), ", ".join(_labels(features))
    listed = f"Its texts are {texts or 'none'}; its labels are {labels or 'none'}"
    if wanted is None:
        if len(fitting) == 1:
            return fitting[0]
        raise ValueError(
            f"data.{key} must name a feature where not exactly one fits, received data.{key}=null "
            f"and {len(fitting)} that fit. {listed}."
        )
    if wanted in fitting:
        return wanted
    feature = features.get(wanted)
    if key == "label" and feature is not None:
        if _is_whole(feature) or wanted in _texts(features):
            return wanted
        if getattr(feature, "shape", None) == (None,):
            raise ValueError(
                f"data.label must be a feature with one label a row, received data.label={wanted}, "
                f"which has several. Several labels a row are not trained on. {listed}."
            )
    which = "is of another kind" if feature is not None else "is not there"
    others = ", ".join(name for name in features if name not in (_texts(features)))
    raise ValueError(
        f"data.{key} must name a feature that is a {key}, received data.{key}={wanted}, which "
        f"{which}. {listed}; others are {others or 'none'}."
    )


def _split(builder: Any, key: str, split: str) -> str:
    if split in builder.info.splits:
        return split
    advice = "" if key == TRAIN else f", or {key}=null to hold out a share of the training split"
    raise ValueError(
        f"{key} must name a split of {builder.info.full_name}, received {key}={split}. It has "
        f"{', '.join(builder.info.splits) or 'none'}: name one of them{advice}."
    )


def _rows(
    builder: Any, split: str, text: str, label: str, names: Sequence[str] | None
) -> Iterator[Row]:
    """The examples of a split in the order of the files, in pieces."""
    import tensorflow as tf
    import tensorflow_datasets as tfds

    total, number = builder.info.splits[split].num_examples, 0
    wanted = tfds.decode.PartialDecoding(_nested(text, label))
    try:
        pieces = tfds.as_numpy(builder.as_dataset(split=split, batch_size=PIECE, decoders=wanted))
        what = f"Reading {builder.info.name}, {split}"
        for piece in track(pieces, what, -(-total // PIECE)):
            found = dict(_flat(piece))
            for content, value in zip(found[text], found[label].tolist(), strict=True):
                number += 1
                place = f"{builder.info.full_name}, example {number} of {split}"
                yield Row(place, content.decode("utf-8"), _label(value, place, label, names))
    except (AssertionError, KeyError, OSError, UnicodeDecodeError, tf.errors.OpError) as error:
        raise sources.damaged(builder.data_dir, f"a complete split {split!r}", error) from error
    if number != total:
        received = f"{number} of {total} examples"
        raise sources.damaged(builder.data_dir, f"a complete split {split!r}", received)


def _nested(*names: str) -> dict[str, Any]:
    """``{"data": {"text": True}}`` of "data/text": what TFDS is to read."""
    found: dict[str, Any] = {}
    for name in names:
        *outer, last = name.split("/")
        place = found
        for each in outer:
            place = place.setdefault(each, {})
        place[last] = True
    return found


def _label(value: Any, place: str, label: str, names: Sequence[str] | None) -> Any:
    """What a label is called; TFDS has -1 where there is none."""
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if names is None:
        return value
    if not 0 <= value < len(names):
        raise bad(
            place,
            f"each example needs a label, received {label}={value}, as splits have it that are "
            "published without labels. Name another split, or data.test=null to hold out a share "
            "of the training split.",
        )
    return names[value]
