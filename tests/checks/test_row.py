"""Rows pass where they should, and fail where they should."""

from __future__ import annotations

import pytest

from seqnorm.checks.row import at_least, at_most, near

NAN = float("nan")


@pytest.mark.parametrize(
    ("row", "passed"),
    [
        (near("", 2, 2, ""), True),
        (near("", 2, 2.0000001, ""), False),
        (near("", 100, 101.9, "", relative=0.02), True),
        (near("", 100, 97.9, "", relative=0.02), False),
        (near("", -100, -101.9, "", relative=0.02), True),
        (near("", 0, 1e-10, "", absolute=1e-9), True),
        (near("", 0, -1e-8, "", absolute=1e-9), False),
        (near("", 0, NAN, "", absolute=1e9), False),
        (at_most("", 1, 1, ""), True),
        (at_most("", 1, 1.1, ""), False),
        (at_most("", 1, NAN, ""), False),
        (at_least("", 1, 1, ""), True),
        (at_least("", 1, 0.9, ""), False),
        (at_least("", 1, NAN, ""), False),
    ],
)
def test_passed(row, passed):
    assert row.passed is passed


def test_tolerance_in_words():
    rows = near("", 1, 1, ""), near("", 1, 1, "", absolute=1e-9), near("", 1, 1, "", relative=0.02)
    assert [row.tolerance for row in rows] == ["equal", "± 1e-09", "± 2%"]
    assert near("", 1, 1, "", relative=1e-6).tolerance == "relative 1e-06"
