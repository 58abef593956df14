"""Steps and seconds to a target, counted by hand."""

from __future__ import annotations

import math

import pytest

from seqnorm.lab.report.statistics.targets import first_reaching, time_to_target


def test_first_reaching_by_hand() -> None:
    places, values = [10.0, 20.0, 30.0, 40.0], [0.6, 0.8, 0.7, 0.9]
    assert first_reaching(places, values, 0.75) == 20.0
    assert first_reaching(places, values, 0.8) == 20.0
    assert first_reaching(places, values, 0.85) == 40.0
    assert first_reaching(places, values, 0.95) == math.inf
    assert first_reaching([], [], 0.5) == math.inf


@pytest.mark.parametrize(
    ("times", "median", "reached"),
    [
        ([10, 30, math.inf], 30, 2),
        ([10, math.inf, math.inf], math.inf, 1),
        ([10, 20, 40, math.inf], 30, 3),
        ([10, 20, math.inf, math.inf], math.inf, 2),  # half of them never get there
        ([7], 7, 1),
    ],
)
def test_a_run_that_never_gets_there_is_not_dropped(
    times: list[float], median: float, reached: int
) -> None:
    found = time_to_target(times)
    assert (found.median, found.reached, found.count) == (median, reached, len(times))


def test_no_run_has_no_time() -> None:
    assert math.isnan(time_to_target([]).median)
