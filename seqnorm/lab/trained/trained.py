"""A finished run, used: texts or numbers in, answers out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import keras

    from seqnorm.lab.config.schema import RunConfig
    from seqnorm.lab.data.spec import Scale, Sequences, Vocabulary
    from seqnorm.lab.tasks import Task
    from seqnorm.lab.training.floor import Floor


@dataclass(frozen=True)
class Trained:
    """What a run came to, ready to answer.

    Attributes:
        config: its complete configuration.
        task: what it answers.
        model: the network, int32[batch, time] or float32[batch, time, features] -> answers; or
            what stands under networks, a bag of words or an n-gram model.
        vocabulary: words by id, with the tokenizer; None where rows are numbers.
        scale: what is done to numbers; None where rows are ids.
        label_names: of the classes, in the order of the model's outputs; empty without classes.
        longest: steps of the longest row of the test part, where that is known.

    `seqnorm.lab.load` makes one, whose `predict` gives for a text of IMDB, for instance,
    ``{"label": "pos", "probability": 0.93, "probabilities": {"neg": 0.07, "pos": 0.93}}``.
    """

    config: RunConfig
    task: Task
    model: keras.Model | Floor
    vocabulary: Vocabulary | None
    scale: Scale | None
    label_names: tuple[str, ...]
    longest: int | None = None

    def predict(self, rows: Iterable[Any], batch_size: int = 64) -> list[dict[str, Any]]:
        """Answers to rows, in their order; what they are depends on the task.

        Texts are cut and numbered, and numbers scaled, as those of the training were: words that it
        had not are unknown, longer texts are cut at the same end.

        Args:
            rows: texts; or for rows of numbers arrays float[time, features] as they were before
                scaling. A step with NaN is left out, or refused with ``data.missing=refuse``; a
                task that answers each step answers None there.
            batch_size: rows that are answered at a time.

        Raises:
            TypeError: if what is given is one text, or no list of rows.
            ValueError: if a row is of another kind or a blank text, naming it.
        """
        rows = _listed(rows)
        found: list[dict[str, Any]] = [{} for _ in rows]
        if not found:
            return found
        for row, output in self._outputs(self.encode(rows), batch_size):
            answer = self.task.answer(output, self.label_names)
            found[row] = self._in_place(answer, rows[row]) if self.task.every_step else answer
        return found

    def _in_place(self, answer: dict[str, Any], row: Any) -> dict[str, Any]:
        """Answers to the steps of a row of numbers where these stand; None where none was read."""
        if self.vocabulary is not None:
            return answer
        data, steps = self.config.data, np.asarray(row)
        read = np.flatnonzero(~np.isnan(steps).any(axis=-1))
        read = read[-data.max_length :] if data.truncate == "head" else read[: data.max_length]
        spread: dict[str, Any] = {}
        for key, values in answer.items():
            spread[key] = [None] * len(steps)
            for place, value in zip(read.tolist(), values, strict=True):
                spread[key][place] = value
        return spread

    @property
    def of_numbers(self) -> bool:
        """Whether rows are numbers; if not, they are texts."""
        return self.scale is not None

    @property
    def steps(self) -> int | None:
        """How many steps each row of the network has; None if any number."""
        model: Any = self.model
        return None if self.is_floor else model.inputs[0].shape[1]

    @property
    def is_floor(self) -> bool:
        """Whether this is no network, but what stands under networks."""
        from seqnorm.lab.config.models import FLOORS

        return self.config.model.name in FLOORS

    def _outputs(self, rows: Sequences, batch_size: int) -> Iterator[tuple[int, NDArray]]:
        """What the model gives for each row, without padding; shorter rows first."""
        from seqnorm.lab.data.batching import batch_bounds

        model: Any = self.model
        if self.is_floor:
            yield from enumerate(model.outputs(rows))
            return
        order = np.argsort(rows.lengths, kind="stable")
        for chosen in np.split(order, batch_bounds(len(order), batch_size)[1:-1]):
            outputs = np.asarray(model.predict_on_batch(rows.padded(chosen)))
            for row, output in zip(chosen.tolist(), outputs, strict=True):
                yield row, output[: int(rows.lengths[row])] if self.task.every_step else output

    def encode(self, rows: Sequence[Any]) -> Sequences:
        """Rows as the model reads them: of texts ids with START in front.

        Raises:
            ValueError: as of `predict`.
        """
        from seqnorm.lab.data.spec import Sequences
        from seqnorm.lab.data.splits import start_and_cut

        if self.vocabulary is None:
            return self._cut(self._numbers(rows))
        words = Sequences.from_rows(list(self._ids(rows, self.vocabulary)))
        return start_and_cut(words, self.config.data.max_length, self.config.data.truncate)

    def unscaled(self, rows: Iterable[Any]) -> Sequences:
        """Rows of numbers as `encode` gives them but before scaling, as exported files take them.

        Raises:
            ValueError: as of `numbers`.
        """
        return self._cut(map(self._ordered, rows))

    def _cut(self, rows: Iterable[NDArray]) -> Sequences:
        """Without the steps that miss a number, and no longer than those of the training."""
        from seqnorm.lab.data.own.series.recording import whole_steps
        from seqnorm.lab.data.spec import Sequences
        from seqnorm.lab.data.splits import cut

        series, _ = whole_steps(Sequences.from_rows(list(rows)))
        return cut(series, self.config.data.max_length, self.config.data.truncate)

    def _ids(self, rows: Sequence[Any], vocabulary: Vocabulary) -> Iterator[NDArray]:
        for number, row in enumerate(rows):
            if not isinstance(row, str):
                raise ValueError(
                    f"predict needs texts, received rows[{number}] of {type(row).__name__}. Give a "
                    "str for each row; the ids of its words are found here."
                )
            if not row.strip():
                raise ValueError(
                    f"predict needs texts, received rows[{number}]={row!r}, which is blank. Leave "
                    "it out."
                )
            yield vocabulary.encode(row)

    def _numbers(self, rows: Sequence[Any]) -> Iterator[NDArray]:
        for number, row in enumerate(rows):
            try:
                yield self.numbers(row)
            except ValueError as error:
                raise ValueError(f"rows[{number}]: {error}") from error

    def numbers(self, row: Any) -> NDArray[np.float32]:
        """A row of numbers, ordered and scaled as those of the training were.

        Args:
            row: float[time, features].

        Raises:
            ValueError: if the row cannot be answered.
        """
        ordered = self._ordered(row)
        assert self.scale is not None
        return self.scale.apply(ordered)

    def _ordered(self, row: Any) -> NDArray[np.float32]:
        from seqnorm.lab.data.own.series.recording import as_float32, problem

        if self.scale is None:
            raise ValueError("predict needs texts, received numbers. Give a str for each row.")
        features = self.scale.features
        try:
            values = as_float32(np.asarray(row), "rows")
        except (TypeError, ValueError) as error:
            raise ValueError(f"rows must be numbers [time, features]; received {error}") from error
        if values.ndim != 2 or values.shape[1] != len(features):
            raise ValueError(
                f"rows must be numbers [time, {len(features)}] of {', '.join(features)}; received "
                f"{type(row).__name__}{list(values.shape)}. Give an array for each."
            )
        # Data of other kinds has no such key: there a step may be missing.
        if said := problem(values, features, getattr(self.config.data, "missing", "mask")):
            raise ValueError(said)
        return self.scale.in_order(values)


def _listed(rows: Iterable[Any]) -> list[Any]:
    """Rows as a list, whatever gives them one after the other.

    Raises:
        TypeError: if what is given would be answered by its letters, its keys, its columns, or in
            any order.
    """
    one_by_one = isinstance(rows, Iterable) and not hasattr(rows, "columns")  # as a DataFrame has
    if not one_by_one or isinstance(rows, str | bytes | Mapping | AbstractSet):
        raise TypeError(
            f"predict needs a list of rows, received {type(rows).__name__}. Put a single text or "
            "array into a list; of a table give the column."
        )
    return list(rows)
