"""Results that are kept name no folder of the machine they were made on."""

from __future__ import annotations

import json
import shutil
import tomllib
from pathlib import Path

import pytest

from seqnorm.lab.report.page.report import write_report
from seqnorm.lab.runs.portable import (
    COMMANDS,
    portable_environment,
    portable_name,
    portable_value,
)
from tests.lab.report.fabricate import change_result, fabricate_run
from tests.lab.report.page_text import page_text

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (
            "/home/a/bin/seqnorm-train runs_dir=/data/first seed=1",
            "seqnorm-train runs_dir=runs/first seed=1",
        ),
        ("compare.py data.dir=/data", "seqnorm-compare 'data.dir=<folder>'"),
        (["train.py", "runs_dir=here"], "seqnorm-train runs_dir=here"),
        ("/home/a/seqnorm/scripts/bench.py", "seqnorm-bench"),
        ("/home/a/lib/seqnorm/lab/commands/compare.py -m", "seqnorm-compare -m"),
        ("/home/a/seqnorm/scripts/demo.py seed=1", "python scripts/demo.py seed=1"),
        ("scripts/demo.py", "python scripts/demo.py"),
        ("/home/a/train.py", "python '<folder>/train.py'"),
        ("/home/a/lib/pytest/__main__.py", "python '<folder>/__main__.py'"),
        (
            "seqnorm-compare 'compare.arms=[\"norm=none,layer\"]'",
            "seqnorm-compare 'compare.arms=[\"norm=none,layer\"]'",
        ),
    ],
)
def test_commands(command: str | list[str], expected: str) -> None:
    once = portable_environment({"command": command, "python": "3.11"})
    assert once == {"command": expected, "python": "3.11"}
    assert portable_environment(once) == once


def test_commands_of_a_run_that_went_on() -> None:
    command, expected = "compare.py data.dir=/data", "seqnorm-compare 'data.dir=<folder>'"
    found = portable_environment({"command": command, "resumed": [{"command": command}] * 2})
    assert found == {"command": expected, "resumed": [{"command": expected}] * 2}
    assert portable_environment(found) == found


def test_every_command_that_a_page_can_name_is_installed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {f"seqnorm-{name}" for name in COMMANDS} == set(project["scripts"])
    for name in COMMANDS:
        assert project["scripts"][f"seqnorm-{name}"] == f"seqnorm.lab.commands:seqnorm_{name}"


def test_values() -> None:
    assert portable_value("data.dir", "/data") == "<folder>"
    assert (
        portable_value("runs_dir", "/x/runs/a") == portable_value("runs_dir", "runs/a") == "runs/a"
    )
    assert portable_value("compare.settings_of", "/x/results") == "<folder>"
    assert portable_value("compare.settings_of", "results/a") == "results/a"
    assert portable_value("data.dir", None) is None and portable_value("seed", 3) == 3
    assert portable_environment({}) == {}
    assert (
        portable_name("../a/b: c") == "..-a-b-c" and portable_name("batch_size=2") == "batch_size=2"
    )


def test_no_file_of_a_report_names_the_machine_s_folders(tmp_path: Path) -> None:
    runs = tmp_path / "runs" / "first"
    changes = {"data.dir": str(tmp_path / "data"), "runs_dir": str(runs)}
    folder = fabricate_run(runs, changes=changes)
    environment = json.loads((folder / "environment.json").read_text())
    environment["command"] = f"{tmp_path}/bin/seqnorm-train data.dir={tmp_path} runs_dir={runs}"
    (folder / "environment.json").write_text(json.dumps(environment))
    fabricate_run(runs, seed=2, finished=False)
    copy = tmp_path / "runs" / "second" / folder.name
    shutil.copytree(folder, copy)
    change_result(copy, test__accuracy=0.9)
    out = write_report([runs, copy.parent], pictures=False).path.parent
    for path in out.iterdir():
        assert str(tmp_path) not in path.read_text(encoding="utf-8"), path.name
    page = page_text(out / "report.html")
    assert "seqnorm-train 'data.dir=<folder>' runs_dir=runs/first" in page
    assert f"second/{folder.name} counts, whose result differs from that of first/" in page
