"""The contract of a task: at every step or once a row, registered under a name, found by it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from seqnorm.lab.config import schema
from seqnorm.lab.config.compose import compose
from seqnorm.lab.config.tasks import ClassificationConfig, TaskConfig
from seqnorm.lab.data.batching import Batches
from seqnorm.lab.data.spec import Dataset
from seqnorm.lab.errors import UserError
from seqnorm.lab.registry import PARTS, register_task
from seqnorm.lab.runs.naming import config_hash
from seqnorm.lab.runs.read import read_run
from seqnorm.lab.tasks import TASKS, Classification, Evaluation, Score, Scoring, Task, make_task
from seqnorm.lab.tasks.stream import batches_of, stream
from seqnorm.lab.training.run import run


@dataclass
class NextConfig(TaskConfig):
    """Which token comes next?"""

    scale: float = 1.0


class Next(Task):
    """The next token at every step: targets int32[B, T], no label is read."""

    scores = (Score("bits", "bits a token", 3, (0, math.inf), higher_is_better=False, unit="bits"),)
    baseline_name = "uniform guess"
    every_step = True

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale

    def head(self, dataset: Dataset) -> keras.layers.Layer:
        return keras.layers.Dense(dataset.vocabulary.size, dtype="float32", name="logits")

    def loss(self) -> keras.losses.Loss:
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)

    def metrics(self) -> list[keras.metrics.Metric]:
        return [keras.metrics.MeanMetricWrapper(self._bits, name="bits")]

    def _bits(self, targets, logits):
        nats = keras.losses.sparse_categorical_crossentropy(
            targets, logits, from_logits=True, ignore_class=0
        )
        return nats / math.log(2)

    def targets(self, tokens: NDArray, labels: NDArray) -> NDArray:
        return np.pad(tokens[:, 1:], ((0, 0), (0, 1)))

    def evaluate(
        self, model: keras.Model, dataset: Dataset, part: str, batch_size: int
    ) -> Evaluation:
        losses, counts = [], []
        for tokens, targets in stream(
            batches_of(self, getattr(dataset, part), batch_size), self.targets
        ):
            losses.append(float(self.loss()(targets, model(tokens))))
            counts.append(int(np.sum(targets != 0)))
        loss = float(np.average(losses, weights=counts))
        return Evaluation({"bits": loss / math.log(2)}, loss, {})

    def baseline(self, dataset: Dataset, part: str) -> Evaluation:
        return Evaluation({"bits": math.log2(dataset.vocabulary.size)}, None, {})


@pytest.fixture
def next_token() -> Iterator[None]:
    """The task under a name, as long as a test lasts."""
    register_task("next", NextConfig)(Next)
    yield
    del TASKS["next"], PARTS["task", "next"], schema.SCHEMAS["task"]["next"]


@pytest.mark.usefixtures("next_token")
def test_a_task_that_is_answered_at_every_step_trains(small) -> None:
    config = small("task=next", "norm=batch", "model.bidirectional=false")
    result = run(config)
    assert result.task.name == "next" and result.status == "completed"
    assert result.test is not None and set(result.test) == {"bits"}
    assert result.test["bits"] == pytest.approx(result.test_loss / math.log(2))
    folder = Path(config.runs_dir) / result.run
    model = keras.models.load_model(folder / "model.keras")
    assert model.output_shape[:2] == (None, None)
    record = read_run(folder)
    assert record.result == result and len(record.history("val_bits")) == config.train.epochs
    assert set(record.predictions()) == {"lengths"} and "rows" in record.probes()


@pytest.mark.usefixtures("next_token")
def test_a_run_of_another_task_that_diverges_counts_as_its_baseline(small) -> None:
    config = small("task=next", "norm=none", "train.probe_every=0", "optim.learning_rate=3e38")
    result = run(config)
    assert result.diverged and result.objective is None
    assert result.test == {"bits": result.baseline} and result.validation == result.baseline


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"scores": {}}, r"declares scores=\['bits'\].*received scores=\[\] of the {part} part"),
        ({"scores": {"bits": -0.5}}, "bits between 0 and inf; received bits=-0.5 of the {part}"),
        (
            {"predictions": {"score": np.zeros((3, 2))}},
            r"needs score of each of the \d+ rows of the {part} part.*shape=\(3, 2\)",
        ),
    ],
)
@pytest.mark.parametrize(("method", "part"), [("baseline", "validation"), ("evaluate", "test")])
@pytest.mark.usefixtures("next_token")
def test_what_a_task_does_not_keep_of_its_promise_is_one_message(
    small, monkeypatch, method, part, changed, said
) -> None:
    right = getattr(Next, method)
    monkeypatch.setattr(Next, method, lambda self, *given: replace(right(self, *given), **changed))
    with pytest.raises(UserError, match=said.format(part=part)):
        run(small("task=next", "model.bidirectional=false", "train.epochs=1"))


@pytest.mark.usefixtures("next_token")
def test_a_model_without_steps_refuses_a_task_of_steps(small) -> None:
    with pytest.raises(UserError, match=r"task=next needs a model that answers at every step; rec"):
        run(compose(["task=next", "model=mlp", "data=synthetic", "data.examples=64"]))


@pytest.mark.usefixtures("next_token")
def test_the_keys_of_a_task_are_its_own_and_tell_runs_apart() -> None:
    plain, other = compose(["task=next"]), compose(["task=next", "task.scale=2"])
    made = make_task(other.task)
    assert isinstance(made, Next) and made.scale == 2
    hashes = {config_hash(each) for each in (plain, other, compose())}
    assert len(hashes) == 3


def test_a_metric_needs_the_name_of_the_first_score(small, monkeypatch) -> None:
    monkeypatch.setattr(Classification, "metrics", lambda self: [keras.metrics.Mean(name="acc")])
    with pytest.raises(ValueError, match=r"the name of its first score, 'accuracy'; .*\['acc'\]"):
        run(small("norm=none"))


def test_what_is_no_task_is_not_registered() -> None:
    with pytest.raises(TypeError, match="register_task needs a subclass of Task; received"):
        register_task("next", NextConfig)(dict)
    with pytest.raises(ValueError, match=r"task=classification is seqnorm's; received another one"):
        register_task("classification", NextConfig)(Next)

    class Scoreless(Next):
        scores = ()

    with pytest.raises(ValueError, match=r"a task needs scores of different names.*scores=\[\]"):
        register_task("scoreless", NextConfig)(Scoreless)
    assert "scoreless" not in TASKS
    with pytest.raises(ValueError, match=rf"task.name must be one of {', '.join(TASKS)}; received"):
        make_task(replace(ClassificationConfig(), name="nothing"))


def test_targets_of_any_dtype_and_shape_are_streamed(small) -> None:
    from seqnorm.lab import data

    batches = Batches(data.load(small().data, 0).train, batch_size=8)

    def targets(tokens: NDArray, labels: NDArray) -> NDArray:
        return np.stack([labels, labels + 0.5], axis=1).astype(np.float32)

    for tokens, found in stream(batches, targets):
        assert found.dtype == "float32" and found.shape == (len(tokens), 2)


def test_a_score_is_written_with_its_digits_and_its_unit() -> None:
    accuracy, bits = Classification.scores[0], Next.scores[0]
    assert accuracy.write(0.91237) == "0.9124" and bits.write(1.4321) == "1.432"
    assert accuracy.write_difference(0.007) == "+0.70" and bits.write_difference(-0.02) == "-0.020"
    assert (accuracy.best, bits.best) == ("highest", "lowest")
    assert accuracy.merit(0.5) == 0.5 and bits.merit(bits.merit(0.5)) == 0.5 == -bits.merit(0.5)
    for name in ("loss", "macro-F1", ""):
        with pytest.raises(ValueError, match=rf"a score needs a name .* received name='{name}'"):
            Score(name, "a title")


@pytest.mark.parametrize("task", [Classification, Next])
def test_what_a_run_keeps_of_a_task_is_read_again(task: type[Task]) -> None:
    kept = Scoring(task.name if task is Classification else "next", task.scores, task.baseline_name)
    assert Scoring.from_json(kept.to_json()) == kept
    with pytest.raises((KeyError, TypeError)):
        Scoring.from_json({**kept.to_json(), "scores": [{"name": "a"}]})


@pytest.mark.parametrize(
    ("loss", "score", "fault"),
    [(1.0, 0.5, None), (None, 0.5, None), (math.nan, 0.5, "loss became nan"),
     (1.0, math.inf, "bits became inf")],
)  # fmt: skip
def test_which_number_is_none(loss: float | None, score: float, fault: str | None) -> None:
    assert Evaluation({"bits": score}, loss, {}).fault == fault
