"""A finished run, used: texts or numbers in, answers out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.errors import UserError
from seqnorm.lab.runs.files import FLOOR, MODEL

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

    `load` makes one, whose `predict` gives for a text of IMDB, for instance, ``{"label": "pos",
    "probability": 0.93, "probabilities": {"neg": 0.07, "pos": 0.93}}``.
    """

    config: RunConfig
    task: Task
    model: keras.Model | Floor
    vocabulary: Vocabulary | None
    scale: Scale | None
    label_names: tuple[str, ...]

    def predict(self, rows: Sequence[Any], batch_size: int = 64) -> list[dict[str, Any]]:
        """Answers to rows, in their order; what they are depends on the task.

        Texts are cut and numbered, and numbers scaled, as those of the training were: words that it
        had not are unknown, longer texts are cut at the same end.

        Args:
            rows: texts; or for rows of numbers arrays float[time, features] as they were before
                scaling. A step with NaN is left out, or refused with ``data.missing=refuse``; a
                task that answers each step answers None there.
            batch_size: rows that are answered at a time.

        Raises:
            ValueError: if a row is of another kind, naming it.
        """
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
        from seqnorm.lab.data.own.series.recording import whole_steps
        from seqnorm.lab.data.spec import Sequences
        from seqnorm.lab.data.splits import cut, start_and_cut

        data = self.config.data
        if self.vocabulary is not None:
            words = Sequences.from_rows(list(self._ids(rows, self.vocabulary)))
            return start_and_cut(words, data.max_length, data.truncate)
        series, _ = whole_steps(Sequences.from_rows(list(self._numbers(rows))))
        return cut(series, data.max_length, data.truncate)

    def _ids(self, rows: Sequence[Any], vocabulary: Vocabulary) -> Iterator[NDArray]:
        for number, row in enumerate(rows):
            if not isinstance(row, str):
                raise ValueError(
                    f"predict needs texts, received rows[{number}] of {type(row).__name__}. Give a "
                    "str for each row; the ids of its words are found here."
                )
            yield vocabulary.encode(row)

    def _numbers(self, rows: Sequence[Any]) -> Iterator[NDArray]:
        for number, row in enumerate(rows):
            try:
                yield self.numbers(row)
            except ValueError as error:
                raise ValueError(f"rows[{number}]: {error}") from error

    def numbers(self, row: Any) -> NDArray[np.float32]:
        """A row of numbers, scaled as those of the training were.

        Args:
            row: float[time, features].

        Raises:
            ValueError: if the row cannot be answered.
        """
        from seqnorm.lab.data.own.series.recording import as_float32, problem

        if self.scale is None:
            raise UserError(
                "a run needs vocabulary.json or scale.json, which say how rows become the model's "
                "input; received a folder without. Repeat the run."
            )
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
        return self.scale.apply(values)


def load(run: str | Path) -> Trained:
    """The model of a finished run, with all that its inputs are made with.

    Args:
        run: the run folder.

    Raises:
        UserError: if the folder holds no finished run with a model: a trial keeps none.
    """
    folder = Path(run).expanduser()
    result = _result(folder)
    from seqnorm.lab.config.compose import compose
    from seqnorm.lab.config.rerun import run_again

    config = compose([run_again(folder, ())])
    from seqnorm.lab.training import require_tensorflow

    require_tensorflow()
    from seqnorm.lab.data import scale, vocabulary
    from seqnorm.lab.tasks import make_task

    words, numbers = folder / "vocabulary.json", folder / scale.FILE
    if result.diverged:
        raise UserError(f"{folder.name} diverged, its model answers nothing: {result.message}")
    known = vocabulary.Vocabulary.load(words) if words.is_file() else None
    scaled = scale.Scale.load(numbers) if numbers.is_file() else None
    names = _label_names(folder)
    model = _model(folder, config, known.size if known else 0, len(names))
    return Trained(config, make_task(config.task), model, known, scaled, names)


def _model(folder: Path, config: RunConfig, size: int, num_classes: int) -> keras.Model | Floor:
    """What the run kept: `_result` has seen one of the files."""
    if (folder / MODEL).is_file():
        import keras

        network: keras.Model = keras.models.load_model(folder / MODEL, compile=False)
        return network
    from seqnorm.lab.runs.files import read_arrays
    from seqnorm.lab.training.floor import make_floor

    floor = make_floor(config, size, num_classes)
    floor.restore(read_arrays(folder / FLOOR, "its model"))
    return floor


def _result(folder: Path) -> Any:
    from seqnorm.lab.runs.files import RunFolderError
    from seqnorm.lab.runs.read import read_run

    try:
        result = read_run(folder).result
    except (RunFolderError, OSError) as error:
        raise UserError(
            f"load needs the folder of a finished run; received {str(folder)!r}: {error}"
        ) from error
    if not any((folder / name).is_file() for name in (MODEL, FLOOR)):
        why = "tried a setting" if result.trial else f"is of {result.cell}"
        raise UserError(
            f"load needs a run that kept its model as {MODEL} or {FLOOR}; received "
            f"{str(folder)!r}, which {why} and has none. Name a run on the test set, as "
            "seqnorm-train makes it."
        )
    return result


def _label_names(folder: Path) -> tuple[str, ...]:
    with np.load(folder / "predictions.npz") as stored:
        names = stored["label_names"].tolist() if "label_names" in stored.files else []
    return tuple(map(str, names))
