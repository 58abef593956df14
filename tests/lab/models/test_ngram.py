"""Interpolated Kneser-Ney against the formula, written down once more without arrays."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest

from seqnorm.lab.data.next_tokens import labelled_with_next
from seqnorm.lab.data.spec import IGNORED, Dataset, Sequences, Split, Vocabulary
from seqnorm.lab.data.vocabulary import SPECIAL, START
from seqnorm.lab.models.ngram import NGram

WORDS = [*SPECIAL, *"abcd"]


def data(rows: list[list[int]]) -> Split:
    part = Split(Sequences.from_rows([[START, *row] for row in rows]), np.zeros(len(rows)))
    return labelled_with_next(Dataset("own", part, part, part, (), Vocabulary(WORDS))).test


def drawn(number: int, seed: int) -> list[list[int]]:
    """Rows in which some tokens follow others more often."""
    rng, rows = np.random.default_rng(seed), []
    for _ in range(number):
        row = [int(rng.integers(2, 7))]
        while len(row) < rng.integers(2, 9):
            row.append(2 + (row[-1] * 2 + int(rng.integers(0, 2))) % 5)
        rows.append(row)
    return rows


def by_hand(rows: list[list[int]], order: int):
    """p(token | tokens before), with dictionaries."""
    raw: dict[int, Counter] = {length: Counter() for length in range(1, order + 1)}
    for row in rows:
        told = [START, *row]
        for end in range(1, len(told)):
            for length in range(1, min(order, end + 1) + 1):
                raw[length][tuple(told[end + 1 - length : end + 1])] += 1
    adjusted = {order: raw[order]}
    for length in range(1, order):
        before: dict[tuple, set] = defaultdict(set)
        for gram in raw[length + 1]:
            before[gram[1:]].add(gram[0])
        adjusted[length] = Counter(
            {g: n if g[0] == START else len(before[g]) for g, n in raw[length].items()}
        )

    def probability(token: int, context: tuple[int, ...]) -> float:
        lower = probability(token, context[1:]) if context else 1 / (len(WORDS) - 2)
        counts = adjusted[len(context) + 1]
        once = sum(n == 1 for n in counts.values())
        twice = sum(n == 2 for n in counts.values())
        discount = once / (once + 2 * twice) if once else 0.5
        after = {g[-1]: n for g, n in counts.items() if g[:-1] == context}
        if not after:
            return lower
        kept = max(after.get(token, 0) - discount, 0)
        return (kept + discount * len(after) * lower) / sum(after.values())

    return probability


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_probabilities_are_those_of_the_formula_and_sum_to_one(order):
    learnt, asked = drawn(30, 0), [*drawn(5, 1), [6, 6, 6]]
    model = NGram(len(WORDS), len(WORDS), order)
    model.fit(data(learnt))
    probability = by_hand(learnt, order)
    part = data(asked)
    found = model.log_probabilities(part)[part.labels.values != IGNORED]
    told = [[START, *row] for row in asked]
    contexts = [
        (row[end], tuple(row[max(0, end - order + 1) : end]))
        for row in told
        for end in range(1, len(row))
    ]
    np.testing.assert_allclose(np.exp(found), [probability(*each) for each in contexts], rtol=1e-12)
    for _, context in contexts:
        assert sum(probability(token, context) for token in range(2, 7)) == pytest.approx(1)


def test_a_restored_model_says_what_comes_after_a_row():
    model, again = (NGram(len(WORDS), len(WORDS), 3) for _ in range(2))
    model.fit(data(drawn(30, 0)))
    again.restore(model.arrays())
    probability = by_hand(drawn(30, 0), 3)
    asked = [[START, 3, 4], [START], [START, 6, 6, 6]]
    for row, found in zip(asked, again.outputs(Sequences.from_rows(asked)), strict=True):
        wanted = [0, 0, *(probability(token, tuple(row[-2:])) for token in range(2, 7))]
        np.testing.assert_allclose(np.exp(found[0]), wanted, rtol=1e-12)
    assert again.parameters == model.parameters


def test_steps_that_are_not_asked_for_cost_nothing():
    model, part = NGram(len(WORDS), len(WORDS)), data([[3, 4, 3], [4]])
    model.fit(part)
    costs = model.log_probabilities(part)
    assert (costs == 0).tolist() == [False, False, False, True, False, True]
    # 3, 4; START 3, 3 4, 4 3, START 4; START 3 4, 3 4 3; START 3 4 3
    assert model.parameters == 2 + 4 + 2 + 1
