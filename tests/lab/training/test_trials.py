"""Trials leave the test part alone; named runs are made once; mistakes can be read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seqnorm.lab import data
from seqnorm.lab.errors import UserError
from seqnorm.lab.runs.stopped import stopped_run
from seqnorm.lab.runs.write import RunFolder
from seqnorm.lab.tasks import Classification
from seqnorm.lab.tasks.mistakes import mistakes
from seqnorm.lab.tracking import JsonlSink, MultiSink
from seqnorm.lab.training.run import run
from tests.lab.report.fabricate import a_result

PLAIN = ("norm=none", "train.probe_every=0")


def test_a_trial_does_not_look_at_the_test_part(small, monkeypatch):
    seen = []
    evaluate = Classification.evaluate
    monkeypatch.setattr(
        Classification, "evaluate", lambda *args: seen.append(args[3]) or evaluate(*args)
    )
    config = small("train.test=false", *PLAIN)
    result = run(config)
    folder = Path(config.runs_dir) / result.run
    assert seen == []
    assert result.test is result.test_loss is None and result.trial
    assert result.validation is not None
    labels = data.load(config.data, config.seed).validation.labels
    assert result.baseline in {np.mean(labels == 0), np.mean(labels == 1)}
    files = {path.name for path in folder.iterdir()}
    assert files == {"config.yaml", "environment.json", "metrics.jsonl", "result.json"}
    tested = run(replace(config, train=replace(config.train, test=True)))
    assert seen == ["test"] and tested.validation == result.validation


def test_a_test_loss_that_breaks_is_divergence(small, monkeypatch):
    evaluate = Classification.evaluate
    monkeypatch.setattr(
        Classification, "evaluate", lambda *args: replace(evaluate(*args), loss=float("nan"))
    )
    result = run(small(*PLAIN))
    assert (result.status, result.message) == ("diverged", "the test loss became nan")
    assert result.test["accuracy"] == result.baseline and result.test_loss is None


def test_a_named_folder_is_made_anew_until_it_is_finished(small):
    config = small(*PLAIN)
    first = RunFolder.create(config, "one")
    (first.path / "half.txt").write_text("left by a run that was stopped before it was saved")
    with RunFolder.opened(config, "one", MultiSink([JsonlSink()])) as second:
        assert first.path == second.path and not (second.path / "half.txt").exists()
        second.finish(a_result())
    with pytest.raises(UserError, match=r"made once; received name=one.*Delete the folder"):
        stopped_run(config, "one")


def test_mistakes_are_read_most_confident_first(small):
    dataset = data.load(small().data, 0)
    right = dataset.test.labels
    predicted = right.copy()
    predicted[[3, 5, 8]] = 1 - right[[3, 5, 8]]
    probability = np.full(len(right), 0.6)
    probability[[3, 5, 8]] = 0.7, 0.9, 0.8
    rows = mistakes(dataset, predicted, probability, most=2)
    assert [row[3] for row in rows] == [0.9, 0.8]
    text, label, answer, _, tokens = rows[0]
    assert text == dataset.decode(dataset.test.sequences[5]) and text
    assert (label, answer) == (dataset.label_names[right[5]], dataset.label_names[1 - right[5]])
    assert tokens == len(dataset.test.sequences[5])
    assert mistakes(dataset, right, probability) == []
