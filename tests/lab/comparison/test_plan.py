"""Which runs a comparison is made of, before any is made."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf

from seqnorm.lab.commands.compare import HELP, announcement, help_text, main
from seqnorm.lab.comparison.config import RangeConfig
from seqnorm.lab.comparison.expand import expand
from seqnorm.lab.comparison.plan import Plan
from seqnorm.lab.comparison.progress import Progress, duration
from seqnorm.lab.comparison.settings import draw_settings
from seqnorm.lab.config.rules import ConfigError
from seqnorm.lab.config.schema import conf_dir

SMALL = ["experiment=smoke", "compare.trials=3", "compare.seeds=2", "compare.floors=1"]
NO_RECURRENCE = ["experiment=compare_imdb", "model=mlp", "compare.arms=['cell=none norm=none']"]
NO_RECURRENCE += ["norm=none", "cell=none"]
SERIES = ["data=mnist_rows", "compare.arms=['norm=none,layer']"]


def test_arms_multiply_as_in_a_multirun() -> None:
    assert expand(["cell=lstm,gru norm=none", "norm=batch norm.small_batch=naive,shrink"]) == [
        ("cell=lstm", "norm=none"),
        ("cell=gru", "norm=none"),
        ("norm=batch", "norm.small_batch=naive"),
        ("norm=batch", "norm.small_batch=shrink"),
    ]
    for arms in ([], ["norm=none", "norm=none"]):
        with pytest.raises(ConfigError, match=r"one or more different arms; received"):
            expand(arms)
    for line in ('"norm=none,layer"', "norm layer", "norm=[none"):
        with pytest.raises(ConfigError, match=f"overrides separated by spaces.*{re.escape(line)}"):
            expand([line])


def test_settings_fill_the_space_and_a_longer_list_begins_with_the_shorter() -> None:
    space = {
        "rate": RangeConfig(["a"], 1e-4, 1e-2, log=True),
        "dropout": RangeConfig(["b", "c"], 0.1, 0.5),
    }
    drawn = draw_settings(space, 64, seed=3)
    assert drawn[:16] == draw_settings(space, 16, seed=3) != draw_settings(space, 16, seed=4)[:16]
    assert all(setting["b"] == setting["c"] for setting in drawn)
    rates = np.log10([setting["a"] for setting in drawn])
    dropouts = np.array([setting["b"] for setting in drawn])
    for values, low, high in ((rates, -4, -2), (dropouts, 0.1, 0.5)):
        share = (values - low) / (high - low)
        # Even: every eighth of the range gets its eighth of the settings, give or take two.
        counts = np.histogram(share, 8, (0, 1))[0]
        assert counts.sum() == 64 and np.abs(counts - 8).max() <= 2
    assert draw_settings(space, 0, 0) == draw_settings({}, 5, 0) == []


def test_every_arm_tries_the_same_list() -> None:
    plan = Plan([*SMALL, "compare.arms=['norm=none,layer,batch']"])
    trials = list(plan.trials())
    assert len(trials) == 9 and len({job.name for job in trials}) == 9
    for number, setting in enumerate(plan.settings):
        jobs = [job for job in trials if job.number == number]
        assert [job.arm for job in jobs] == ["norm=none", "norm=layer", "norm=batch"]
        for job in jobs:
            assert job.config.optim.learning_rate == setting["optim.learning_rate"]
            assert job.config.model.dropout == setting["model.dropout"]  # type: ignore[attr-defined]
            assert getattr(job.config.norm, "gamma", None) in (None, setting["norm.gamma"])
            assert (job.config.seed, job.config.train.test) == (1000, False)
            assert job.config.study == plan.compare.name
            assert job.config.arm == job.arm


@pytest.mark.parametrize(
    ("given", "keys", "said"),
    [
        (
            NO_RECURRENCE,
            {"optim.learning_rate", "model.dropout"},
            [
                "compare.space.dropout sets model.dropout only: no arm has "
                "model.embedding_dropout.",
                "compare.space.gain is not searched: no arm has norm.gamma.",
            ],
        ),
        (
            [*SERIES, "compare.space.dropout.high=0.3"],
            {"optim.learning_rate", "model.dropout", "norm.gamma"},
            [
                "compare.space.dropout sets model.dropout only: rows of numbers have no use for "
                "model.embedding_dropout."
            ],
        ),
        ([*SERIES, "~compare.space.dropout"], {"optim.learning_rate", "norm.gamma"}, []),
        ([*SERIES, "compare.trials=0"], set(), []),
    ],
)
def test_what_no_arm_has_a_use_for_is_left_out_of_the_default_space(
    given: list[str], keys: set[str], said: list[str]
) -> None:
    plan = Plan(["compare.trials=2", *given])
    assert {key for setting in plan.settings for key in setting} == keys
    assert plan.left_out == said
    assert announcement(plan, by_default=False).splitlines()[1:] == said


def test_a_key_without_effect_that_was_asked_for_is_refused() -> None:
    asked = "compare.space.dropout.keys=[model.embedding_dropout]"
    with pytest.raises(ConfigError, match=r"rows of numbers have no use for model\.embedding_d"):
        Plan([*SERIES, "compare.trials=2", asked])


def test_a_direction_that_is_left_out_is_as_one_that_was_taken_out() -> None:
    given = [*NO_RECURRENCE, "compare.trials=3"]
    assert Plan(given).settings == Plan([*given, "~compare.space.gain"]).settings
    without = [*SMALL, "compare.trials=3"]
    null, taken_out = (
        Plan([*without, direction])
        for direction in ("compare.space.dropout=null", "~compare.space.dropout")
    )
    assert null.settings == taken_out.settings and null.left_out == taken_out.left_out
    assert all("model.dropout" not in setting for setting in null.settings)


def test_tests_take_what_was_chosen_with_fresh_seeds() -> None:
    plan = Plan([*SMALL, "compare.arms=['norm=none,layer']", "optim.beta_1=0.8"])
    jobs = list(plan.tests({"norm=none": 2, "norm=layer": 0}))
    assert [(job.arm, job.config.seed) for job in jobs] == [
        ("norm=none", 0), ("norm=layer", 0), ("norm=none", 1), ("norm=layer", 1),
    ]  # fmt: skip
    rates = [setting["optim.learning_rate"] for setting in plan.settings]
    assert [job.config.optim.learning_rate for job in jobs[:2]] == [rates[2], rates[0]]
    assert all(job.config.train.test and job.config.optim.beta_1 == 0.8 for job in jobs)  # type: ignore[attr-defined]
    (floor,) = plan.floors()
    assert (floor.arm, floor.config.model.name, floor.config.cell.name) == (
        "model=bag_of_words",
        "bag_of_words",
        "none",
    )


def test_without_trials_the_configuration_stays_as_it_is() -> None:
    plan = Plan([*SMALL, "compare.trials=0", "compare.arms=['data.batch_size=4,8']"])
    assert list(plan.trials()) == []
    assert [job.config.data.batch_size for job in plan.tests({})] == [4, 8, 4, 8]


def test_a_name_says_what_is_run_and_not_where() -> None:
    here, there, other = (
        next(Plan([*SMALL, *more]).tests({}))
        for more in (
            ["compare.trials=0", "runs_dir=a"],
            ["compare.trials=0", "runs_dir=b", "tracking=wandb", "compare.name=x"],
            ["compare.trials=0", "train.epochs=9"],
        )
    )
    assert here.name == there.name != other.name
    assert re.fullmatch(r"synthetic-lstm-none-s0-[0-9a-f]{12}", here.name)
    assert (here.folder, there.folder) == (Path("a") / here.name, Path("b") / here.name)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["compare.seeds=0"], "compare.seeds must be at least 1; received compare.seeds=0."),
        (["compare.seeds=2000"], "compare.first_trial_seed must lie above the seeds of the test;"),
        (["compare.space.gain.low=2"], "compare.space.gain needs low < high"),
        (
            ["compare.space.gain.keys=[norm.gama]"],
            "received compare.space.gain.keys=[norm.gama]: no arm has norm.gama. Did you mean "
            "norm.gamma",
        ),
        (
            ["compare.arms=['norm=batch','norm=batch norm.small_batch=shrink']"],
            "arms that differ in what is run; received ['norm=batch', 'norm=batch norm.small",
        ),
        (["optim.learning_rate=0.5"], "received optim.learning_rate=0.5. Leave it out"),
        (["compare.arms=['norm=layer norm.gamma=1']"], "received norm.gamma=1. Leave it out"),
        (["compare.trials=0", "seed=3"], "itself; received seed=3. Leave it out."),
        (["study=mine"], "itself; received study=mine. Leave it out."),
        (
            ["~compare.space.gain", "compare.space.dropout=null", "~compare.space.learning_rate"],
            "compare.space needs a direction in which settings are tried; received none, with",
        ),
        (["train.test=false"], "itself; received train.test=false."),
        (["compare.arms=[norm=none,layer]"], "Quote the whole option once for the shell"),
        (["compare.arms=[cell=lstm norm=none]"], "Quote the whole option once for the shell"),
        (["compare.arms=norm=layer"], "Quote the whole option once for the shell"),
        (["norm.gamma=0.5"], "a comparison varies"),
        (["norm.epsilon=1"], "In the arm 'norm=none': norm has no key 'epsilon'."),
        (
            ["-m"],
            "takes key=value, --plan, --config-dir, --cfg job, --version and --help only; "
            "received -m.",
        ),
        (
            ["experiment=compare_reuters", "compare.arms=['data=imdb,reuters norm=none']"],
            "received compare.arms with data=imdb,reuters.",
        ),
        (
            [*NO_RECURRENCE, "compare.space.gain.high=0.5"],
            "no arm has norm.gamma. Give others, as in compare.space.gain.keys=[optim.learning_"
            "rate], or leave the direction out: '~compare.space.gain'.",
        ),
        (
            [*NO_RECURRENCE, "~compare.space.learning_rate", "~compare.space.dropout"],
            "received gain. compare.space.gain is not searched: no arm has norm.gamma. Give",
        ),
        (["compare.arms=['norm=lyer']"], "norm=lyer is not one of the choices of norm. Did you"),
        (["compare.arms=['norm=glob(*)']"], "values that can be listed, as in norm=none,layer"),
        (["compare.arms=['norm=none compare.seeds=20']"], "received compare.seeds=20. Leave it"),
        (["compare.arms=['norm=none runs_dir=x']"], "received runs_dir=x. Leave it"),
        (["hydra/launcher=basic"], "starts its own processes"),
        (["hydra.verbose=true"], "starts its own processes"),
        (["+train.reestimat=true"], "train has no key 'reestimat'. Did you mean reestimate"),
        (
            ["~model.dropout"],
            "model.dropout: ClassifierConfig (DictConfig) does not support deletion",
        ),
        (["+compare.space.gain.hi=2"], "compare.space.gain has no key 'hi'."),
        (["runs_dir=runs/${nowhere}"], "nowhere"),
        (["compare.trails=3"], "compare has no key 'trails'. Did you mean trials"),
        (["experiment=compare_imbd"], "Did you mean compare_imdb"),
    ],
)
def test_a_mistake_is_one_message(
    overrides: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*SMALL[:1], *overrides] if "experiment" not in overrides[0] else overrides) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("seqnorm-compare: ") and message in err


def test_help_lists_experiments_and_keys(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert text.strip() == help_text().strip()
    assert all(len(line) <= 105 for line in HELP.splitlines()) and HELP.count("\\\n") == 2
    experiments = (path.stem for path in (conf_dir() / "experiment").glob("compare_*.yaml"))
    assert all(name in text for name in [*experiments, "trials: 16", "seeds: 10", "gain:"])


def test_the_configuration_that_the_arms_build_upon_is_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--cfg", "job", "data=synthetic", "compare.seeds=3"]) == 0
    shown = OmegaConf.create(capsys.readouterr().out)
    assert shown.data.name == "synthetic" and shown.compare.seeds == 3


def test_time_left_is_the_mean_of_this_session_times_what_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert [duration(s) for s in (4.4, 65, 3725)] == ["0:04", "1:05", "1:02:05"]
    now = iter([0.0, 60.0, 100.0])
    monkeypatch.setattr("seqnorm.lab.comparison.progress.time.monotonic", lambda: next(now))
    out = io.StringIO()
    progress = Progress(total=10, done=4, file=out)  # four were made in an earlier session
    progress.finished("a", "x")
    progress.finished("b", "y")
    assert out.getvalue().splitlines() == [
        "[5/10] a  x  1:00 gone, about 5:00 left",
        "[6/10] b  y  1:40 gone, about 3:20 left",
    ]


def test_devices_are_for_every_arm_and_processes_together_for_none() -> None:
    plan = Plan([*SMALL, "train.strategy=mirrored", "train.replicas=2"])
    assert {job.config.train.strategy for job in plan.trials()} == {"mirrored"}
    with pytest.raises(ConfigError, match=r"is for one run.*received it in a comparison"):
        Plan([*SMALL, "train.strategy=multi_worker"])
