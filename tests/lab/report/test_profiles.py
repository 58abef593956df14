"""Arrays of probes, by layer, and their mean over runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from seqnorm.lab.report.page.report import write_report
from seqnorm.lab.report.statistics.profiles import arm_profiles, layer_profiles
from seqnorm.lab.runs.read import read_run
from tests.lab.report.fabricate import fabricate_run


def test_sorted_by_layer_in_order_of_appearance() -> None:
    rng = np.random.default_rng(0)
    names = (
        "zeta/input/mean",
        "zeta/recurrent/mean",
        "zeta/recurrent/spread",
        "zeta/joint/mean",  # after the recurrent one, which it must not replace
        "zeta/joint/spread",
        "zeta/gradient_norm",
        "both/forward/joint/mean",
        "both/forward/joint/distance",
        "both/forward/state/mean",
        "empty/state/mean",
        "rows",
    )
    arrays = {name: rng.normal(size=5) for name in names}
    first, second = layer_profiles(arrays)
    assert (first.name, second.name) == ("zeta", "both/forward")
    assert first.arrays == {
        "mean": arrays["zeta/recurrent/mean"],
        "spread": arrays["zeta/recurrent/spread"],
        "gradient_norm": arrays["zeta/gradient_norm"],
        "rows": arrays["rows"],
    }
    assert list(second.arrays) == ["mean", "distance", "rows"]
    assert second.arrays["mean"] is arrays["both/forward/joint/mean"]
    assert layer_profiles({"rows": arrays["rows"]}) == []


def test_distance_of_gates_and_candidate() -> None:
    rng = np.random.default_rng(0)
    names = ("mean", "gates/distance", "candidate/distance")
    arrays = {
        f"gru/recurrent{'_' if '/' in name else '/'}{name}": rng.normal(size=5) for name in names
    }
    (layer,) = layer_profiles(arrays)
    mean, gates, candidate = arrays.values()
    np.testing.assert_array_equal(layer.arrays["mean"], mean)
    np.testing.assert_allclose(layer.arrays["distance"], (gates + candidate) / 2)


def test_mean_over_the_runs_that_were_probed(tmp_path: Path) -> None:
    folders = [fabricate_run(tmp_path, norm="batch", seed=seed) for seed in (1, 2)]
    folders.append(fabricate_run(tmp_path, norm="batch", seed=3, probes=False))
    runs = [read_run(folder) for folder in folders]
    (layer,) = arm_profiles(runs)
    arrays = [run.probes() for run in runs[:2]]
    for name in ("mean", "spread", "distance"):
        expected = np.mean([a[f"lstm/recurrent/{name}"] for a in arrays], axis=0)
        np.testing.assert_allclose(layer.arrays[name], expected)
    assert np.isnan(layer.arrays["mean"][-3:]).all()
    assert arm_profiles(runs[2:]) == []


def test_a_caption_explains_the_panels_that_are_drawn(tmp_path: Path) -> None:
    fabricate_run(tmp_path, norm="layer")
    page = write_report([tmp_path], pictures=False).path.read_text(encoding="utf-8")
    assert "Spread: standard deviation" in page and "By valid rows: the mean" in page
    assert "Distance (batch normalisation only)" not in page  # no arm has such statistics
