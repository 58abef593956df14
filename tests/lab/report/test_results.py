"""results/ remakes itself, and the main tables and the table of studies say what it holds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from seqnorm.lab.report.arms.floors import floor_scores
from seqnorm.lab.report.page.report import write_report
from seqnorm.lab.report.statistics.estimates import mean_estimate, paired_estimate
from tests.lab.report.published import (
    COLUMNS,
    ROOT,
    by_norm,
    cell_text,
    published,
    short,
)

FOLDERS = sorted(path.parent for path in ROOT.glob("results/*/runs.csv"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_results_remake_themselves_byte_for_byte(folder: Path, tmp_path: Path) -> None:
    write_report([folder], tmp_path / "again", pages=False)
    for name in ("runs.csv", "findings.json"):
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes(), name


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_results_name_no_folder_of_the_machine_that_made_them(folder: Path) -> None:
    text = (folder / "findings.json").read_text(encoding="utf-8")
    commands = re.findall(r'"command":"((?:[^"\\]|\\.)*)"', text)
    assert commands and not [each for each in commands if re.search(r"(^|[=' ])/", each)]


def main_table(first: str) -> dict[str, list[str]]:
    """Cells of the table whose heading begins so, by their row; bold is taken off."""
    text = (ROOT / "docs/results.md").read_text(encoding="utf-8")
    pattern = rf"^\| {re.escape(first)} \|.*\n\|[-|]+\n((?:\|.*\n)+)"
    (table,) = re.findall(pattern, text, re.MULTILINE)
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    return {row[0].split(",")[0]: [cell.replace("**", "") for cell in row[1:]] for row in rows}


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_the_main_table_is_that_of_the_results(cell: str) -> None:
    table = main_table(f"{cell.upper()} | IMDB")
    for norm in ("none", "layer", "rms", "batch"):
        cells = []
        for name in COLUMNS:
            ours, none = (by_norm(name, cell)[each].values("accuracy") for each in (norm, "none"))
            cells.append(cell_text(mean_estimate(list(ours.values()))))
            cells.append("" if norm == "none" else cell_text(paired_estimate(ours, none), True))
        assert table[norm] == cells


def test_its_floors_are_those_of_the_results() -> None:
    table = main_table("LSTM | IMDB")
    floors = [floor_scores(published(name)) for name in COLUMNS]
    words = ["" if floor is None else short(floor["accuracy"]) for floor in floors]
    assert table["bag of words"] == [text for each in words for text in (each, "")]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_table_of_studies(folder: Path) -> None:
    assert study_row(folder.name) in (ROOT / "docs/results.md").read_text(encoding="utf-8")


def study_row(name: str) -> str:
    """A study's runs, trials, seeds, hours and commits, as docs/results.md names them."""
    runs, everything = published(name).runs, published(name).everything
    seeds = sorted({run.result.seed for run in runs})
    assert seeds == list(range(len(seeds)))
    hours = sum(run.result.train_seconds for run in everything) / 3600
    commits = {run.environment["git"]["commit"][:7] for run in everything}
    trials = len(everything) - len(runs)
    cells = (f"`{name}`", len(runs), trials or "", len(seeds), f"{hours:.1f}")
    written = " | ".join([*map(str, cells), ", ".join(sorted(commits))])
    return f"| {written} |".replace("|  |", "| |")
