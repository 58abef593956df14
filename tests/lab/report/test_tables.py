"""Tables: the right numbers in the right cells."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from seqnorm.lab.report.arms.arms import Comparison
from seqnorm.lab.report.arms.grouping import compare
from seqnorm.lab.report.findings.evidence import gather
from seqnorm.lab.report.page.comparison_tables import pairs_table, robust_table
from seqnorm.lab.report.page.report import write_report
from seqnorm.lab.report.page.tables import Table, settings_table
from seqnorm.lab.runs.find import read_runs
from tests.lab.report.fabricate import fabricate_run
from tests.lab.report.page_text import page_text


@pytest.fixture
def comparison(tmp_path: Path) -> Comparison:
    for seed, plain, layer in ((1, 0.80, 0.82), (2, 0.81, 0.85), (3, 0.85, 0.87)):
        fabricate_run(tmp_path, norm="none", seed=seed, accuracy=plain, seconds=10.0 * seed)
        fabricate_run(tmp_path, norm="layer", seed=seed, accuracy=layer, seconds=20.0 * seed)
    fabricate_run(tmp_path, norm="none", seed=4, diverged=True, seconds=5.0)
    fabricate_run(tmp_path, norm="batch", seed=9, accuracy=0.9, macro_f1=0.6)
    (comparison,), _ = compare(read_runs([tmp_path])[0])
    return comparison


def test_robust_table_is_of_all_runs_with_bootstrap_intervals(comparison: Comparison) -> None:
    none, batch, layer, majority, words = robust_table(comparison).rows
    # 0.80, 0.81, 0.85 and 0.5 of the run that diverged: mean 0.74, the middle two 0.805
    assert (none[:2], none[3], none[-2:]) == (("lstm none", "0.7400"), "0.8050", ("4", "1"))
    assert batch == ("lstm batch", "0.9000", "-", "0.9000", "-", "0.6000", "-", "1", "0")
    # 0.82, 0.85, 0.87: of three values the interval reaches from the lowest to the highest
    assert layer[1:3] == ("0.8467", "0.8200–0.8700")
    assert majority[:2] == ("majority class", "0.5000") and words[1] == "not run"


def test_pairs_table_is_by_seed(comparison: Comparison) -> None:
    table = pairs_table(comparison, gather(comparison))
    assert table is not None
    batch, layer = table.rows
    assert batch[:5] == ("lstm batch", "lstm none", "0", "-", "-")
    # Seeds 1, 2, 3 match: 0.02, 0.04, 0.02
    assert layer[:5] == ("lstm layer", "lstm none", "3", "+0.0267", "+0.0200 to +0.0400")
    # 12 pairs: 0.82 beats 0.80, 0.81 and 0.5; 0.85 these and ties with 0.85; 0.87 beats all four
    assert layer[5] == "+0.0267"  # of macro-F1, which lies a hundredth below
    assert layer[7] == f"{(3 + 3.5 + 4) / 12:.2f}"


def test_terminal_and_page_say_the_same(comparison: Comparison, tmp_path: Path) -> None:
    report = write_report([tmp_path], tmp_path / "out", pictures=False)
    page, html = page_text(report.path), report.path.read_text(encoding="utf-8")
    for row in [*robust_table(comparison).rows, *pairs_table(comparison, gather(comparison)).rows]:  # type: ignore[union-attr]
        for text in (report.text, page):
            assert any(re.split(r" *\| *", line)[1:-1] == list(row) for line in text.splitlines())
        assert f">{row[0]}</th>" in html and all(f">{cell}</td>" in html for cell in row[1:])
    assert "Student" not in report.text + page


def test_no_baseline_no_differences(tmp_path: Path) -> None:
    fabricate_run(tmp_path, norm="layer")
    (comparison,), _ = compare(read_runs([tmp_path])[0])
    assert pairs_table(comparison, gather(comparison)) is None


def test_settings_table_states_the_constants_of_each_norm(comparison: Comparison) -> None:
    none, batch, layer = settings_table(comparison).rows
    assert none == ("lstm none", "-", "1, 2, 3, 4")
    assert "norm.gamma=0.1" in batch[1] and "norm.momentum=0.99" in batch[1]
    assert "norm.gamma=1.0" in layer[1] and "norm.epsilon=1e-05" in layer[1]


def test_markdown_is_aligned_and_escaped() -> None:
    table = Table(("arm", "n"), (("a|b", "1"), ("longer name", "1000")))
    assert table.markdown().splitlines() == [
        "| arm         |    n |",
        "| ----------- | ---: |",
        "| a\\|b        |    1 |",
        "| longer name | 1000 |",
    ]
