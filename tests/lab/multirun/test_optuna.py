"""A search for the best settings: which runs can win it, and what is kept."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.lab.multirun.conftest import LATEST, Start
from tests.lab.multirun.stand_in.seeds import DIVERGES, FAILS
from tests.tiers import exhaustive

pytest.importorskip("hydra_plugins.hydra_optuna_sweeper")

SEARCH = [
    "hydra/sweeper=optuna", "hydra/sweeper/sampler=random", "hydra.sweeper.sampler.seed=1",
    "hydra.sweeper.n_trials=8",
]  # fmt: skip


@exhaustive
def test_neither_a_diverged_run_nor_a_failed_one_wins_and_the_best_is_printed(
    tmp_path: Path, start: Start
):
    process = start(f"seed=choice(7,{FAILS},{DIVERGES})", *SEARCH)
    out, err = process.communicate(timeout=LATEST)
    made = {path.name for path in tmp_path.glob("runs/seed*")}
    assert made == {"seed7", f"seed{FAILS}", f"seed{DIVERGES}"}
    assert process.returncode == 1 and "of 8 jobs failed:" in err
    assert "best validation accuracy 0.0700: seed=7\n" in out
    (kept,) = tmp_path.glob("runs/.multirun/*/optimization_results.yaml")
    assert yaml.safe_load(kept.read_text())["best_params"] == {"seed": 7}
    assert f"kept in {kept}\n" in out


@exhaustive
def test_a_search_in_which_nothing_comes_to_a_result_says_so(start: Start):
    process = start(f"seed=choice({FAILS},{DIVERGES})", *SEARCH)
    _, err = process.communicate(timeout=LATEST)
    assert process.returncode == 1 and "Traceback" not in err
    assert "the sweep has no best setting: every job failed or diverged" in err


@exhaustive
def test_failures_count_for_the_rate_that_ends_a_search(start: Start):
    process = start(f"seed=choice({FAILS})", *SEARCH, "hydra.sweeper.max_failure_rate=0.4")
    _, err = process.communicate(timeout=LATEST)
    assert process.returncode == 1 and "Traceback" not in err
    assert "the sweep was given up: more jobs failed than hydra.sweeper.max_failure_rate" in err
    assert f"  [seed={FAILS}] no such data\n" in err


def test_a_search_for_the_worst_setting_is_refused(start: Start):
    process = start("seed=choice(7)", *SEARCH, "hydra.sweeper.direction=minimize")
    _, err = process.communicate(timeout=LATEST)
    assert process.returncode == 1 and "Traceback" not in err
    assert (
        "a search for the highest validation accuracy needs hydra.sweeper.direction=maximize" in err
    )
