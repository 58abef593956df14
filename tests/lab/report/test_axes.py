"""Axes of the page: where values lie, and which are written."""

from __future__ import annotations

import numpy as np
import pytest

from seqnorm.lab.report.page.axes import (
    apart,
    linear_ticks,
    logarithmic_ticks,
    make_axis,
    rise_by_ratios,
    two_digits,
)


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.81, 0.87, [0.82, 0.84, 0.86]),
        (0.0, 1.0, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (-0.03, 0.04, [-0.02, 0.0, 0.02, 0.04]),
        (100.0, 3000.0, [1000.0, 2000.0, 3000.0]),
    ],
)
def test_linear_ticks_are_round_and_few(low: float, high: float, ticks: list[float]) -> None:
    np.testing.assert_allclose(linear_ticks(low, high), ticks, atol=1e-12)


def test_whole_ticks_are_integers() -> None:
    assert linear_ticks(1.0, 4.0) == [1.0, 2.0, 3.0, 4.0]
    assert linear_ticks(1.0, 2.0, whole=True) == [1.0, 2.0]
    texts = [text for _, text in make_axis(np.array([1.0, 2.0, 3.0]), 0, 100).ticks]
    assert texts == ["1", "2", "3"]
    assert len(make_axis(np.array([1.0, 2.5]), 0, 100).ticks) > 2


def test_logarithmic_ticks() -> None:
    np.testing.assert_allclose(logarithmic_ticks(4e-4, 0.012), [5e-4, 1e-3, 2e-3, 5e-3, 0.01])
    np.testing.assert_allclose(
        logarithmic_ticks(1e-12, 1.0), [1e-12, 1e-10, 1e-8, 1e-6, 1e-4, 0.01, 1]
    )
    np.testing.assert_allclose(logarithmic_ticks(0.0028, 0.0043), [0.003, 0.0035, 0.004])
    assert logarithmic_ticks(0.00341, 0.00341) == [0.00341]  # of one run


@pytest.mark.parametrize(
    ("value", "text"),
    [(167.4, "170"), (800.0, "800"), (0.00337, "0.0034"), (1.0, "1"), (2.5e7, "2.5e+07")],
)
def test_two_digits(value: float, text: str) -> None:
    """Numbers of words, of rows and learning rates."""
    assert two_digits(value) == text


def test_texts_at_an_axis_do_not_touch() -> None:
    assert apart([10, 20, 40], ["0.003", "0.0034", "0.01"], letter=5) == [True, False, True]
    assert apart([10, 80], ["0.003", "0.0034"], letter=5) == [True, True]
    near = (0.003, 0.0034, 0.004, 0.3)
    texts = [text for _, text in make_axis(np.array(near), 54, 426, True, at=near).ticks]
    assert texts == ["0.003", "", "", "0.3"]


@pytest.mark.parametrize(
    ("values", "ratios"),
    [
        ((2, 8, 32, 64), True),
        ((0.0002, 0.0005, 0.001, 0.002, 0.005), True),
        ((100, 200, 400), True),
        ((0.002, 0.02), True),
        ((8.0,), True),
        ((1, 2, 3), False),
        ((0.1, 0.2, 0.3, 0.4), False),
        ((0.0, 0.001, 0.1), False),
    ],
)
def test_values_that_rise_by_ratios(values: tuple[float, ...], ratios: bool) -> None:
    assert rise_by_ratios(np.array(values, np.float64)) is ratios


def test_places_on_an_axis() -> None:
    axis = make_axis(np.array([0.0, 10.0]), 50.0, 150.0)
    np.testing.assert_allclose(axis.place([0.0, 5.0, 10.0, 99.0]), [50.0, 100.0, 150.0, 150.0])
    upwards = make_axis(np.array([1.0, 100.0]), 200.0, 0.0, logarithmic=True)
    np.testing.assert_allclose(upwards.place([1.0, 10.0, 100.0]), [200.0, 100.0, 0.0])


@pytest.mark.parametrize("value", [0.0, 0.5, -3.0])
def test_one_value_has_an_axis_around_it(value: float) -> None:
    axis = make_axis(np.array([value]), 0.0, 100.0)
    assert axis.low < value < axis.high
    assert axis.place(value) == pytest.approx(50.0)


def test_an_axis_ends_at_its_bounds() -> None:
    for values in ([0.8616], [0.9, 0.99], [1.0]):
        axis = make_axis(np.array(values), 0, 100, margin=0.06, bounds=(0.0, 1.0))
        assert axis.low < min(values) and axis.high <= 1.0
        assert max(value for value, _ in axis.ticks) <= 1.0
    assert make_axis(np.array([0.5, 1.5]), 0, 100, bounds=(0.0, 1.0)).high == 1.5


def test_ticks_can_be_given() -> None:
    axis = make_axis(np.array([2.0, 128.0]), 0, 100, True, at=(2, 8, 32, 128))
    assert axis.ticks == ((2, "2"), (8, "8"), (32, "32"), (128, "128"))
