"""The benchmark of freed memory trains a recipe and counts."""

from __future__ import annotations

import pytest

from seqnorm.lab.bench.freed import UNITS, main, measure

RECIPE = ["data=synthetic", "cell.units=4"]


def test_a_step_is_measured() -> None:
    found = measure(RECIPE, 2)
    assert list(found) == list(UNITS)
    assert found["wall"] > 0 and found["cpu"] > 0 and found["pages"] >= 0


def test_more_steps_than_there_are_batches_are_refused() -> None:
    with pytest.raises(SystemExit, match="received --steps=100000"):
        measure(RECIPE, 100_000)


def test_a_process_that_failed_ends_the_benchmark(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        main([*RECIPE, "--steps=100000", "--rounds=1"])
    assert raised.value.code == 1
    assert "received --steps=100000" in capfd.readouterr().err
