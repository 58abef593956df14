"""The bag of words as a run of its own, and the floor it is in the report."""

from __future__ import annotations

import json

import numpy as np

from seqnorm.lab import data, load
from seqnorm.lab.commands.train import main as train
from seqnorm.lab.config.compose import compose
from seqnorm.lab.report.page.report import write_report
from seqnorm.lab.training.run import run

DATA = ["data=synthetic", "data.examples=400", "data.test_examples=100"]


def test_it_is_a_run_like_any_other_and_the_floor_of_the_report(tmp_path, small):
    assert train(["model=bag_of_words", *DATA, f"runs_dir={tmp_path / 'runs'}"]) == 0
    (folder,) = (tmp_path / "runs").iterdir()
    assert folder.name.startswith("synthetic-bag_of_words-none-s0-")
    names = {path.name for path in folder.iterdir()}
    assert {"config.yaml", "environment.json", "result.json", "predictions.npz"} <= names
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    assert result["cell"] == "bag_of_words" and result["status"] == "completed"
    assert 0.5 < result["test"]["accuracy"] < 0.8 and result["parameters"] > 100
    with np.load(folder / "predictions.npz") as stored:
        assert np.mean(stored["labels"] == stored["predicted"]) == result["test"]["accuracy"]
        assert (stored["probability"] >= 0.5).all()
    assert_answers_anew(folder)

    run(small("norm=none", "train.probe_every=0", runs="runs"))
    text = write_report([tmp_path / "runs"]).text
    assert f"Bag of words: accuracy {result['test']['accuracy']:.4f}, macro-F1" in text
    assert "bag of words" in text and "lstm none " in text
    assert "epochs=" not in text  # the bag of words reads none


def assert_answers_anew(folder):
    """What the folder keeps gives the test part as texts the answers that the run gave it."""
    trained = load(folder)
    texts = [
        trained.vocabulary.decode(row) for row in data.load(trained.config.data, 0).test.sequences
    ]
    answers = trained.predict(texts)
    with np.load(folder / "predictions.npz") as stored:
        names = stored["label_names"][stored["predicted"]].tolist()
        assert [answer["label"] for answer in answers] == names
        found = [answer["probability"] for answer in answers]
        np.testing.assert_allclose(found, stored["probability"], atol=1e-6)


def test_the_same_seed_gives_the_same_scores(tmp_path):
    config = compose(["model=bag_of_words", *DATA, f"runs_dir={tmp_path}"])
    first, second = (run(config) for _ in range(2))
    assert first.test is not None and first.test == second.test
    for key in ("validation", "parameters", "config_hash"):
        assert getattr(first, key) == getattr(second, key)


def test_a_trial_does_not_look_at_the_test_part(tmp_path):
    config = compose(["model=bag_of_words", *DATA, f"runs_dir={tmp_path}", "train.test=false"])
    result = run(config)
    assert result.test is None
    assert 0.4 < result.validation < 0.9
    names = {path.name for path in (tmp_path / result.run).iterdir()}
    assert names == {"config.yaml", "environment.json", "metrics.jsonl", "result.json"}


def test_too_little_data_is_the_users_to_mend(tmp_path, capsys):
    arguments = ["model=bag_of_words", "data=synthetic", "data.examples=10", "model.min_texts=50"]
    assert train([*arguments, f"runs_dir={tmp_path}"]) == 1
    text = capsys.readouterr().err
    assert "words in at least 50 training texts" in text and "Traceback" not in text
    assert list(tmp_path.iterdir()) == []  # a refusal is no run
