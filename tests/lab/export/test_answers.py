"""What a graph answers is what the task says to a person."""

from __future__ import annotations

import numpy as np
import pytest

from seqnorm.lab.tasks import TASKS

RNG = np.random.default_rng(3)
NAMES = ("a", "b", "c")
SHAPES = {
    "classification": (4, 3),
    "multilabel": (4, 3),
    "regression": (4, 1),
    "tagging": (4, 5, 3),
    "language_model": (4, 5, 3),
}


def said(name: str, answer: dict, row: dict) -> None:
    """Compares one row's tensors with the task's answer."""
    if name == "regression":
        assert row["number"] == pytest.approx(answer["number"])
        return
    if name in ("classification", "language_model"):
        key = "label" if name == "classification" else "next"
        number = row[key] if name == "classification" else row[key][-1]
        assert NAMES[number] == answer[key]
        likely = row["probabilities"] if name == "classification" else row["probabilities"][-1]
        wanted = [answer["probabilities"][each] for each in NAMES]
        np.testing.assert_allclose(likely, wanted, atol=1e-6)
    elif name == "tagging":
        assert [NAMES[number] for number in row["labels"]] == answer["labels"]
        np.testing.assert_allclose(row["probabilities"].sum(axis=-1), 1, atol=1e-6)
    else:
        assert [each for each, has in zip(NAMES, row["labels"], strict=True) if has] == answer[
            "labels"
        ]
        np.testing.assert_allclose(row["probabilities"], [*answer["probabilities"].values()], 1e-5)


@pytest.mark.parametrize("name", SHAPES)
def test_every_task_says_in_a_graph_what_it_says_to_a_person(name):
    task = TASKS[name]()
    output = RNG.normal(size=SHAPES[name]).astype(np.float32)
    output[0, ..., :] = 0.25  # the first of equal ones
    tensors = {key: np.asarray(each) for key, each in task.exported(output).items()}
    for row, logits in enumerate(output):
        answer = task.answer(logits, NAMES)
        said(name, answer, {key: each[row] for key, each in tensors.items()})


def test_no_task_of_ours_is_left_out():
    assert set(SHAPES) == {name for name, task in TASKS.items() if "exported" in vars(task)}
