"""Flags anywhere, folders of choices of one's own, and a run made again from its folder."""

from __future__ import annotations

import re
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from seqnorm.lab.config.arguments import for_hydra
from seqnorm.lab.config.compose import compose
from seqnorm.lab.config.rules import ConfigError
from seqnorm.lab.config.schema import RunConfig


def test_flags_may_stand_between_overrides():
    typed = ["norm=layer", "--cfg", "job", "seed=1", "--resolve", "cell=gru"]
    assert for_hydra(typed) == ["norm=layer", "seed=1", "cell=gru", "--cfg", "job", "--resolve"]
    assert for_hydra(["seed=1", "--info", "cell=gru"]) == ["seed=1", "cell=gru", "--info"]
    assert for_hydra(["--info", "config", "seed=1"]) == ["seed=1", "--info", "config"]


@pytest.mark.parametrize("flag", ["--config-path", "--config-name", "-cn", "--experimental-rerun"])
def test_another_configuration_is_refused_with_the_way_to_run_a_folder_again(flag):
    with pytest.raises(ConfigError, match="--from RUN makes the run of a folder again"):
        for_hydra([flag, "x"])


@pytest.mark.parametrize(
    ("typed", "advice"),
    [
        ("--fron runs/a", "there is no flag --fron. Did you mean --from"),
        ("--xyz", "there is no flag --xyz. The flags are --from, --config-dir, "),
        ("--cfg job -m seed=1,2", "--cfg and -m do not go together. Keep one of them."),
        ("--cfg job seed=1,2", "of one run is shown; received seed=1,2. Give one value."),
        ("--info norm=none,layer", "of one run is shown; received norm=none,layer. Give one"),
    ],
)
def test_flags_that_cannot_be_meant_are_told_what_to_write(typed, advice):
    with pytest.raises(ConfigError, match=re.escape(advice)):
        for_hydra(typed.split())


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("train/default.yaml", "Rename it, as in train/my_default.yaml."),
        ("config.yaml", "Rename it, as in my_config.yaml."),
        ("norm/mine.yml", "Rename it to mine.yaml."),
    ],
)
def test_a_choice_that_would_be_passed_over_is_refused(name, advice, tmp_path):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("epochs: 1\n")
    with pytest.raises(ConfigError, match=re.escape(advice)):
        for_hydra(["--config-dir", str(tmp_path)])
    with pytest.raises(ConfigError, match=re.escape(advice)):
        for_hydra([f"--config-dir={tmp_path}"])


def folder_of(config: RunConfig, tmp_path: Path) -> Path:
    folder = tmp_path / "a run (1)"
    folder.mkdir(exist_ok=True)
    (folder / "config.yaml").write_text(OmegaConf.to_yaml(asdict(config)))
    (folder / "environment.json").write_text("{}")
    return folder


def again(folder: Path, *overrides: str) -> RunConfig:
    return compose(for_hydra(["--from", str(folder), *overrides]))


SEVERAL = [
    ["experiment=demo", "norm=batch", "norm.epsilon=0.5", "seed=7", "data.max_length=33"],
    ["experiment=recipe_reuters_before", "norm=keras_batch", "data.dir='/a b/ü'"],
    ["model=bag_of_words", "data=reuters_r8"],
    ["model=convnet", "data=mnist", "norm.gamma_regularizer={class_name: L2, config: {l2: 0.1}}"],
    ["cell=gru", "cell.sites=[input]", "optim=sgd", "train.test=false"],
]


@pytest.mark.parametrize("overrides", SEVERAL)
def test_a_run_again_has_every_value_of_it(overrides, tmp_path):
    config = compose([*overrides, "runs_dir=elsewhere", "tracking=wandb", "study=g"])
    found = again(folder_of(config, tmp_path))
    # Where it goes and who is told is the command line's to say.
    plain = compose()
    theirs = {"runs_dir": plain.runs_dir, "study": None, "tracking": plain.tracking}
    assert found == replace(config, **theirs)


def test_a_run_again_takes_overrides_on_top(tmp_path):
    config = compose(["experiment=demo", "norm=batch", "norm.epsilon=0.5", "cell.units=9"])
    folder = folder_of(config, tmp_path)
    assert again(folder, "seed=3").seed == 3
    assert again(folder, "norm=layer").norm == compose().norm
    assert again(folder, "norm=batch").norm.epsilon == compose(["norm=batch"]).norm.epsilon
    assert again(folder, "norm=layer").cell == config.cell
    assert again(folder, "model=bag_of_words").norm.name == "none"
    longer = again(folder, "data.max_length=99")
    assert longer.norm.max_steps == 99 and longer.norm.epsilon == 0.5
    windows = compose(["experiment=language_model_characters", "norm=batch"])
    folder = folder_of(windows, tmp_path)
    assert again(folder, "task.window=30").norm.max_steps == 30


def test_a_run_of_before_is_read_in_the_words_of_today(tmp_path):
    config = compose(["experiment=demo", "cell.units=9"])
    before = asdict(config)
    before["task"] = "train"
    before["tracking"] |= {"group": before.pop("study"), "arm": before.pop("arm")}
    for key in ("init_state", "init_stddev"):
        del before["cell"][key]
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "config.yaml").write_text(OmegaConf.to_yaml(before))
    assert again(folder) == replace(config, runs_dir=compose().runs_dir)


def test_a_value_that_no_longer_exists_is_named(tmp_path):
    config = asdict(compose())
    config["norm"]["gone"] = 1
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "config.yaml").write_text(OmegaConf.to_yaml(config))
    with pytest.raises(ConfigError, match="norm has no key 'gone'"):
        again(folder)


def test_what_is_no_run_or_no_single_one_is_refused(tmp_path):
    folder = folder_of(compose(), tmp_path)
    for arguments, message in [
        (["--from", str(tmp_path / "nowhere")], "needs a run folder, which holds config.yaml"),
        (["--from", str(folder), "experiment=demo"], "Leave one of them out"),
        (["--from", str(folder), "--from", str(folder)], "one run is made again at a time"),
        (["--from"], "--from needs a value"),
        (["--config-dir", str(folder)], f"Write --from {folder}"),
    ]:
        with pytest.raises(ConfigError, match=re.escape(message)):
            for_hydra(arguments)
    (folder / "config.yaml").write_text("a: [")
    with pytest.raises(ConfigError, match="needs a run folder"):
        for_hydra(["--from", str(folder)])
