"""``data=tfds``: any data set of TensorFlow Datasets that has texts and labels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seqnorm.lab.console import track
from seqnorm.lab.data import sources
from seqnorm.lab.data.kept import Source, files_in
from seqnorm.lab.data.own import builders
from seqnorm.lab.data.own.kinds import kind_of
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
        ValueError: if it has several configs and none is named, or two parts are one split.
    """
    _named(config)
    builders.require(config.builder, config.dir)


def _named(config: TFDSConfig) -> dict[str, str]:
    """The split of each part that is named, by key.

    Raises:
        ValueError: if two parts are one split.
    """
    parts = {TRAIN: config.train, VALIDATION: config.validation, TEST: config.test}
    named = {key: split for key, split in parts.items() if split is not None}
    for key, split in named.items():
        first = next(each for each in named if named[each] == split)
        if first != key:
            raise ValueError(
                f"{first} and {key} need different splits, received {split} for both. Set "
                f"{key}=null, and a share of the training split is held out for it."
            )
    return named


def load(config: TFDSConfig, seed: int, labels: str) -> Dataset:
    """Reads the data set; parts that are not named are held out of the training split.

    Without `config.dir`, one that is not prepared is downloaded.

    Raises:
        ValueError: if features or splits do not fit, with the choices.
        OSError: if the data is missing (FileNotFoundError), cannot be downloaded, or is damaged.
    """
    named = _named(config)
    builder = builders.prepared(config.builder, config.dir, download=config.dir is None)
    features = dict(sorted(_flat(builder.info.features)))
    text = _chosen("text", config.text, _texts(features), features, labels)
    label = names = None
    if labels != "none":
        label = _chosen("label", config.label, _labels(features, labels), features, labels)
        names = getattr(features[label], "names", None)
    rows: Mapping[str, Callable[[], Iterable[Row]]] = {
        key: partial(_rows, builder, _split(builder, key, split), text, label, names)
        for key, split in named.items()
    }
    kind = kind_of(labels, label or "", config.label_separator, names or ())
    settings = {"parts": named, "text": text, "label": label}
    source = Source(builder.info.name, files_in(Path(builder.data_dir)), settings)
    return PartReader(config, kind, source).load(seed, rows)


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


def _labels(features: Mapping[str, Any], labels: str) -> list[str]:
    """What fits a kind of labels; of classes those that say so, and else what may be one."""
    import tensorflow_datasets as tfds

    kind = tfds.features.ClassLabel
    if labels == "number":
        classes = [name for name, each in features.items() if isinstance(each, kind)]
        return [name for name in features if _is(features[name], "iuf") and name not in classes]
    if labels == "classes":
        return [name for name, each in features.items() if _is(each, "iubOSU", (None,))]
    classes = [name for name, each in features.items() if isinstance(each, kind)]
    return classes or [name for name, each in features.items() if _is(each, "iub")]


def _is(feature: Any, kinds: str, shape: tuple[int | None, ...] = ()) -> bool:
    return feature.shape == shape and np.dtype(feature.np_dtype).kind in kinds


def _chosen(
    key: str, wanted: str | None, fitting: list[str], features: Mapping[str, Any], labels: str
) -> str:
    """The feature that is meant: the one that is named, or the only one that fits.

    Raises:
        ValueError: if it cannot be that, with the choices.
    """
    texts = _texts(features)
    listed = f"Its texts are {', '.join(texts) or 'none'}"
    if labels != "none":
        listed += f"; its labels are {', '.join(_labels(features, labels)) or 'none'}"
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
    if key == "label" and feature is not None and labels != "number":
        if wanted in texts or (labels == "class" and _is(feature, "iub")):
            return wanted
        if labels == "class" and getattr(feature, "shape", None) == (None,):
            raise ValueError(
                f"data.label must be a feature with one label a row, received data.label={wanted}, "
                f"which has several. {listed}; task=multilabel takes several."
            )
    which = "is of another kind" if feature is not None else "is not there"
    listed_too = {*texts, *([] if labels == "none" else _labels(features, labels))}
    others = ", ".join(name for name in features if name not in listed_too)
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
    builder: Any, split: str, text: str, label: str | None, names: Sequence[str] | None
) -> Iterator[Row]:
    """The examples of a split in the order of the files, in pieces."""
    import tensorflow as tf
    import tensorflow_datasets as tfds

    total, number = builder.info.splits[split].num_examples, 0
    columns = [text] if label is None else [text, label]
    wanted = tfds.decode.PartialDecoding(_nested(*columns))
    try:
        pieces = tfds.as_numpy(builder.as_dataset(split=split, batch_size=PIECE, decoders=wanted))
        what = f"Reading {builder.info.name}, {split}"
        for piece in track(pieces, what, -(-total // PIECE)):
            found = dict(_flat(piece))
            values = [None] * len(found[text]) if label is None else _listed(found[label])
            for content, value in zip(found[text], values, strict=True):
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


def _listed(values: Any) -> list[Any]:
    """One entry a row; of a feature with several labels a row a list each."""
    return values.to_list() if hasattr(values, "to_list") else values.tolist()


def _label(value: Any, place: str, label: str | None, names: Sequence[str] | None) -> Any:
    """What a label is called, or several are; TFDS has -1 where there is none."""
    if isinstance(value, list):
        return [_label(each, place, label, names) for each in value]
    if value is None:
        return None
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
