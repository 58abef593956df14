"""What the page says and draws of arms that were tuned, broke down, or vary in a setting."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from seqnorm.lab.report.arms.trials import tried_alike
from seqnorm.lab.report.findings.collect import collect
from seqnorm.lab.report.findings.evidence import gather
from seqnorm.lab.report.page.charts import DotChart, LineChart, Row
from seqnorm.lab.report.page.comparison_tables import cost_table, tuning_table
from seqnorm.lab.report.page.section import Section, make_section
from tests.lab.report.fabricate import fabricate_run, fabricate_trial, named, only


def test_an_arm_without_finalists_has_no_best_finalist(tmp_path: Path) -> None:
    for norm, seeds in (("none", 1), ("layer", 2)):
        for rate in (0.001, 0.002):
            for seed in range(1000, 1000 + seeds if rate > 0.001 else 1001):
                fabricate_trial(tmp_path, norm, seed, rate, 0.8)
        fabricate_run(tmp_path, norm=norm, changes=named(norm, optim__learning_rate=0.002))
    table = tuning_table(only(tmp_path))
    assert table is not None and table.headings[-2] == "best finalist"
    assert [row[-2] for row in table.rows] == ["-", "0.8000 (2 runs)"]


def test_an_arm_that_tried_nothing_did_not_try_the_same(tmp_path: Path) -> None:
    for rate in (0.001, 0.002):
        fabricate_trial(tmp_path, "none", 1000, rate, 0.8)
    for norm in ("none", "layer"):
        fabricate_run(tmp_path, norm=norm, changes=named(norm, optim__learning_rate=0.002))
    assert not tried_alike(only(tmp_path).arms)


def test_a_run_that_broke_down_enters_no_cost_and_no_statistic(tmp_path: Path) -> None:
    for seed, diverged in ((0, False), (1, True)):
        run = fabricate_run(tmp_path, seed=seed, seconds=1.0 if diverged else 9.0,
                            diverged=diverged)  # fmt: skip
        if diverged:
            huge = {name: 1e30 * np.ones_like(a) for name, a in np.load(run / "probes.npz").items()}
            np.savez(run / "probes.npz", **huge)
    comparison = only(tmp_path)
    evidence = gather(comparison)
    table = cost_table(comparison, evidence)
    row = dict(zip(table.headings, table.rows[0], strict=True))
    assert row["seconds"] == "9.0"
    (layers,) = (evidence.arms[one.label].layers for one in comparison.arms)
    assert all(np.nanmax(array) < 1e20 for layer in layers for array in layer.arrays.values())


def test_where_nothing_was_tuned_the_page_says_so(tmp_path: Path) -> None:
    fabricate_run(tmp_path)
    assert section_of(tmp_path).sentences[-1] == (
        "No arm was tuned here: learning rate and gain are as given, or as another comparison "
        "chose them for the cell and norm."
    )
    fabricate_trial(tmp_path, "layer", 1000, 0.001, 0.8)
    fabricate_run(tmp_path, changes=named("layer", optim__learning_rate=0.001))
    assert not any("No arm was tuned" in line for line in section_of(tmp_path).sentences)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ([], "by its learning rate. The list"),
        (["norm.gamma"], "by its learning rate; gain varies as well. The list"),
        (
            ["norm.gamma", "model.dropout", "model.embedding_dropout"],
            "by its learning rate; dropout and gain vary as well. The list",
        ),
        (
            ["norm.power", "model.dropout", "norm.gamma"],
            "by its learning rate; dropout, gain and norm.power vary as well. The list",
        ),
    ],
)
def test_what_tuning_varied_is_what_its_trials_varied(
    tmp_path: Path, keys: list[str], said: str
) -> None:
    for number in (1, 2):
        changes = named("layer", optim__learning_rate=number / 1000)
        changes |= dict.fromkeys(keys, number / 10)
        fabricate_run(tmp_path, seed=1000, trial=True, accuracy=number / 10, probes=False,
                      changes=changes)  # fmt: skip
    fabricate_run(tmp_path, probes=False, changes=changes)
    (caption,) = (each.caption for each in section_of(tmp_path).pictures if each.key == "trials")
    assert said in caption


def section_of(folder: Path) -> Section:
    *_, (comparison, evidence) = collect([folder]).comparisons
    return make_section(comparison, evidence)


def test_looks_against_a_setting_are_those_of_the_other_charts(tmp_path: Path) -> None:
    for cell, norms in (("gru", ("none", "batch")), ("lstm", ("none", "layer", "batch"))):
        for norm in norms:
            for size in (2, 8, 32):
                rate = 0.001 * size**0.5
                fabricate_run(tmp_path, cell=cell, norm=norm, probes=False,
                              changes={"data.batch_size": size, "optim.learning_rate": rate,
                                       "arm": f"cell={cell} norm={norm} "
                                       f"data.batch_size={size}"})  # fmt: skip
    comparison, evidence = collect([tmp_path]).comparisons[0]
    pictures = {picture.key: picture for picture in make_section(comparison, evidence).pictures}
    against, curves = pictures["against-batch_size"], pictures["curves"]
    assert against.arms == curves.arms
    assert [chart.title for chart in against.charts] == [
        "test accuracy, gru",
        "test accuracy, lstm",
    ]
    for chart in against.charts:
        assert isinstance(chart, LineChart)
        assert all(line.look in against.arms for line in chart.lines)
    assert "Along a line optim.learning_rate varies as well." in against.caption


def test_rows_leave_out_a_cell_that_all_arms_share(tmp_path: Path) -> None:
    for norm in ("none", "batch"):
        fabricate_run(tmp_path, norm=norm)
    labels = [row.label for row in rows_of(tmp_path)]
    assert labels == ["none", "batch"]
    fabricate_run(tmp_path, cell="gru")
    assert {row.label for row in rows_of(tmp_path)} == {"lstm none", "lstm batch", "gru layer"}


def rows_of(folder: Path) -> Sequence[Row]:
    (picture,) = (picture for picture in section_of(folder).pictures if picture.key == "accuracy")
    chart = picture.charts[0]
    assert isinstance(chart, DotChart)
    return chart.rows
