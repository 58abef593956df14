"""``data=series``: rows of numbers with labels from files of the user's."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seqnorm.lab.data.own.parts import TEST, TRAIN, VALIDATION
from seqnorm.lab.data.own.paths import SERIES, locate
from seqnorm.lab.data.own.series import long, npz, ts
from seqnorm.lab.data.own.series.recording import Layout, Recording, problem, suspects, unnamed
from seqnorm.lab.data.own.series.targets import Classes, Numbers
from seqnorm.lab.data.own.source import bad
from seqnorm.lab.data.repeats import say_repeats
from seqnorm.lab.data.spec import Dataset, Scale, Sequences, Split
from seqnorm.lab.data.splits import cut, hold_out, hold_out_test

if TYPE_CHECKING:
    from seqnorm.lab.config.data import OwnSeriesConfig

READERS: dict[str, Callable[[Path, Layout], Recording]] = {
    "npz": npz.read,
    "ts": ts.read,
    "parquet": long.read,
}


def load(config: OwnSeriesConfig, seed: int, labels: str) -> Dataset:
    """Reads the files; parts that are not named are held out of the training files.

    The test part depends on `config.split_seed` alone, the validation part on the seed of the run.
    What numbers are standardised by is learnt on the training part.

    Args:
        config: the ``data`` group of a run.
        seed: of the run.
        labels: "class", "number" or "tags".

    Raises:
        ValueError: if a file has something that cannot be trained on, naming file and row.
        OSError: if a file is missing (FileNotFoundError) or damaged.
    """
    files = locate(config)
    reader = PartReader(config, labels)
    parts = {key: reader.read(key, files[key]) for key in (TRAIN, VALIDATION, TEST) if key in files}
    names, final = reader.targets.finish()
    splits = {key: Split(part.sequences, final(part.labels)) for key, part in parts.items()}
    del parts
    if TEST not in splits:
        kept, tested = hold_out_test(splits[TRAIN].labels, config)
        splits[TEST], splits[TRAIN] = splits[TRAIN].take(tested), splits[TRAIN].take(kept)
    if VALIDATION not in splits:
        kept, held = hold_out(splits[TRAIN].labels, config, seed)
        splits[VALIDATION], splits[TRAIN] = splits[TRAIN].take(held), splits[TRAIN].take(kept)
    scale = Scale.none(reader.features)
    if config.standardize:
        scale = Scale.learnt(splits[TRAIN].sequences.values, reader.features)
        for split in splits.values():
            scale.apply(split.sequences.values, out=split.sequences.values)
    dataset = Dataset(
        config.name,
        splits[TRAIN],
        splits[VALIDATION],
        splits[TEST],
        names,
        scale=scale,
        notes=tuple(reader.notes),
    )
    say_repeats(dataset, "rows")
    return dataset


class PartReader:
    """Reads the parts of one data set, the training part first.

    Args:
        config: how files are read and what is refused.
        labels: which are wanted.

    Attributes:
        targets: labels of all parts.
        features: names of the features, in their order.
        notes: what was left out, as it was said on standard error.
    """

    def __init__(self, config: OwnSeriesConfig, labels: str) -> None:
        self.config = config
        columns = tuple(config.features) if config.features else None
        self._layout = Layout(labels, config.label, config.id, config.time, columns)
        self.targets: Numbers | Classes = (
            Numbers() if labels == "number" else Classes("label", labels == "tags")
        )
        self.features: tuple[str, ...] = ()
        self.notes: list[str] = []

    def read(self, key: str, files: Iterable[Path]) -> Split:
        """Rows of all files, cut, with labels as `targets` reads them.

        Raises:
            ValueError: if a file does not fit, naming it and the row.
        """
        found = self._whole(key, map(self._checked, self._recordings(key, files)))
        labels: list[Any] = [self.targets.read(recording) for recording in found]
        rows = _joined([recording.rows for recording in found])
        joined: Any = _joined(labels) if self.targets.steps else np.concatenate(labels)
        if key == TRAIN:
            self.targets.close(key, len(joined.values) if self.targets.steps else len(joined))
        return self._cut(key, Split(rows, joined))

    def _whole(self, key: str, recordings: Iterable[Recording]) -> list[Recording]:
        """Without the steps that miss a number, which are counted and said."""
        found, steps, missing = [], 0, np.zeros(1, np.int64)
        for recording in recordings:
            steps += len(recording.rows.values)
            missing = missing + np.isnan(recording.rows.values).sum(axis=0)
            found.append(recording.whole())
        left_out = steps - sum(len(recording.rows.values) for recording in found)
        if left_out:
            each = zip(self.features, missing.tolist(), strict=True)
            shares = ", ".join(f"{count / steps:.1%} of {name}" for name, count in each if count)
            self._say(
                key, f"{left_out:,} of {steps:,} steps miss a number ({shares}) and are left out"
            )
        return found

    def _recordings(self, key: str, files: Iterable[Path]) -> Iterator[Recording]:
        for path in files:
            recording = READERS[str(SERIES.of(path))](path, self._layout)
            if not len(recording.rows):
                raise bad(str(path), f"{key} needs rows, received none. Name a file that has some.")
            yield recording

    def _checked(self, recording: Recording) -> Recording:
        """Features in the order of the first file, and no number that is refused."""
        width = recording.rows.features
        names = recording.features or unnamed(width)
        if not self.features:
            self.features = names
            if recording.passed_over is not None:  # an identifier may be among them
                left = ", ".join(recording.passed_over)
                without = f"; left out are {left}" if left else ""
                place = recording.place(0).partition(", ")[0]
                print(f"{place}: features are {_listed(names)}{without}", file=sys.stderr)
        if names != self.features:
            if sorted(names) != sorted(self.features) or len({*names}) < width:
                raise bad(
                    recording.place(0),
                    f"all files need the same features, received {_listed(names)} after "
                    f"{_listed(self.features)} in the first file. Choose them with data.features, "
                    "or give the same in every file.",
                )
            order = [names.index(name) for name in self.features]
            rows = Sequences(recording.rows.values[:, order], recording.rows.offsets)
            recording = replace(recording, rows=rows, features=self.features)
        for number in suspects(recording.rows):
            if said := problem(recording.rows[number], self.features, self.config.missing):
                hint = f" {recording.hint}" if "received NaN" in said and recording.hint else ""
                raise bad(recording.place(number), said + hint)
        return recording

    def _cut(self, key: str, split: Split) -> Split:
        length, side = self.config.max_length, self.config.truncate
        longer = int((split.sequences.lengths > length).sum())
        if not longer:
            return split
        self._say(
            key,
            f"{longer:,} of {len(split):,} rows are longer than data.max_length={length} (up to "
            f"{split.sequences.lengths.max():,} steps) and are cut at the {side}",
        )
        labels = split.labels
        if isinstance(labels, Sequences):
            labels = cut(labels, length, side)
        return Split(cut(split.sequences, length, side), labels)

    def _say(self, key: str, what: str) -> None:
        self.notes.append(f"{key}: {what}")
        print(self.notes[-1], file=sys.stderr)


def _joined(rows: list[Sequences]) -> Sequences:
    """The rows of several files as those of one."""
    if len(rows) == 1:
        return rows[0]
    return Sequences.from_lengths(
        np.concatenate([each.values for each in rows]),
        np.concatenate([each.lengths for each in rows]),
    )


def _listed(names: tuple[str, ...]) -> str:
    some = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
    return f"{len(names)} ({some})"
