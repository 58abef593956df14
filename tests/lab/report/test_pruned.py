"""Settings that were stopped early are counted, and are no scores."""

from __future__ import annotations

from pathlib import Path

from seqnorm.lab.report.arms.trials import arm_trials, tried_alike
from seqnorm.lab.report.findings.collect import collect
from seqnorm.lab.report.findings.evidence import gather
from seqnorm.lab.report.page.comparison_tables import cost_table, tuning_table
from seqnorm.lab.report.page.report import write_report
from seqnorm.lab.runs.checkpoint import CHECKPOINT
from seqnorm.lab.runs.pruned import PRUNED, prune
from tests.lab.report.fabricate import fabricate_run, fabricate_trial, named, only

RATES = (1e-3, 2e-3, 3e-3)


def fabricate(runs: Path) -> None:
    """Two arms that have tried three rates, of which each has trained another one to its end."""
    for norm, whole in (("none", 1e-3), ("layer", 2e-3)):
        for rate in RATES:
            if rate == whole:
                fabricate_trial(runs, norm, 1000, rate, 0.8)
                continue
            changes = named(norm, optim__learning_rate=rate)
            folder = fabricate_run(
                runs, norm=norm, seed=1000, epochs=2, finished=False, changes=changes
            )
            (folder / CHECKPOINT).touch()
            prune(folder, 2, 5)
            assert not (folder / CHECKPOINT).exists()
        fabricate_run(runs, norm=norm, changes=named(norm, optim__learning_rate=whole))


def test_they_are_counted_beside_those_that_were_trained_to_their_end(tmp_path: Path) -> None:
    fabricate(tmp_path)
    found = collect([tmp_path])
    assert found.ignored == []
    comparison = only(tmp_path)
    table, cost = tuning_table(comparison), cost_table(comparison, gather(comparison))
    assert table and table.headings[:4] == ("arm", "trials", "stopped early", "optim.learning_rate")
    assert [row[1:4] for row in table.rows] == [("1", "2", "0.001"), ("1", "2", "0.002")]
    # The trial trained for 30 seconds, the others for two epochs of ten.
    assert [row[-2:] for row in cost.rows] == [("3", "0.02")] * 2
    assert tried_alike(comparison.arms)  # though other settings were trained to their end


def test_a_setting_one_of_whose_seeds_has_ended_counts_as_stopped_early(tmp_path: Path) -> None:
    fabricate(tmp_path)
    fabricate_trial(tmp_path, "none", 1001, 3e-3, 0.9)
    none, _ = only(tmp_path).arms
    assert len(none.trials) == 2 and len(arm_trials(none)) == 1


def test_findings_keep_them(tmp_path: Path) -> None:
    fabricate(tmp_path / "runs")
    first = write_report([tmp_path / "runs"], tmp_path / "kept", pages=False, pictures=False)
    again = write_report([tmp_path / "kept"], tmp_path / "again", pages=False, pictures=False)
    assert first.text == again.text
    kept = only(tmp_path / "kept")
    assert tuning_table(kept) == tuning_table(only(tmp_path / "runs"))
    assert tuning_table(only(tmp_path / "kept", tmp_path / "runs")) == tuning_table(kept)


def test_one_that_was_begun_anew_and_has_ended_is_none(tmp_path: Path) -> None:
    fabricate(tmp_path)
    (trial,) = (path for path in tmp_path.glob("*-none-s1000-*") if not (path / PRUNED).exists())
    (trial / PRUNED).write_text("{}")
    none, _ = only(tmp_path).arms
    assert (len(none.trials), len(none.pruned)) == (1, 2)
