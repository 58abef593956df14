"""The commands that the README shows are commands that exist, and its stories run."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from dataclasses import asdict
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from seqnorm.lab.comparison.plan import Plan
from seqnorm.lab.config.arguments import for_hydra, split
from seqnorm.lab.config.compose import compose
from tests import processes
from tests.tiers import exhaustive

ROOT = Path(__file__).resolve().parents[1]
BASH = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SCRIPTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
TINY = ["data=synthetic", "data.examples=80", "data.test_examples=20", "data.max_length=12"]
TINY += ["train.epochs=1", "cell.units=4", "model.bidirectional=false"]


def commands() -> list[list[str]]:
    """The command lines of all pages, comments and prompts away."""
    text = "".join("".join(BASH.findall(page.read_text(encoding="utf-8"))) for page in PAGES)
    lines = text.replace("\\\n", " ").splitlines()
    return [words for line in lines if (words := shlex.split(line, comments=True))]


COMMANDS = commands()


def given_to(command: str) -> list[list[str]]:
    """What is given to a command.

    Where a folder of one's own is needed, test_own_parts has it; searches are in lab/multirun.
    """
    given = {shlex.join(words[1:]): words[1:] for words in COMMANDS if words[0] == command}
    own = ("imports=", "--config-dir", "hydra/sweeper=")
    return [words for words in given.values() if not any(word.startswith(own) for word in words)]


COMPARISONS = given_to("seqnorm-compare")
TRAININGS = given_to("seqnorm-train")


def alternatives(overrides: list[str]) -> list[list[str]]:
    """Jobs of a multirun, as many as show each value once: which it stands beside is no matter."""
    lists = [
        [f"{key}={value}" for value in values.split(",")]
        for key, _, values in (word.partition("=") for word in overrides)
    ]
    jobs = range(max(map(len, lists)))
    return [[values[number % len(values)] for values in lists] for number in jobs]


@pytest.mark.parametrize("words", TRAININGS, ids=" ".join)
def test_every_training_that_is_shown_is_a_valid_configuration(words, tmp_path):
    if "hydra/launcher=ray" in words:
        pytest.importorskip("ray", reason="Ray and Dask ask for different versions of cloudpickle")
    overrides, flags = split(words)
    names = {flag for flag, *_ in flags}
    (tmp_path / "config.yaml").write_text(OmegaConf.to_yaml(asdict(compose())))
    again = ["--from", str(tmp_path)] if "--from" in names else []
    for job in alternatives(overrides) if "-m" in names else [overrides]:
        compose(for_hydra([*again, *job]))


@pytest.mark.parametrize(
    "overrides",
    [
        # `test_every_experiment_makes_a_plan` is about the experiments as they are.
        pytest.param(each, marks=exhaustive) if each[0].startswith("experiment=") else each
        for each in COMPARISONS
    ],
    ids=" ".join,
)
def test_every_comparison_that_is_shown_makes_a_plan(overrides):
    plan = Plan([word for word in overrides if word != "--plan"])
    assert list(plan.trials() if plan.compare.trials else plan.tests({}))


def test_every_command_that_is_shown_is_installed():
    own = {words[0] for words in COMMANDS if words[0].startswith("seqnorm-")}
    assert {"seqnorm-train", "seqnorm-report", "seqnorm-data"} <= own
    assert own <= set(SCRIPTS)


@exhaustive
def test_the_demo_trains_and_makes_its_page(tmp_path):
    code = (ROOT / "scripts" / "demo.py").read_text(encoding="utf-8")
    tiny = [word for word in TINY if word.startswith(("data.examples", "data.test", "train"))]
    done = processes.Process(code, ("demo.py", *tiny), tmp_path).end()
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "runs" / "demo" / "report" / "report.html").exists()
    assert "bag_of_words" in done.stdout


def test_the_story_of_a_researcher(tmp_path):
    """The first command of the page on little data, then the report of what it left."""
    first = next(words for words in TRAININGS if "-m" not in words and "data=imdb" in words)
    kept = [word for word in first if not word.startswith("data")]
    trained = processes.command("train", tmp_path, *kept, *TINY)
    assert trained.returncode == 0, trained.stdout + trained.stderr
    command = [Path(sys.executable).parent / "seqnorm-report", "runs"]  # as it is installed
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"lstm layer .* 1 ", done.stdout)
