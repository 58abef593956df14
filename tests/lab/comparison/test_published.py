"""The published comparisons: what each preset is made of, and that its runs keep their names."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from seqnorm.lab.commands.compare import main
from seqnorm.lab.comparison.consistency import keep_settings
from seqnorm.lab.comparison.plan import Plan
from seqnorm.lab.config.schema import conf_dir
from seqnorm.lab.errors import UserError
from seqnorm.lab.report.page.report import write_report
from tests.lab.report.fabricate import fabricate_run
from tests.tiers import exhaustive

SIZES, POLICIES = "compare_reuters_batch_size", "compare_reuters_small_batch"
PADDING = "compare_reuters_padding"
ROOT = Path(__file__).parents[3]
LOW_RATE = "compare_reuters_clean_low_rate"
# The cells of each.
CURVES = {
    "compare_imdb_learning_rate": {"lstm"},
    "compare_imdb_learning_rate_gru": {"gru"},
    "compare_reuters_clean_learning_rate": {"lstm", "gru"},
}
# How many runs on the test set a comparison without trials is made of.
UNTUNED = {
    "compare_adding": 36,
    "compare_characters": 12,
    "compare_imdb_keras": 9,
    "compare_imdb_length": 45,
    "compare_imdb_readout": 36,
    "compare_japanese_vowels": 60,
    "compare_mnist_permuted": 12,
    "compare_mnist_rows": 18,
    "compare_reuters_clean_depth": 81,
    "compare_reuters_clean_readout": 270,
}
TUNED_SIZES = ["compare_reuters_tuned_batch_size", "compare_imdb_tuned_batch_size"]
EXPERIMENTS = sorted(path.stem for path in (conf_dir() / "experiment").glob("compare_*.yaml"))


@pytest.mark.parametrize(
    "experiment",
    sorted({*EXPERIMENTS} - {SIZES, POLICIES, PADDING, LOW_RATE, *CURVES, *TUNED_SIZES, *UNTUNED}),
)
def test_every_experiment_makes_a_plan(experiment: str) -> None:
    plan = Plan([f"experiment={experiment}", "compare.trials=2", "compare.seeds=1"])
    assert plan.folder == Path("runs") / experiment
    assert len(plan.arms) == 8 and len(list(plan.trials())) == 16
    assert {job.config.data.name for job in plan.tests(dict.fromkeys(plan.arms, 1))} == {
        experiment.removeprefix("compare_")
    }


@pytest.mark.parametrize(
    "experiment",
    [
        "compare_adding",
        *(pytest.param(each, marks=exhaustive) for each in UNTUNED if each != "compare_adding"),
    ],
)
def test_an_untuned_comparison_is_of_so_many_runs_and_of_one_recipe(experiment: str) -> None:
    plan = Plan([f"experiment={experiment}"])
    jobs = [job.config for job in plan.tests({})]
    assert not list(plan.trials()) and len(jobs) == UNTUNED[experiment]
    assert plan.folder == Path("runs") / experiment and plan.compare.name == experiment
    assert (
        len({(each.train.epochs, each.train.patience, each.optim.schedule) for each in jobs}) == 1
    )


@pytest.mark.parametrize(
    "experiment",
    [each if "gru" in each else pytest.param(each, marks=exhaustive) for each in CURVES],
)
def test_a_curve_has_nine_rates_of_every_norm(experiment: str) -> None:
    plan = Plan([f"experiment={experiment}"])
    jobs = [job.config for job in plan.tests({})]
    cells = CURVES[experiment]
    assert not list(plan.trials()) and len(jobs) == len(cells) * 6 * 9 * 5
    points = {(each.cell.name, each.norm.name, each.optim.learning_rate) for each in jobs}
    assert {cell for cell, *_ in points} == cells
    assert len(points) == len(cells) * 6 * 9 and len({rate for *_, rate in points}) == 9
    rest = {(each.model.dropout, each.train.epochs, each.optim.schedule) for each in jobs}  # type: ignore[attr-defined]
    assert len(rest) == 1


@pytest.mark.parametrize(
    "experiment", [TUNED_SIZES[0], pytest.param(TUNED_SIZES[1], marks=exhaustive)]
)
def test_each_size_is_tuned_by_four_rates_that_are_alike_for_all(experiment: str) -> None:
    plan = Plan([f"experiment={experiment}"])
    trials = [job.config for job in plan.trials()]
    assert len(plan.arms) == 20 and len(trials) == 4 * 20 and not plan.left_out
    sizes = {
        (each.norm.name, getattr(each.norm, "small_batch", ""), each.data.batch_size)  # type: ignore[attr-defined]
        for each in trials
    }
    assert len(sizes) == 20 and {size for *_, size in sizes} == {2, 8, 32, 64}
    assert {tuple(setting) for setting in plan.settings} == {("optim.learning_rate",)}
    rates = {each.optim.learning_rate for each in trials}
    assert rates == {0.001074, 0.002701, 0.006792, 0.01708}
    assert len([*plan.tests(dict.fromkeys(plan.arms, 0))]) == 3 * 20


def test_the_names_of_published_runs_last() -> None:
    """Their hashes have seen no task, and a comparison that goes on takes its runs up by name."""
    plan = Plan([f"experiment={LOW_RATE}"])
    with (ROOT / "results" / LOW_RATE / "runs.csv").open(newline="") as file:
        published = {row["run"] for row in csv.DictReader(file)}
    assert {job.name for job in (*plan.tests({}), *plan.floors())} == published


def test_the_low_rate_is_that_of_every_arm() -> None:
    plan = Plan([f"experiment={LOW_RATE}"])
    jobs = list(plan.tests({}))
    assert not list(plan.trials()) and len(jobs) == 40
    main = Plan(["experiment=compare_reuters_clean", "compare.trials=4"])
    for job in jobs:
        assert job.config.optim.learning_rate == 0.00832
        assert getattr(job.config.norm, "gamma", 0.2956) == 0.2956
    # One of the settings that compare_reuters_clean tries, whose runs they are but for names.
    first = main.settings[0]
    assert first["optim.learning_rate"] == 0.00832 and first["norm.gamma"] == 0.2956
    assert first["model.dropout"] == jobs[0].config.model.dropout == 0.2407  # type: ignore[attr-defined]
    assert {job.config.data.name for job in jobs} == {"reuters_clean"}


def fabricate_main(runs: Path, norms: tuple[str, ...] = ("none", "layer", "batch")) -> None:
    for place, norm in enumerate(norms):
        changes = {
            "optim.learning_rate": 0.001 * (place + 1),
            "model.name": "classifier",
            "model.dropout": 0.2,
            "arm": f"cell=lstm norm={norm}",
        }
        if norm != "none":
            changes["norm.gamma"] = 0.3
        for seed in range(2):
            fabricate_run(runs, data="reuters", norm=norm, seed=seed, changes=changes)


def test_batch_sizes_take_the_settings_of_the_main_comparison(tmp_path: Path) -> None:
    fabricate_main(tmp_path)
    assert "seeds: 5" in (conf_dir() / "experiment" / f"{SIZES}.yaml").read_text()
    few = [f"experiment={SIZES}", "compare.seeds=1"]
    plan = Plan([*few, f"compare.settings_of={tmp_path}"])
    jobs = list(plan.tests({}))
    assert list(plan.trials()) == [] and len(jobs) == 3 * 4
    for job in jobs:
        place = ["none", "layer", "batch"].index(job.config.norm.name)
        rate = 0.001 * (place + 1) * (job.config.data.batch_size / 64) ** 0.5
        assert job.config.optim.learning_rate == pytest.approx(rate, rel=1e-3)
        assert job.config.model.dropout == 0.2  # type: ignore[attr-defined]
        assert getattr(job.config.norm, "gamma", 0.3) == 0.3
    names = {(job.arm, job.config.data.batch_size) for job in jobs}
    assert len(names) == 12 and ("cell=lstm norm=batch data.batch_size=2", 2) in names
    kept = tmp_path / "kept"
    write_report([tmp_path], kept, pages=False)
    of_one = "compare.arms=['cell=lstm norm={} data.batch_size=2,8,32,128']"
    again = Plan([*few, f"compare.settings_of={kept}", of_one.format("batch")])
    own = [job.name for job in jobs if job.config.norm.name == "batch"]
    assert [job.name for job in again.tests({})] == own and len(own) == 4
    plain = Plan([*few, "compare.settings_of=null", of_one.format("none")])
    rates = {j.config.data.batch_size: j.config.optim.learning_rate for j in plain.tests({})}
    assert rates == {2: 3.536e-4, 8: 7.071e-4, 32: 1.414e-3, 128: 2.828e-3}


def test_settings_of_another_comparison_stay_those_of_the_first_start(tmp_path: Path) -> None:
    fabricate_main(tmp_path / "main")
    options = [f"experiment={SIZES}", "compare.seeds=1", f"runs_dir={tmp_path / 'sizes'}"]
    options += ["compare.arms=['cell=lstm norm=none,batch data.batch_size=2']"]
    given = [*options, f"compare.settings_of={tmp_path / 'main'}"]
    (tmp_path / "sizes").mkdir()
    for _ in range(2):
        keep_settings(Plan(given))
    for path in (tmp_path / "main").rglob("*-batch-*/config.yaml"):
        path.write_text(path.read_text().replace("learning_rate: 0.003", "learning_rate: 0.004"))
    with pytest.raises(UserError, match=r"'cell=lstm norm=batch data.batch_size=\d+' now, and"):
        keep_settings(Plan(given))


def test_policies_differ_in_nothing_but_the_policy(tmp_path: Path) -> None:
    fabricate_main(tmp_path)
    plan = Plan([f"experiment={POLICIES}", f"compare.settings_of={tmp_path}", "compare.seeds=1"])
    none, *policies = list(plan.tests({}))
    assert none.config.norm.name == "none"
    assert [job.config.norm.small_batch for job in policies] == [  # type: ignore[attr-defined]
        "naive", "running", "shrink", "renorm",
    ]  # fmt: skip
    for job in policies:
        job.config.norm.small_batch, job.config.arm = "", ""  # type: ignore[attr-defined]
    assert all(job.config == policies[0].config for job in policies)
    assert policies[0].config.data.batch_size == none.config.data.batch_size == 8


def test_the_padding_of_batches_is_all_that_differs(tmp_path: Path) -> None:
    fabricate_main(tmp_path)
    plan = Plan([f"experiment={PADDING}", f"compare.settings_of={tmp_path}", "compare.seeds=1"])
    jobs = list(plan.tests({}))
    assert [(job.config.norm.name, job.config.data.bucket) for job in jobs] == [
        (norm, bucket) for norm in ("none", "layer", "batch") for bucket in (25, 0)
    ]
    for sorted_rows, as_they_come in zip(jobs[::2], jobs[1::2], strict=True):
        for job in (sorted_rows, as_they_come):
            job.config.data.bucket, job.config.arm = 0, ""
        assert sorted_rows.config == as_they_come.config


def test_settings_that_were_not_chosen_before_are_one_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fabricate_main(tmp_path, norms=("none", "layer"))
    fabricate_run(tmp_path / "other", data="imdb")
    for folder, message in (
        (tmp_path / "absent", "needs a finished comparison; received compare.settings_of="),
        (tmp_path, "needs one arm with cell=lstm norm=batch; received"),
        (tmp_path / "other", "needs a finished comparison of data=reuters; received"),
    ):
        assert main([f"experiment={POLICIES}", f"compare.settings_of={folder}"]) == 1
        assert message in capsys.readouterr().err
    assert main([f"experiment={SIZES}", "compare.trials=2"]) == 1
    message = capsys.readouterr().err
    assert "received compare.settings_of=runs/compare_reuters with compare.trials=2" in message
    assert "received compare.rate_exponent=0.5 with compare.trials=2" in message
