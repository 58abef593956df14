"""One run from top to bottom: its folder, its repeatability, its ends."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from omegaconf import OmegaConf

from seqnorm.lab import data
from seqnorm.lab.config.compose import compose
from seqnorm.lab.config.schema import conf_dir
from seqnorm.lab.errors import UserError
from seqnorm.lab.runs.read import read_run
from seqnorm.lab.runs.result import Result
from seqnorm.lab.training.fit import Training
from seqnorm.lab.training.run import run
from tests.processes import Process, script
from tests.tiers import exhaustive

PLAIN = ("norm=none", "train.probe_every=0")  # the quickest to compile
# What a clock measures, or names: the only things that may differ between equal runs.
TIMES = {"seconds", "tokens_per_second", "train_seconds", "run"}


def without_times(record):
    return {key: value for key, value in record.items() if key not in TIMES}


def test_what_loading_draws_changes_no_weight(small, monkeypatch):
    """TensorFlow Datasets draws names of folders from Python's generator when it prepares data."""
    losses = []
    for draws in (0, 6):
        load = data.load

        def drawing(config, seed, labels, draws=draws, load=load):
            [random.random() for _ in range(draws)]
            return load(config, seed, labels)

        with monkeypatch.context() as patch:
            patch.setattr("seqnorm.lab.data.load", drawing)
            losses.append(run(small(*PLAIN)).test_loss)
    assert losses[0] == losses[1]


CARRIED = (
    *("task=language_model", "model.bidirectional=false"),
    *("task.window=6", "task.carry_state=true"),
)


@pytest.mark.parametrize(
    "task", [(), pytest.param(CARRIED, marks=exhaustive)], ids=["rows", "carried"]
)
def test_validating_between_the_ends_of_epochs_changes_nothing_but_the_curve(small, task):
    config = small(*PLAIN, *task, "train.epochs=1", runs="without")
    more = replace(config.train, validate_every=2)
    other = replace(config, train=more, runs_dir=config.runs_dir.replace("without", "with"))
    results = [run(each) for each in (config, other)]
    assert results[0].test == results[1].test and results[0].test_loss == results[1].test_loss
    folders = [
        Path(each.runs_dir) / found.run
        for each, found in zip((config, other), results, strict=True)
    ]
    curves = [read_run(folder).history("val_loss") for folder in folders]
    assert curves[0].shape == (1, 3) and curves[0][0, 2] == curves[1][-1, 2]
    steps = results[0].steps
    assert curves[1][:, 0].tolist() == [*range(2, steps, 2), steps]
    assert np.unique(curves[1][:, 2]).size == len(curves[1])  # each is of weights of its own


@exhaustive
def test_half_precision_stays_as_it_was_set(small):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        result = run(small("norm=layer", "train.probe_every=0"))
        model = keras.models.load_model(Path(small().runs_dir) / result.run / "model.keras")
    finally:
        keras.config.set_dtype_policy("float32")
    assert result.status == "completed"
    assert "bfloat16" in {layer.compute_dtype for layer in model.layers}


def test_another_backend_is_refused(tmp_path):
    command = [sys.executable, "-m", "seqnorm.lab.commands.train", "experiment=smoke"]
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1 and not list(tmp_path.iterdir())
    assert done.stderr.startswith(
        "seqnorm-train: training needs Keras on TensorFlow; received KERAS_BACKEND=jax."
    )


def test_an_argument_that_a_component_does_not_take_is_one_message(tmp_path):
    options = ["model=mlp", "data=synthetic", "norm=keras_layer", "norm.axis=foo"]
    with pytest.raises(UserError, match=r"norm=keras_layer need arguments that they take;.*'foo'"):
        run(compose([*options, f"runs_dir={tmp_path}"]))


def test_what_is_only_mirrored_costs_no_finished_run(small, monkeypatch):
    def broken(self, values):
        raise RuntimeError("the service is gone")

    monkeypatch.setattr("seqnorm.lab.tracking.sink.MultiSink.summary", broken)
    config = small(*PLAIN)
    with pytest.raises(RuntimeError, match="the service is gone"):
        run(config)
    (result,) = Path(config.runs_dir).glob("*/result.json")
    assert json.loads(result.read_text())["status"] == "completed"


def test_a_mirror_that_refuses_to_start_leaves_no_folder(small, monkeypatch):
    def refusing(self, config, name, folder, since=None):
        raise UserError("no login")

    monkeypatch.setattr("seqnorm.lab.tracking.jsonl.JsonlSink.start", refusing)
    runs = Path(small().runs_dir)
    words = compose(
        ["model=bag_of_words", "data=synthetic", "data.examples=64", f"runs_dir={runs}"]
    )
    for config in (small(*PLAIN), words):
        with pytest.raises(UserError, match="no login"):
            run(config)
        assert list(runs.iterdir()) == []


def test_run_folder_is_complete(small, records):
    config = small("norm=batch", "train.epochs=2")
    result = run(config)
    folder = Path(config.runs_dir) / result.run
    assert {path.name for path in folder.iterdir()} == {
        "config.yaml",
        "environment.json",
        "metrics.jsonl",
        "probes.npz",
        "model.keras",
        "vocabulary.json",
        "predictions.npz",
        "result.json",
    }
    stored = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    assert stored == result.to_json() and Result.from_json(stored) == result
    assert result.status == "completed" and result.message is None

    lines = records(folder)
    assert all({"event", "step", "epoch", "seconds"} <= line.keys() for line in lines)
    epochs = [line for line in lines if line["event"] == "epoch"]
    assert [line["epoch"] for line in epochs] == [1, 2]
    assert epochs[-1]["step"] == result.steps == 2 * epochs[0]["step"]
    steps = [line["step"] for line in lines if line["event"] == "train"]
    assert steps == list(range(1, result.steps + 1))
    # The losses of an epoch's steps average to the loss of the epoch.
    losses = [line["loss"] for line in lines if line["event"] == "train" and line["epoch"] == 2]
    assert np.mean(losses) == pytest.approx(epochs[1]["loss"], rel=0.02)
    probe = next(line for line in lines if line["event"] == "probe")
    assert {"lstm_1/recurrent/distance", "lstm_1/gradient_norm"} <= probe.keys()

    with np.load(folder / "predictions.npz") as predictions:
        right = predictions["labels"] == predictions["predicted"]
        assert right.mean() == result.test["accuracy"]
        assert len(predictions["lengths"]) == len(right) == config.data.test_examples
        assert (predictions["probability"] >= 0.5).all()

    # The statistics of batch norm are no trainable parameters.
    model = keras.models.load_model(folder / "model.keras")
    statistics = sum(w.size for w in map(np.asarray, model.non_trainable_weights))
    assert result.parameters == model.count_params()
    assert result.trainable_parameters == result.parameters - statistics < result.parameters
    check_that_a_fresh_process_loads(folder)


def test_the_sweep_maximises_what_a_run_comes_to(small):
    sweep = OmegaConf.load(conf_dir() / "sweep" / "imdb.yaml")
    assert run(small("norm=none", "train.probe_every=0")).flat()[sweep.metric.name] is not None
    assert sweep.metric.name.startswith("val_") and sweep.metric.goal == "maximize"
    compose([f"{key}={space['values'][0]}" for key, space in sweep.parameters.items()
             if "values" in space])  # fmt: skip


def check_that_a_fresh_process_loads(folder):
    tokens = np.array([[1, 5, 4, 7], [1, 9, 0, 0]], "int32")
    here = keras.models.load_model(folder / "model.keras")(tokens)
    program = (
        "import keras, numpy\nfrom seqnorm import NormLSTM\n"
        f"model = keras.models.load_model({str(folder / 'model.keras')!r})\n"
        f"print(numpy.asarray(model(numpy.array({tokens.tolist()}, 'int32'))).tolist())"
    )
    there = script(program)
    assert there.returncode == 0, there.stderr[-2000:]
    np.testing.assert_allclose(json.loads(there.stdout), here, rtol=1e-6)


@exhaustive
@pytest.mark.parametrize("other", ["unprobed", pytest.param("again", marks=exhaustive)])
def test_same_seed_same_numbers_with_and_without_probes(small, records, other):
    """Probing may change no statistic, no random stream and no result."""
    # With dropout the loop runs, which takes long to trace: of the smallest cell.
    options = ("cell=simple_rnn", "norm=batch", "cell.dropout=0.2", "cell.recurrent_dropout=0.2")
    every = ("train.probe_every=0",) if other == "unprobed" else ()
    results, histories, weights = [], [], []
    for config in (small(*options, runs="once"), small(*options, *every, runs=other)):
        result = run(config)
        folder = Path(config.runs_dir) / result.run
        results.append(without_times(result.to_json()))
        histories.append([without_times(line) for line in records(folder)])
        weights.append(keras.models.load_model(folder / "model.keras").get_weights())
    for ours, theirs in zip(*weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    if other == "again":
        assert results[0] == results[1] and histories[0] == histories[1]
    else:
        unprobed = [line for line in histories[0] if line["event"] != "probe"]
        assert histories[1] == unprobed and unprobed != histories[0]


def test_other_seed_other_weights_order_and_split(small, monkeypatch):
    begun = []

    class Watched(Training):
        def fit(self, until=None):
            embedding = self.model.get_weights()[0]
            begun.append((embedding, self.batches.order, self.validation.split.labels))
            return super().fit(until)

    monkeypatch.setattr("seqnorm.lab.training.run.Training", Watched)
    first, second = (run(small(f"seed={seed}", *PLAIN)) for seed in (0, 1))
    assert first.test_loss != second.test_loss
    assert first.config_hash == second.config_hash
    for ours, theirs in zip(*begun, strict=True):
        assert ours.shape == theirs.shape and np.any(ours != theirs)


def test_divergence_is_a_result_that_names_step_and_rate(small, records):
    config = small("norm=none", "optim.learning_rate=3e38")
    result = run(config)
    assert result.status == "diverged"
    assert f"at step {result.steps} " in result.message
    assert "last learning rate was 3e+38" in result.message
    assert result.test["accuracy"] == result.baseline
    assert result.test_loss is None
    labels = data.load(config.data, config.seed).validation.labels
    assert result.validation == np.bincount(labels).max() / len(labels)
    assert result.objective is None  # or it would be the best setting of a sweep
    folder = Path(config.runs_dir) / result.run
    assert read_run(folder).result == result
    last = [line for line in records(folder) if line["event"] == "train"][-1]
    assert last["step"] == result.steps
    assert "loss_nonfinite" in last or "gradient_norm_nonfinite" in last


def test_early_stopping_keeps_the_best_epoch(small, records):
    config = small("train.epochs=6", "train.patience=1", "optim.learning_rate=0.05", *PLAIN)
    result = run(config)
    folder = Path(config.runs_dir) / result.run
    epochs = [line for line in records(folder) if line["event"] == "epoch"]
    losses = [line["val_loss"] for line in epochs]
    assert result.best_epoch == 1 + losses.index(min(losses))
    assert result.validation == epochs[result.best_epoch - 1]["val_accuracy"]
    stopped_early = len(epochs) < 6
    assert stopped_early == (len(epochs) - result.best_epoch >= 1)


def test_killed_run_leaves_no_result_and_others_alone(small):
    finished = small(*PLAIN)
    result = run(finished)
    folder = Path(finished.runs_dir) / result.run
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    process = Process(
        "from seqnorm.lab.commands.train import main; main(["
        f"'experiment=smoke', 'runs_dir={finished.runs_dir}', 'train.epochs=100000', "
        "'norm=none'])"
    )
    try:
        deadline = time.monotonic() + 120
        killed = []
        while time.monotonic() < deadline and process.is_alive():
            killed = [path for path in Path(finished.runs_dir).iterdir() if path != folder]
            metrics = killed[0] / "metrics.jsonl" if killed else folder / "nothing"
            if metrics.is_file() and "epoch" in metrics.read_text(encoding="utf-8"):
                break
            time.sleep(0.1)
        assert process.is_alive() and killed
    finally:
        process.kill()  # by SIGKILL
        process.end()
    assert not (killed[0] / "result.json").exists()
    lines = (killed[0] / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    assert all(json.loads(line) for line in lines[:-1])
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
