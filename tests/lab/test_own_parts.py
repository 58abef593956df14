"""The page about parts of one's own, done as it says: nothing edited, all from the command line."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from seqnorm.lab.config import imports
from seqnorm.lab.runs.read import read_run
from tests.lab.report.page_text import page_text
from tests.processes import command, script
from tests.tiers import exhaustive

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "own_parts.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(# (\S+/\S+)\n.*?)```", PAGE, flags=re.DOTALL)
FILES = {name: text for text, name in BLOCKS}
FILES |= dict(re.findall(r"here `(\S+.yaml)`:\n\n```yaml\n(.*?)```", PAGE, flags=re.DOTALL))
SMALL = ["train.epochs=1", "cell.units=4", "runs_dir=runs", "optim.learning_rate=0.01"]
TEXTS = ["data=synthetic", "data.examples=120", "data.test_examples=40", "data.max_length=12"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of a user's own, with the files of the page."""
    home = tmp_path_factory.mktemp("home")
    for name, text in FILES.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text, encoding="utf-8")
    (home / "mylab" / "__init__.py").touch()
    return home


def test_the_page_has_its_files() -> None:
    assert set(FILES) == {
        *(f"mylab/{name}.py" for name in ("norms", "cells", "data", "models", "tasks")),
        "mine/experiment/power.yaml",
    }


@pytest.fixture(scope="module")
def trained(folder: Path) -> list[Path]:
    """All four parts at once, and norm=none beside the user's own."""
    found = command(
        "train", folder, "-m", "imports=[mylab.norms,mylab.cells,mylab.data,mylab.models]",
        "cell=min_gru", "norm=none,power", "data=brackets", "data.examples=150",
        "model=residual", *SMALL,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    return sorted((folder / "runs").iterdir())


def test_code_that_has_changed_since_is_said(folder: Path, tmp_path: Path) -> None:
    for name in ("mylab/__init__.py", "mylab/norms.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    multirun = ("-m", "imports=[mylab.norms]", "norm=power", *TEXTS, *SMALL)
    _, again = (command("train", tmp_path, *multirun) for _ in range(2))
    (run,) = (tmp_path / "runs").iterdir()
    assert "is this run, finished" in again.stdout and "has changed" not in again.stderr
    digest = json.loads((run / "environment.json").read_text())["parts"]["mylab.norms"]
    assert re.fullmatch("[0-9a-f]{12}", digest)
    (tmp_path / "mylab" / "norms.py").write_text(FILES["mylab/norms.py"] + "\n# once more\n")
    changed = command("train", tmp_path, *multirun)
    assert "is this run, finished" in changed.stdout
    assert f"mylab.norms has changed since 1 of 1 runs were made (such as runs/{run.name})" in (
        changed.stderr
    )
    comparison = ("imports=[mylab.norms]", "compare.arms=['norm=none,power']", "compare.trials=0",
                  "compare.seeds=1", "compare.floors=0", *TEXTS, *SMALL)  # fmt: skip
    made = command("compare", tmp_path, *comparison)
    assert made.returncode == 0 and "has changed" not in made.stderr, made.stderr
    (tmp_path / "mylab" / "norms.py").write_text(FILES["mylab/norms.py"])
    other = command("compare", tmp_path, *comparison)
    assert "mylab.norms has changed since 1 of 2 runs were made" in other.stderr, other.stderr


def test_four_parts_of_ones_own_train(trained: list[Path]) -> None:
    results = [json.loads((run / "result.json").read_text()) for run in trained]
    assert {(r["data"], r["cell"], r["norm"]) for r in results} == {
        ("brackets", "min_gru", "none"),
        ("brackets", "min_gru", "power"),
    }
    assert {r["status"] for r in results} == {"completed"}


def test_the_run_says_where_they_came_from(trained: list[Path]) -> None:
    (own,) = [run for run in trained if "-power-" in run.name]
    text = (own / "config.yaml").read_text()
    assert (
        "# cell=min_gru is of mylab.cells\n" in text and "# norm=power is of mylab.norms\n" in text
    )
    config = yaml.safe_load(text)
    assert config["norm"] == {"name": "power", "power": 2.0, "epsilon": 1e-5, "gamma": 1.0}
    assert config["imports"][0] == "mylab.norms"


def test_the_kept_model_loads_where_the_module_is_imported(
    trained: list[Path], folder: Path
) -> None:
    (own,) = [run for run in trained if "-power-" in run.name]
    found = script(
        f"import sys; sys.path.insert(0, {str(folder)!r}); import keras, mylab.norms, mylab.cells; "
        f"print(keras.models.load_model({str(own / 'model.keras')!r}).count_params() > 0)"
    )
    assert found.stdout == "True\n", found.stderr


@exhaustive
def test_a_comparison_and_its_report_treat_it_as_any_arm(folder: Path) -> None:
    _experiments(folder)
    arms = 'compare.arms=["norm=none,power"]'
    made = command(
        "compare", folder, "--config-dir", "several", "experiment=imported", *TEXTS, arms,
        "compare.name=power",
        "compare.trials=1", "compare.finalists=0", "compare.seeds=1", "compare.floors=0",
        "train.epochs=1", "cell.units=4", "model.bidirectional=false", "train.probe_every=0",
        "compare.workers=1",
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    assert re.search(r"lstm power", made.stdout)
    report = command("report", folder, "runs/power")
    assert report.returncode == 0 and "lstm power" in report.stdout


@exhaustive
def test_a_task_of_ones_own_is_trained_compared_and_reported(folder: Path) -> None:
    """Its score is an error: the lowest is the best."""
    made = command(
        "compare", folder, "imports=[mylab.tasks]", "task=count", "task.delta=4", *TEXTS,
        "data.max_length=40", 'compare.arms=["norm=none,layer"]', "compare.name=count",
        "compare.trials=2", "compare.finalists=0", "compare.seeds=1",
        "train.epochs=1", "cell.units=4", "model.bidirectional=false", "train.probe_every=0",
        "compare.workers=1",
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    assert "1 test run of each, into" in made.stdout and "model=bag_of_words" not in made.stdout
    runs = [read_run(path.parent) for path in (folder / "runs/count").glob("*/result.json")]
    tested: dict[str, float] = {}
    for run in runs:
        assert run.result.task.name == "count" and run.config["task.delta"] == 4
        assert "# task=count is of mylab.tasks\n" in (run.folder / "config.yaml").read_text()
        if run.result.test is not None:
            tested[run.result.norm] = run.result.test["error"]
    best = min(tested, key=lambda norm: tested[norm])
    # The report knows nothing of the module.
    report = command("report", folder, "runs/count", "--no-pictures")
    assert report.returncode == 0, report.stderr
    assert "synthetic, count" in report.stdout and "Median length: error" in report.stdout
    page = page_text(folder / "runs/count/report/report.html")
    assert f"Lowest mean test error: lstm {best} with {tested[best]:.2f}, " in page
    assert re.search(r" the median length with \d+\.\d\d[.:]", page)
    assert "Error by length" in page and "accuracy" not in page
    # Of two trials the one with the lower error was tested.
    for norm in tested:
        own = [run for run in runs if run.result.norm == norm]
        trials = {run.config["optim.learning_rate"]: run.result for run in own if run.result.trial}
        chosen = min(trials, key=lambda rate: trials[rate].validation_score)
        rates = {run.config["optim.learning_rate"] for run in own if not run.result.trial}
        assert rates == {chosen}


def test_a_bag_of_words_is_no_floor_of_another_task(folder: Path) -> None:
    given = ["imports=[mylab.tasks]", "task=count", "model=bag_of_words", *TEXTS]
    found = command("train", folder, *given)
    assert found.returncode == 1
    assert "model=bag_of_words can do task=classification or multilabel on rows" in found.stderr


def test_an_experiment_file_may_name_the_imports(folder: Path) -> None:
    given = ["--config-dir", "mine", "experiment=power", *TEXTS, *SMALL, "--cfg", "job"]
    # Anew, as the console script: the current folder is no place to import from.
    found = subprocess.run(
        [sys.executable, "-P", "-m", "seqnorm.lab.commands.train", *given],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
    )  # fmt: skip
    assert found.returncode == 0 and not found.stderr  # where the module loads Keras, it is quiet
    assert yaml.safe_load(found.stdout)["norm"] == {
        "name": "power", "power": 3.0, "epsilon": 1e-5, "gamma": 1.0,
    }  # fmt: skip


@pytest.mark.parametrize("given", ["imported,plain", "plain,imported"])
def test_several_experiment_files_may_name_them(
    folder: Path, given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = _experiments(folder)
    asked: list[str] = []
    monkeypatch.setattr(imports, "load_parts", asked.extend)
    imports.load_parts_of([f"experiment={given}"], [mine])
    assert asked == ["mylab.norms"]


def _experiments(folder: Path) -> Path:
    experiments = folder / "several" / "experiment"
    experiments.mkdir(parents=True, exist_ok=True)
    text = "# @package _global_\ndefaults:\n  - override /data: synthetic\n  - _self_\n"
    (experiments / "plain.yaml").write_text(text)
    (experiments / "imported.yaml").write_text(f"{text}imports: [mylab.norms]\n")
    return folder / "several"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["imports=[mylab.norms]", "norm=power", "norm.pwer=3"], "Did you mean power?"),
        (["imports=[mylab.norms]", "norm=powr"], "Did you mean power?"),
        (
            ["imports=[mylab.norms]", "norm=power", "norm.power=-1"],
            "norm.power must be a positive number; received norm.power=-1.0.",
        ),
        (["imports=[mylab.nroms]", "norm=power"], "received imports=[mylab.nroms]"),
        (["imports=mylab.norms"], "imports must be a list of modules, as in imports=[mylab.norms]"),
        (
            ["norm=power"],
            "One of your own needs imports=[MODULE], the module that",
        ),
    ],
)
def test_mistakes_are_named(folder: Path, arguments: list[str], message: str) -> None:
    found = command("train", folder, *arguments)
    assert found.returncode == 1 and message in found.stderr.splitlines()[-1]
    assert "Traceback" not in found.stderr


def test_help_lists_it(folder: Path) -> None:
    found = command("train", folder, "imports=[mylab.norms]", "--help")
    line = "power        Divides each row by a power mean of its features. [mylab.norms]"
    assert line in found.stdout
