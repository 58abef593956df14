"""A file is compared with the network on rows where rounding is known to matter, or not."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from seqnorm.lab.data.scale import Scale
from seqnorm.lab.export import check
from seqnorm.lab.export.answering import answering
from seqnorm.lab.export.encoding import encoding
from seqnorm.lab.export.formats import Format
from seqnorm.lab.export.rows import GIVEN, drawn_rows, given_rows
from seqnorm.lab.training import require_tensorflow


def doubling(steps: int) -> keras.Model:
    """A network that forgets no rounding: its answer is the row's number times 2**steps."""
    require_tensorflow()
    number = keras.Input((1,), name="series")
    x = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")(number)
    return keras.Model(number, {"number": x * 2.0**steps - 2.0**steps})


def checked(model: keras.Model, wrong: float) -> check.Checked:
    """Of a file whose answers to rows of 1 are off by a share of 2**steps."""
    kind = Format(
        "a test",
        write=lambda trained, model, folder: None,
        open=lambda folder: lambda rows: {"number": model.predict_on_batch(rows)["number"] + wrong},
        lacks=lambda trained: [],
    )
    return check.write_checked(None, model, kind, None, np.ones((4, 1), np.float32))


def test_a_difference_that_rounding_makes_is_said_and_no_fault():
    found = checked(doubling(10), 1e-4)
    assert found.difference == pytest.approx(1e-4, rel=1e-3)
    # One bit of the weight, 2**-23, times 2**10; and half of it, which is what a bit below 1 is.
    assert found.moved == pytest.approx(2.0**-13, rel=1e-3)
    assert "Rounding alone moves such answers of this network by up to 1e-04" in found.said("drawn")


def test_a_difference_that_rounding_does_not_make_is_a_fault():
    with pytest.raises(ValueError, match=r"0\.0002 from the network's, which rounding moves by"):
        checked(doubling(0), 2e-4)
    with pytest.raises(ValueError, match=r"0\.01 from the network's"):
        checked(doubling(10), 1e-2)
    assert "Rounding" not in checked(doubling(0), 1e-7).said("drawn")


def test_what_the_functions_of_a_runtime_come_to_is_said_and_no_fault():
    assert "as here, to 2e-05." in checked(doubling(0), 2e-5).said("drawn")


def test_what_is_not_finite_is_a_fault():
    with pytest.raises(ValueError, match="inf from the network's"):
        checked(doubling(0), np.nan)


def test_weights_are_as_before():
    model = doubling(3)
    check.moved_by_rounding(
        model, np.ones((2, 1), np.float32), model.predict_on_batch(np.ones((2, 1)))
    )
    assert model.get_weights()[0].tolist() == [[1.0]]


def test_rows_are_as_long_as_those_of_the_test_part(untrained, trained):
    few = ("data=adding", "data.examples=40", "data.test_examples=9", "task=regression")
    run = untrained(*few, "data.max_length=300")
    scaled = type(run)(**{**vars(run), "scale": Scale(run.scale.features, (9.0, 5.0), (2.0, 1.0))})
    rows = drawn_rows(scaled)
    assert rows.shape == (35, 300, 2)
    held = rows[3:]
    resting = (held == np.float32([9.0, 5.0])).mean()
    assert 0.5 < resting < 0.8 and (held[:, 1:] == held[:, :-1]).mean() > 0.9
    assert drawn_rows(type(run)(**{**vars(scaled), "longest": 40})).shape == (35, 40, 2)
    assert drawn_rows(trained).shape == (35, trained.longest)


def test_rows_of_the_user_are_read_as_they_are_answered(untrained):
    few = ("data=adding", "data.examples=40", "data.test_examples=9", "task=regression")
    run = untrained(*few, "data.max_length=4", "data.truncate=head")
    scale = Scale(run.scale.features, (9.0, 5.0), (2.0, 1.0), order=(1, 0, 2, 3, 4))
    mixed = type(run)(**{**vars(run), "scale": scale})
    row = np.arange(10.0).reshape(5, 2)
    row[2, 1] = np.nan
    rows = given_rows(mixed, [ValueError("bad"), *[row] * (GIVEN + 1)])
    assert rows.shape == (GIVEN, 4, 2)
    np.testing.assert_array_equal(rows[0], row[[1, 0, 3, 4]])
    assert encoding(mixed, answering(mixed))["order"] == (1, 0, 2, 3, 4)
    assert "order" not in encoding(run, answering(run))
