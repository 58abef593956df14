"""Right parts pass, and each fault is found by the name of the property that it breaks."""

from __future__ import annotations

import ast
import io
import random
import re
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from seqnorm import normalizers
from seqnorm.checks.layers import numpy
from seqnorm.testing import (
    ConformanceError,
    cell_checks,
    check_cell,
    check_normalizer,
    normalizer_checks,
)
from seqnorm.testing.subject import Subject
from tests.testing import parts
from tests.tiers import exhaustive

SLOW = ("compiled", "fresh_process")  # seconds each; the right parts go through them


def power_norm(norm, x):
    mean = np.mean((x**2 + 1e-2) ** (norm.power / 2), -1, keepdims=True) ** (1 / norm.power)
    y = x / mean * numpy(norm.gamma)
    return y if norm.beta is None else y + numpy(norm.beta)


def leaky_step(cell, x, states):
    (h,) = states
    products = x @ numpy(cell.kernel) + h @ numpy(cell.recurrent_kernel)
    h = 0.5 * h + 0.5 * np.tanh(products + numpy(cell.bias))
    return h, [h]


RIGHT = [
    *normalizer_checks(parts.PowerNorm(3.0), reference=power_norm),
    *cell_checks(parts.LeakyCell(4, norm="none"), reference=leaky_step),
]


@pytest.mark.parametrize(
    ("name", "check"), [pytest.param(*each, id=f"{i}-{each[0]}") for i, each in enumerate(RIGHT)]
)
def test_a_right_part_passes(name, check):
    check()


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_shows_which_property_is_checked_and_nothing_in_the_end(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    with pytest.raises(ConformanceError):
        check_normalizer(parts.CutNorm(), checks=["gradient", "serialisation"])
    first, second, left = sys.stderr.getvalue().split("\r\x1b[K")[1:]
    assert first.endswith("checking gradient, 1 of 2 ...") and "serialisation, 2 of 2" in second
    assert left == ""


def found(check, part, **options):
    with pytest.raises(ConformanceError) as caught:
        check(part, **{"skip": SLOW, **options})
    return caught.value


NORMS = [
    (parts.CutNorm(), {"gradient"}),
    (parts.MixingNorm(), {"batch_mates", "unpadded"}),
    pytest.param(parts.PositionNorm(), {"permutation", "unpadded"}, marks=exhaustive),
    (parts.ForgetfulNorm(power=3.0), {"serialisation"}),
    pytest.param(parts.UnregisteredNorm(), {"serialisation"}, marks=exhaustive),
]


@pytest.mark.parametrize(("norm", "names"), NORMS, ids=lambda x: type(x).__name__)
def test_a_wrong_norm_is_found(norm, names):
    failures = found(check_normalizer, norm).failures
    assert {failure.property for failure in failures} == names
    for failure in failures:
        assert f"with {type(norm).__name__} (" in failure.input
        assert failure.found != failure.expected and failure.found in str(failure)


def test_a_norm_that_leaves_half_precision_is_found():
    (failure,) = found(check_normalizer, parts.OverflowingNorm(), checks=["finite"]).failures
    assert "mixed_float16" in failure.input and failure.expected == "a finite number"


SEQUENCE = {"name": "batch", "input_statistics": "sequence", "max_steps": 4}
CELLS = [
    (parts.CentringCell(4, norm=SEQUENCE), "padding"),
    (parts.CountingCell(4), "pure"),
    (parts.RememberingCell(4), "pure"),
    (parts.RememberingCell(4), "padding"),
    (parts.AppendingCell(4), "pure"),
    (parts.CutCell(4), "gradient"),
    (parts.LeakyCell(4, norm=parts.MixingNorm()), "batch_mates"),
]


@pytest.mark.parametrize(("cell", "name"), CELLS, ids=lambda x: getattr(x, "NAME", None) or x)
def test_a_wrong_cell_is_found(cell, name):
    (failure,) = found(check_cell, cell, checks=[name]).failures
    assert failure.property == name and type(cell).__name__ in failure.input


def test_a_cut_gradient_names_what_it_is_by():
    (failure,) = found(check_normalizer, parts.CutNorm(), checks=["gradient"]).failures
    assert "along a random change of" in failure.what and "everything" not in failure.what
    assert float(failure.found) != float(failure.expected.split(",")[0])


def test_a_wrong_reference_is_found():
    def wrong(norm, x):
        return power_norm(norm, x) + 1.0

    (failure,) = found(
        check_normalizer, parts.PowerNorm(), reference=wrong, checks=["reference"]
    ).failures
    assert failure.what.startswith("the norm at 'input'")


def test_a_norm_that_mixes_rows_and_says_so_passes():
    check_normalizer(
        normalizers.BatchNorm(max_steps=4), checks=["permutation", "batch_mates", "chunks"]
    )


def test_what_a_part_raises_is_a_failure():
    class Raising(normalizers.Normalizer):
        def call(self, x, context):
            raise KeyError("gone")

    (failure,) = found(check_normalizer, Raising(), checks=["chunks"]).failures
    assert failure.found == "KeyError: gone"


def test_one_cause_is_said_once_in_one_line_and_without_what_surrounds_it():
    """As TensorFlow says it in a layer's call: in colours, among Keras's own lines."""

    class Coloured(normalizers.Normalizer):
        def call(self, x, context):
            raise ValueError(
                "Exception encountered when calling NormRNN.call().\n\n\x1b[1mcannot add a double"
                "\x1b[0m\n\nArguments received by NormRNN.call():\n  • sequences=tf.Tensor(...)"
            )

    error = found(check_normalizer, Coloured(), checks=["chunks", "permutation"])
    assert {each.property for each in error.failures} == {"chunks", "permutation"}
    assert str(error) == (
        "`permutation`, `chunks` do not hold for NormLSTMCell with Coloured (float64): it raised. "
        "Received: ValueError: cannot add a double. Required: no error."
    )


def test_a_failure_shows_the_input_of_its_row():
    (failure,) = found(check_normalizer, parts.MixingNorm(), checks=["batch_mates"]).failures
    row = Subject(parts.LeakyCell(4), 3).case("float64", "no mask").x[0]
    assert "(training=True)[0, " in failure.what
    shown = np.array(ast.literal_eval(failure.values))
    np.testing.assert_allclose(shown, row, atol=6e-4)
    assert str(failure).endswith(f" The input of that row: {failure.values}.")
    (failure,) = found(check_normalizer, parts.CutNorm(), checks=["gradient"]).failures
    assert not failure.values  # no single row is at fault


def test_the_message_on_the_page_is_what_is_printed():
    page = (Path(__file__).parents[2] / "docs" / "testing.md").read_text(encoding="utf-8")
    (quoted,) = re.findall(r"```text\n(`batch_mates`.*?)\n```", page, flags=re.DOTALL)

    class MeanOfTheBatch(normalizers.Normalizer):
        def call(self, x, context):
            return x - keras.ops.mean(x, axis=-2, keepdims=True), None

    said = str(found(check_normalizer, MeanOfTheBatch(), checks=["batch_mates"]))
    words = [re.sub(r"-?\d+(\.\d*)?(e-\d+)?", "#", text).split() for text in (quoted, said)]
    assert words[0] == words[1]


def test_names_are_checked():
    with pytest.raises(ValueError, match=r"Unknown property\. Received: paddings\. Choose out of"):
        check_cell(parts.LeakyCell(4), skip=["paddings"])
    with pytest.raises(ValueError, match=r"fresh_process\. Did you mean gradient\?$"):
        check_cell(parts.LeakyCell(4), checks=["gradeint"])
    with pytest.raises(ValueError, match=r"cell='lstmm'\. Choose one of: .* Did you mean lstm\?$"):
        check_normalizer(parts.PowerNorm(), cell="lstmm")


@pytest.mark.parametrize(
    ("check", "given", "advice"),
    [
        (check_normalizer, "layer", r"norm='layer'\. Pass LayerNorm\(\)\."),
        (check_normalizer, parts.PowerNorm, r"PowerNorm'>\. Pass PowerNorm\(\)\."),
        (check_normalizer, 3, r"norm=3\.$"),
        (check_cell, "gru", r"cell='gru'\. Pass NormGRUCell\(units\)\."),
        (check_cell, parts.LeakyCell, r"LeakyCell'>\. Pass LeakyCell\(units\)\."),
        (check_cell, None, r"cell=None\.$"),
    ],
)
def test_what_is_no_part_is_answered_with_what_to_pass(check, given, advice):
    with pytest.raises(TypeError, match=advice):
        check(given)


def test_a_class_of_a_script_cannot_be_loaded_elsewhere(monkeypatch):
    monkeypatch.setattr(parts.PowerNorm, "__module__", "__main__")
    (failure,) = found(
        check_normalizer, parts.PowerNorm(), checks=["fresh_process"], skip=()
    ).failures
    assert "a module of its own" in failure.expected


def test_the_weights_are_the_same_every_time_and_nobody_elses_draws_move():
    cell = parts.LeakyCell(4, norm="layer")

    def first_weights():
        return Subject(cell, 3).case("float64", "right").start

    random.seed(1)
    expected = random.random()
    random.seed(1)
    first = first_weights()
    assert random.random() == expected
    for a, b in zip(first, first_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_cases_that_share_a_layer_begin_from_the_same_weights():
    """Also where a call of one has moved the statistics before the other is made."""
    subject = Subject(parts.LeakyCell(4, norm={"name": "batch", "max_steps": 4}), 3)
    before = subject.case("float64", "right")
    before.run(True)
    after = subject.case("float64", "empty row")
    assert after.layer is before.layer
    for a, b in zip(before.start, after.start, strict=True):
        np.testing.assert_array_equal(a, b)
