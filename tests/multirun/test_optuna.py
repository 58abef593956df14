"""A search for the best settings: which runs can win it, and what is kept."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.multirun.conftest import Start
from tests.multirun.stand_in.seeds import DIVERGES, FAILS

pytest.importorskip("hydra_plugins.hydra_optuna_sweeper")

GRID = ["hydra/sweeper=optuna", "hydra/sweeper/sampler=grid"]


def test_neither_a_diverged_run_nor_a_failed_one_wins_and_the_best_is_printed(
    tmp_path: Path, start: Start
):
    process = start(f"seed=3,{FAILS},{DIVERGES},7", *GRID)
    out, err = process.communicate(timeout=100)
    assert process.returncode == 1  # one has failed
    assert "best validation accuracy 0.0700: seed=7\n" in out
    assert f"1 of 4 jobs failed:\n  [seed={FAILS}] no such data\n" in err
    (kept,) = tmp_path.glob("runs/.multirun/*/optimization_results.yaml")
    assert yaml.safe_load(kept.read_text())["best_params"] == {"seed": 7}
    assert f"kept in {kept}\n" in out


def test_a_search_in_which_nothing_comes_to_a_result_says_so(start: Start):
    process = start(f"seed={FAILS},{DIVERGES}", *GRID)
    _, err = process.communicate(timeout=100)
    assert process.returncode == 1 and "Traceback" not in err
    assert "the sweep has no best setting: every job failed or diverged" in err


def test_failures_count_for_the_rate_that_ends_a_search(tmp_path: Path, start: Start):
    process = start(f"seed={FAILS},1", *GRID, "hydra.sweeper.max_failure_rate=0.4")
    _, err = process.communicate(timeout=100)
    assert process.returncode == 1 and "Traceback" not in err
    assert "the sweep was given up: more jobs failed than hydra.sweeper.max_failure_rate" in err
    assert f"  [seed={FAILS}] no such data\n" in err
