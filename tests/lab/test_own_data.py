"""The page about texts of one's own, done as it says, and what is left of its runs."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest
import yaml

from seqnorm.lab.commands.train import main as train
from seqnorm.lab.config.compose import compose
from seqnorm.lab.runs.naming import config_hash
from seqnorm.lab.runs.read import read_run
from tests.lab.data.own import load
from tests.tiers import exhaustive

PAGE = (Path(__file__).parents[2] / "docs" / "own_data.md").read_text(encoding="utf-8")
SMALL = ["train.epochs=1", "cell.units=4", "model.embedding=4", "data.max_length=12"]
SMALL += ["model.bidirectional=false", "train.probe_every=0"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where the rows of the page are."""
    monkeypatch.chdir(tmp_path)
    code = re.search(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    exec(code.group(1), {})
    return tmp_path


def shown(command: str) -> list[str]:
    line = next(line for line in PAGE.splitlines() if line.startswith(f"{command} data=files"))
    return shlex.split(line)[1:]


@exhaustive
def test_the_training_of_the_page_and_its_repetition(folder):
    assert train([*shown("seqnorm-train"), *SMALL]) == 0
    (run,) = (folder / "runs").iterdir()
    result = json.loads((run / "result.json").read_text())
    assert (result["data"], result["status"]) == ("files", "completed")
    config = yaml.safe_load((run / "config.yaml").read_text())
    assert config["data"]["train"] == "reviews.csv"
    assert train(["--from", str(run), "runs_dir=again", "seed=0"]) == 0
    (again,) = (folder / "again").iterdir()
    assert json.loads((again / "result.json").read_text())["config_hash"] == result["config_hash"]


def test_a_run_on_several_files_names_no_folder_and_can_be_repeated(folder):
    shutil.copy("reviews.csv", "more.csv")
    names = f"data.train=[{folder}/reviews.csv,{folder}/more.csv]"
    given = [word for word in shown("seqnorm-train") if not word.startswith(("data.train", "norm"))]
    assert train([*given, names, "model=bag_of_words"]) == 0
    (run,) = (folder / "runs").iterdir()
    record = read_run(run)
    first, second = record.config["data.train"]
    assert first.endswith(">/reviews.csv") and second.endswith(">/more.csv")
    kept = [record.config, record.environment, record.result.to_json()]
    assert str(folder) not in json.dumps(kept)
    assert train(["--from", str(run), "runs_dir=again"]) == 0


def test_runs_on_different_files_are_different_runs():
    def name(train: str) -> str:
        return config_hash(compose(["data=files", f"data.train={train}"]))

    assert len({name(each) for each in ("a/x.csv", "b/x.csv", "/c/x.csv", "/d/x.csv")}) == 4


def test_missing_files_are_refused_before_anything_heavy(folder, capsys, monkeypatch):
    def never(*_):
        raise AssertionError("loaded")

    monkeypatch.setattr("seqnorm.lab.commands.train.require_tensorflow", never)
    assert train([*shown("seqnorm-train"), "data.train=nothing.csv"]) == 1
    assert "has no nothing.csv" in capsys.readouterr().err
    assert not (folder / "runs").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ((4, "3,x,5"), "missing column"),  # of a label that is misspelt
        ((4, '3,"",5'), "empty text"),
        ((4, "3,x,NaN"), "label that is missing"),
        ((4, "3,a,b,5"), "broken row"),
        ((4, "3,caf\xe9,5"), "wrong encoding"),
        ((4, "id,review,stars"), "two headers"),
    ],
)
def test_the_messages_of_the_page_are_those_that_are_given(folder, change, said):
    number, line = change
    lines = Path("reviews.csv").read_text(encoding="utf-8").splitlines()
    lines[number] = line
    Path("reviews.csv").write_text("\n".join(lines) + "\n", encoding="latin-1")
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| {said} |")]
    expected = row.split(" | ")[1].removesuffix(" |").strip("`")
    keys = {"label": "star"} if said == "missing column" else {}
    with pytest.raises(ValueError) as caught:
        load(train="reviews.csv", **keys)
    assert str(caught.value) == expected
