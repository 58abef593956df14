"""Tables: the right numbers in the right cells."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from seqnorm.analysis.arms import Comparison
from seqnorm.analysis.grouping import compare
from seqnorm.analysis.records import read_runs
from seqnorm.analysis.statistics import Interval
from seqnorm.analysis.tables import (
    Table,
    arm_table,
    difference_table,
    format_interval,
    settings_table,
)
from tests.analysis.fabricate import fabricate_run


@pytest.fixture
def comparison(tmp_path: Path) -> Comparison:
    for seed, plain, layer in ((1, 0.80, 0.82), (2, 0.81, 0.85), (3, 0.85, 0.87)):
        fabricate_run(tmp_path, norm="none", seed=seed, accuracy=plain, seconds=10.0 * seed)
        fabricate_run(tmp_path, norm="layer", seed=seed, accuracy=layer, seconds=20.0 * seed)
    fabricate_run(tmp_path, norm="none", seed=4, diverged=True, seconds=5.0)
    fabricate_run(tmp_path, norm="batch", seed=9, accuracy=0.9, macro_f1=0.6)
    (comparison,), _ = compare(read_runs([tmp_path])[0])
    return comparison


def test_arm_table(comparison: Comparison) -> None:
    table = arm_table(comparison)
    assert table.headings[:5] == ("arm", "runs", "diverged", "accuracy", "95 %")
    none, batch, layer = table.rows
    # 0.80, 0.81, 0.85 and 0.5 of the run that diverged: mean 0.74
    assert none[:4] == ("lstm none", "4", "1", "0.7400")
    assert batch == ("lstm batch", "1", "0", "0.9000", "-", "0.6000", "-", "30.0", "-")
    # 0.82, 0.85, 0.87: mean 0.846667, s = 0.025166, * 4.302653 / sqrt(3) = 0.062516
    assert layer[3:5] == ("0.8467", "±0.0625")
    # 20, 40, 60: s = 20, * 4.302653 / sqrt(3) = 49.68
    assert layer[7:] == ("40.0", "±49.7")


def test_difference_table(comparison: Comparison) -> None:
    table = difference_table(comparison)
    assert table is not None
    batch, layer = table.rows
    assert batch[:5] == ("lstm batch", "lstm none", "0", "-", "-")
    # Seeds 1, 2, 3 match: 0.02, 0.04, 0.02, mean 0.026667, s = 0.011547, * 2.484138 = 0.028684
    assert layer[:5] == ("lstm layer", "lstm none", "3", "+0.0267", "±0.0287")
    assert layer[7] == "+20.0"


def test_no_baseline_no_differences(tmp_path: Path) -> None:
    fabricate_run(tmp_path, norm="layer")
    (comparison,), _ = compare(read_runs([tmp_path])[0])
    assert difference_table(comparison) is None


def test_settings_table_states_the_constants_of_each_norm(comparison: Comparison) -> None:
    none, batch, layer = settings_table(comparison).rows
    assert none == ("lstm none", "-", "1, 2, 3, 4")
    assert "norm.gamma=0.1" in batch[1] and "norm.momentum=0.99" in batch[1]
    assert "norm.gamma=1.0" in layer[1] and "norm.epsilon=1e-05" in layer[1]


def test_format_interval() -> None:
    assert format_interval(Interval(0.87123, 0.00412, 5), 4) == ("0.8712", "±0.0041")
    assert format_interval(Interval(0.5, 0.1, 2), 1, signed=True) == ("+0.5", "±0.1")
    assert format_interval(Interval(0.87123, math.nan, 1), 2) == ("0.87", "-")
    assert format_interval(Interval(math.nan, math.nan, 0), 2) == ("-", "-")


def test_markdown_is_aligned_and_escaped() -> None:
    table = Table(("arm", "n"), (("a|b", "1"), ("longer name", "1000")))
    assert table.markdown().splitlines() == [
        "| arm         |    n |",
        "| ----------- | ---: |",
        "| a\\|b        |    1 |",
        "| longer name | 1000 |",
    ]
