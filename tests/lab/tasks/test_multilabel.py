"""Any number of classes a row: scores against scikit-learn's, and a run on a file."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from sklearn.metrics import f1_score, log_loss

from seqnorm.lab.config.compose import compose
from seqnorm.lab.data.spec import Dataset, Sequences, Split, Vocabulary
from seqnorm.lab.data.vocabulary import SPECIAL
from seqnorm.lab.tasks import Multilabel
from seqnorm.lab.trained import load
from seqnorm.lab.training.run import run
from tests.tiers import exhaustive

RIGHT = np.array([[1, 0, 1, 0], [0, 0, 0, 0], [1, 1, 0, 0], [1, 0, 0, 0]], np.uint8)
LOGITS = np.array([[2, -1, 0.5, -3], [-1, 0, -2, -1], [1, -1, -1, -2], [3, -2, -1, -4]])


@pytest.fixture
def dataset() -> Dataset:
    part = Split(Sequences.from_rows([[1, row + 3] for row in range(4)]), RIGHT)
    return Dataset("own", part, part, part, tuple("abcd"), Vocabulary([*SPECIAL, *"wxyz"]))


def by_row() -> keras.Model:
    tokens = keras.Input((None,), dtype="int32")
    logits = keras.ops.take(keras.ops.convert_to_tensor(LOGITS, "float32"), tokens[:, 1] - 3, 0)
    return keras.Model(tokens, logits)


def test_scores_are_those_of_scikit_learn_over_the_classes_that_the_part_has(dataset):
    found = Multilabel().evaluate(by_row(), dataset, "test", batch_size=2)
    answered = LOGITS >= 0
    assert found.scores["micro_f1"] == pytest.approx(f1_score(RIGHT, answered, average="micro"))
    present = f1_score(RIGHT[:, :3], answered[:, :3], average="macro")
    assert found.scores["macro_f1"] == pytest.approx(present)  # no row has the last class
    assert found.scores["exact_match"] == 2 / 4
    sure = 1 / (1 + np.exp(-LOGITS))
    assert found.loss == pytest.approx(log_loss(RIGHT.ravel(), sure.ravel()), rel=1e-6)
    task = Multilabel()
    assert float(task.loss()(RIGHT, LOGITS)) == pytest.approx(found.loss, rel=1e-6)
    (metric,) = task.metrics()
    metric.update_state(RIGHT, keras.ops.convert_to_tensor(LOGITS, "float32"))
    assert float(metric.result()) == pytest.approx(found.scores["micro_f1"])


def test_the_baseline_answers_the_most_frequent_class(dataset):
    found = Multilabel().baseline(dataset, "test")
    assert found.scores["micro_f1"] == pytest.approx(2 * 3 / (5 + 4))
    assert found.scores["exact_match"] == 1 / 4


@exhaustive
def test_a_file_with_several_labels_a_row_is_learnt_and_answered(tmp_path):
    rng, words = np.random.default_rng(0), {"funny": "comedy", "war": "drama", "kiss": "romance"}
    rows = []
    for _ in range(150):
        chosen = [word for word in words if rng.random() < 0.4]
        text = " ".join(rng.permutation([*chosen, "a", "film", "of", "it"]))
        rows.append(f"{text},{'|'.join(words[word] for word in chosen)}")
    (tmp_path / "films.csv").write_text("\n".join(["plot,genres", *rows]))
    given = ["data=files", f"data.train={tmp_path}/films.csv", "data.text=plot", "task=multilabel"]
    given += ["data.label=genres", 'data.label_separator="|"', f"runs_dir={tmp_path}/runs"]
    small = ["cell.units=8", "model.embedding=8", "train.epochs=8", "optim.learning_rate=0.03"]
    result = run(compose([*given, *small]))
    assert result.test is not None and result.test["micro_f1"] > result.baseline
    (answer,) = load(tmp_path / "runs" / result.run).predict(["a funny kiss"])
    assert list(answer["probabilities"]) == ["comedy", "drama", "romance"]
    assert answer["labels"] == [n for n, p in answer["probabilities"].items() if p >= 0.5]
    floor = run(compose([*given, "model=bag_of_words"]))
    assert floor.test is not None and floor.test["micro_f1"] > 0.95
