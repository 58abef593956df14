"""Results that grow: comparisons from several places become one page, and no run counts twice."""

from __future__ import annotations

import itertools
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from seqnorm.lab.commands.report import main
from seqnorm.lab.report.findings.collect import collect
from seqnorm.lab.report.findings.findings import load_findings
from seqnorm.lab.report.page.report import Report, write_report
from tests.lab.report.fabricate import fabricate_comparison, fabricate_run
from tests.lab.report.page_text import page_text


def floors(runs: Path, group: str = "compare_reuters") -> None:
    for seed in range(2):
        changes = {"model.name": "bag_of_words", "study": group}
        fabricate_run(
            runs, data="reuters", cell="bag_of_words", norm="none", seed=seed, accuracy=0.81,
            changes=changes, probes=False, epochs=0, texts=200, classes=5,
        )  # fmt: skip


def batch_sizes(runs: Path) -> None:
    for size in (2, 8, 32):
        fabricate_comparison(
            runs, norms=("none", "batch"), trials=0, seeds=2,
            changes={"data.batch_size": size}, name="compare_reuters_batch_size",
        )  # fmt: skip


def pages(report: Report) -> dict[str, bytes]:
    names = ("report.html", "runs.csv", "findings.json")
    return {name: (report.path.parent / name).read_bytes() for name in names}


def arm_runs(paths: list[Path], label: str) -> list[int]:
    ((comparison, _),) = collect(paths).comparisons
    return [run.result.seed for arm in comparison.arms if arm.label == label for run in arm.runs]


@pytest.fixture
def places(tmp_path: Path) -> list[Path]:
    """LSTM and GRU of one comparison, the floors in both, and another question."""
    lstm, gru, sizes = (tmp_path / name for name in ("lstm", "gru", "sizes"))
    fabricate_comparison(lstm, diverged=("batch", 1))
    fabricate_comparison(gru, cells=("gru",))
    floors(lstm)
    floors(gru)
    batch_sizes(sizes)
    return [lstm, gru, sizes]


def test_joined_findings_give_the_page_of_all_run_folders_in_any_order(
    places: list[Path], tmp_path: Path
) -> None:
    kept = [tmp_path / "results" / place.name for place in places]
    for place, out in zip(places, kept, strict=True):
        assert main([str(place), "--out", str(out), "--no-pages"]) == 0
        assert sorted(path.name for path in out.iterdir()) == ["findings.json", "runs.csv"]
    shutil.copytree(places[0], tmp_path / "together")
    for place in places[1:]:
        shutil.copytree(place, tmp_path / "together", dirs_exist_ok=True)
    expected = pages(write_report([tmp_path / "together"], tmp_path / "whole", pictures=False))
    for number, order in enumerate(itertools.permutations(kept)):
        made = write_report(order, tmp_path / f"page{number}", pictures=False)
        assert pages(made) == expected, order
    again = write_report([tmp_path / "page0"], tmp_path / "again", pictures=False)
    assert pages(again) == expected
    text = page_text(tmp_path / "whole" / "report.html")
    assert re.findall(r"^## (.*)$", text, re.M) == ["reuters", "reuters: batch size"]
    assert "| bag of words " in text and text.count("| gru batch ") >= 4
    # 3 norms x 3 seeds in two cells, 2 floors; 2 norms x 3 sizes x 2 seeds.
    assert "\n32 different runs on the test sets" in text and "left out:" not in text
    rows = expected["runs.csv"].decode().splitlines()
    assert len(rows) == 1 + 32 + 6 * 4 and len({row.split(",")[0] for row in rows}) == len(rows)


def test_pairs_are_tested_across_places(places: list[Path], tmp_path: Path) -> None:
    alone = [tmp_path / norm for norm in ("none", "layer")]
    for place in alone:
        runs = tmp_path / "runs" / place.name
        fabricate_comparison(runs, norms=(place.name,))
        write_report([runs], place, pages=False, pictures=False)
    text = write_report(alone, tmp_path / "out", pictures=False).text
    (row,) = re.findall(r"^\| lstm layer +\| lstm none .*$", text, re.M)
    assert re.search(r"\| +\d+ : \d+ \| +[\d.]+ \|$", row)


def test_results_grow_in_place(places: list[Path], tmp_path: Path) -> None:
    kept = tmp_path / "results"
    write_report([places[0]], kept, pages=False)
    write_report([kept, places[1]], kept, pages=False)
    grown = write_report([kept], tmp_path / "a", pictures=False)
    direct = write_report(places[:2], tmp_path / "b", pictures=False)
    assert pages(grown) == pages(direct)


@pytest.mark.parametrize("first", [0, 1])
def test_an_arm_of_two_places_is_taken_whole_from_one(tmp_path: Path, first: int) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    fabricate_comparison(old, norms=("none", "layer"), seeds=3)
    fabricate_comparison(new, norms=("none",), seeds=4)
    write_report([old], tmp_path / "kept", pages=False)
    paths = [tmp_path / "kept", new]
    order = [paths[first], paths[1 - first]]
    assert arm_runs(order, "lstm none") == [0, 1, 2, 3]
    assert arm_runs(order, "lstm layer") == [0, 1, 2]
    assert collect(order).ignored == []  # the three of the old one are among the four
    for gone in new.glob("*-none-s0-*"):
        shutil.rmtree(gone)
    for seed in (4, 5):
        (like,) = new.glob("*-none-s3-*")
        shutil.copytree(like, new / like.name.replace("-s3-", f"-s{seed}-"))
        result = new / like.name.replace("-s3-", f"-s{seed}-") / "result.json"
        result.write_text(result.read_text().replace('"seed": 3', f'"seed": {seed}'))
    assert arm_runs(order, "lstm none") == [1, 2, 3, 4, 5]
    (item,) = collect(order).ignored
    assert "-none-s0-" in item.folder.name and "taken whole from the one place" in item.reason


def test_a_run_that_was_unfinished_once_is_left_out_no_more(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    fabricate_comparison(runs, seeds=2)
    (last,) = runs.glob("*-layer-s1-*")
    result = (last / "result.json").rename(tmp_path / "result.json")
    write_report([runs], tmp_path / "kept", pages=False)
    assert [
        item.folder.name for item in load_findings(tmp_path / "kept/findings.json").ignored
    ] == [last.name]
    result.rename(last / "result.json")
    grown = collect([tmp_path / "kept", runs])
    assert grown.ignored == []
    assert arm_runs([tmp_path / "kept", runs], "lstm layer") == [0, 1]


def test_arms_tested_on_other_texts_are_noted(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    fabricate_comparison(runs / "a", norms=("none", "layer"))
    fabricate_comparison(runs / "b", norms=("batch",), texts=150)
    for place in ("a", "b"):
        write_report([runs / place], tmp_path / place, pages=False)
    for order in (["a", "b"], ["b", "a"]):
        ((_, evidence),) = collect([tmp_path / place for place in order]).comparisons
        assert [len(arm.answers.get("right", ())) for arm in evidence.arms.values()] == [
            200,
            0,
            200,
        ]
        (note,) = evidence.notes
        assert note.startswith("reuters, lstm batch: not in the scores by length and class: tested")
    both = tmp_path / "both"
    shutil.copytree(runs / "a", both)
    shutil.copytree(runs / "b", both, dirs_exist_ok=True)
    ((_, evidence),) = collect([*both.glob("reuters-*")]).comparisons
    (note,) = evidence.notes  # one line for all arms, and for runs if only some of an arm are apart
    assert note.startswith("lstm batch: not in the scores by length and class: tested on other")
    (run,) = both.glob("*-layer-s1-*/predictions.npz")
    (other,) = both.glob("*-batch-s1-*/predictions.npz")
    shutil.copy(other, run)
    ((_, evidence),) = collect([*both.glob("reuters-*")]).comparisons
    assert [note.split(": ")[0] for note in evidence.notes] == [f"lstm batch; {run.parent.name}"]


def test_runs_of_a_setting_that_a_later_trial_has_beaten_are_left_out(tmp_path: Path) -> None:
    own = {"study": "compare_imdb", "arm": "norm=layer"}

    def run(rate: float, accuracy: float, seed: int, trial: bool) -> Path:
        changes = {**own, "optim.learning_rate": rate}
        return fabricate_run(tmp_path, seed=seed, accuracy=accuracy, trial=trial, changes=changes)

    run(0.001, 0.80, 1000, trial=True)
    for seed in (0, 1):
        run(0.001, 0.81, seed, trial=False)
    assert arm_runs([tmp_path], "lstm layer") == [0, 1]
    run(0.002, 0.82, 1000, trial=True)
    assert arm_runs([tmp_path], "lstm layer") == [0, 1]  # nothing has been run with it yet
    better = run(0.002, 0.83, 0, trial=False)
    ((comparison, _),) = collect([tmp_path]).comparisons
    assert [run.name for run in comparison.runs] == [better.name]
    ignored = collect([tmp_path]).ignored
    assert len(ignored) == 2 and all("later trial has beaten" in item.reason for item in ignored)
    assert np.isclose(comparison.runs[0].result.test["accuracy"], 0.83)
