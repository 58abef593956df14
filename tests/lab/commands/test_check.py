"""The command: which checks run, what is printed, and the exit code."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from seqnorm.checks import CHECKS, run
from seqnorm.checks.row import at_most
from seqnorm.lab.commands import check as cli

FAST = ("zero-vector", "variance")


def test_a_subset_as_tables(capsys):
    assert cli.main(FAST) == 0
    text = capsys.readouterr().out
    assert text.index("zero-vector: ") < text.index("variance: ")
    assert "  ok  layer at 0, ε = 1e-05                316.228      316.228" in text
    assert "FAIL" not in text
    assert "22 of 22 rows passed in " in text


def test_json_holds_the_same_rows(capsys):
    assert cli.main(["--json", "zero-vector"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["passed"] is True
    (check,) = document["checks"]
    assert check["name"] == "zero-vector"
    assert check["rows"] == [row._asdict() for row in run("zero-vector")]


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_row_that_fails(options, capsys, monkeypatch):
    rows = [at_most("fine", 1, 0, "here"), at_most("broken", 1, float("nan"), "here")]
    monkeypatch.setattr(cli, "run", lambda name: rows)
    assert cli.main(["variance", *options]) == 1
    text = capsys.readouterr().out
    if options:
        document = json.loads(text, parse_constant=pytest.fail)
        assert document["passed"] is False
        assert [row["measured"] for row in document["checks"][0]["rows"]] == [0.0, "nan"]
    else:
        assert "  ok  fine" in text
        assert "  FAILbroken" in text
        assert "1 of 2 rows passed" in text


def test_a_check_that_raises_has_failed_and_the_others_still_run(capsys, monkeypatch):
    def broken(name: str) -> list:
        if name == "variance":
            raise KeyError("lost")
        return [at_most("fine", 1, 0, "here")]

    monkeypatch.setattr(cli, "run", broken)
    assert cli.main(["variance", "small-n"]) == 1
    shown = capsys.readouterr()
    assert "FAILraised KeyError: 'lost'" in shown.out and "  ok  fine" in shown.out
    assert "1 of 2 rows passed" in shown.out and "Traceback" in shown.err


def test_unknown_names_list_the_known_ones(capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["variance", "wariance"])
    assert caught.value.code == 2
    error = capsys.readouterr().err
    assert "unknown check wariance; choose from invariance, parity" in error
    with pytest.raises(ValueError, match=r"name='wariance'\. Choose one of: invariance, parity"):
        run("wariance")


def test_help_lists_every_check_and_loads_no_tensorflow():
    code = (
        "import sys; from seqnorm.lab.commands.check import build_parser; "
        "print(build_parser().format_help()); sys.exit('tensorflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert all(f"  {name} " in done.stdout for name in CHECKS)
