"""The whole report, from fabricated folders to files, and the command."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from seqnorm.lab.commands.report import main
from seqnorm.lab.report.page.report import write_report
from tests.lab.report.fabricate import fabricate_run
from tests.lab.report.page_text import as_row, page_text
from tests.tiers import exhaustive

ROOT = Path(__file__).parents[3]


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    folder = tmp_path / "runs"
    for norm, accuracy in (("none", 0.80), ("layer", 0.86), ("batch", 0.84)):
        for seed in (1, 2):
            score = accuracy + 0.01 * seed
            fabricate_run(folder, norm=norm, seed=seed, accuracy=score, epochs=2 + seed)
    fabricate_run(folder, data="reuters", norm="layer", seed=5, diverged=True)
    return folder


@pytest.fixture
def few_runs(tmp_path: Path) -> Path:
    """As little as a report can be about: quick where the pictures are not the subject."""
    folder = tmp_path / "few"
    for seed in (1, 2):
        fabricate_run(folder, norm="layer", seed=seed, epochs=2, probes=seed == 1)
    return folder


def test_report_writes_page_pictures_and_csv(runs: Path) -> None:
    report = write_report([runs])
    assert report.path == runs / "report" / "report.html"
    page = page_text(report.path)
    assert "7 different runs on the test sets, in 4 arms." in page
    rows = [as_row(line) for line in report.text.splitlines() if line.startswith("| lstm")]
    assert len(rows) > 4
    for row in rows:
        assert f"\n{row}\n" in page
    assert re.findall(r"^### (.*)$", page, re.M) == [
        "Test scores",
        "Against no normalisation",
        "Learning curves and cost",
        "Through time",
        "How to make it again",
        "Test scores",
        "Learning curves and cost",  # its only run diverged: no statistics of a state that broke
        "How to make it again",
    ]
    pictures = {path.name for path in report.path.parent.glob("*.png")}
    assert pictures == {
        "accuracy-imdb.png",
        "differences-imdb.png",
        "curves-imdb.png",
        "statistics-imdb-layer1.png",
        "accuracy-reuters.png",
        "curves-reuters.png",
    }
    for name in pictures:
        path = report.path.parent / name
        assert path.read_bytes().startswith(b"\x89PNG")
        assert path.with_suffix(".pdf").read_bytes().startswith(b"%PDF")
    assert "bootstrap interval over seeds" in page and "- for a single run" in page
    assert "\n| majority class | 0.5000 | " in page and "\n| bag of words | not run | " in page
    assert "Majority class: accuracy 0.5000." in report.text
    assert "Bag of words: not measured" in report.text
    assert "\nseqnorm-train data=imdb cell=lstm norm=none seed=1\n" in page
    assert "code: 0123abc (runs: 6)" in page
    assert "norm.epsilon=1e-05" in page and "data.max_length: 200" in page


def test_csv_has_one_row_per_run(runs: Path) -> None:
    fabricate_run(runs, norm="layer", seed=1, changes={"optim.learning_rate": 0.1})
    report = write_report([runs], pictures=False)
    with (report.path.parent / "runs.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    folders = {path.name for path in runs.iterdir() if path.name != "report"}
    assert {row["run"] for row in rows} == folders
    for row in rows:
        result = json.loads((runs / row["run"] / "result.json").read_text())
        assert float(row["test_accuracy"]) == result["test"]["accuracy"]
        assert (row["seed"], row["status"]) == (str(result["seed"]), result["status"])
        assert row["message"] == (result["message"] or "")
    rates = {row["optim.learning_rate"] for row in rows if row["data"] == "imdb"}
    assert rates == {"0.001", "0.1"}


@exhaustive
def test_same_folders_same_bytes(few_runs: Path, tmp_path: Path) -> None:
    first, second = (write_report([few_runs], tmp_path / name).path.parent for name in ("a", "b"))
    for path in first.iterdir():
        assert path.read_bytes() == (second / path.name).read_bytes(), path.name


def test_a_bag_of_words_is_a_row_of_the_table_and_the_floor(few_runs: Path) -> None:
    settings = {"model.name": "bag_of_words", "model.weighting": "tfidf", "train.epochs": 7}
    fabricate_run(few_runs, cell="bag_of_words", norm="none", accuracy=0.8875, changes=settings)
    report = write_report([few_runs], pictures=False)
    assert "Bag of words: accuracy 0.8875, macro-F1" in report.text
    assert "| bag of words " in report.text and "epochs=7" not in report.text
    page = page_text(report.path)
    assert "not in the learning curves" not in page


def test_without_a_bag_of_words_the_report_says_how_to_get_one(few_runs: Path) -> None:
    text = write_report([few_runs], pictures=False).text
    assert "not measured (seqnorm-train model=bag_of_words data=imdb, then report on both)" in text


def test_the_best_of_several_bags_of_words_is_the_floor(few_runs: Path) -> None:
    for weighting, accuracy in (("counts", 0.86), ("tfidf", 0.89)):
        settings = {"model.name": "bag_of_words", "model.weighting": weighting}
        fabricate_run(
            few_runs, cell="bag_of_words", norm="none", accuracy=accuracy, changes=settings
        )
    text = write_report([few_runs], pictures=False).text
    assert "Bag of words: accuracy 0.8900" in text and "weighting=counts" in text


def test_ignored_folders_are_counted_and_named(
    few_runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unfinished = fabricate_run(few_runs, seed=8, finished=False)
    corrupt = fabricate_run(few_runs, seed=9)
    (corrupt / "result.json").write_text('{"status": ')
    assert main([str(few_runs), "--no-pictures"]) == 0
    page = page_text(few_runs / "report" / "report.html")
    out = capsys.readouterr().out
    for text in (page, out):
        assert re.search(rf"{unfinished.name}: .*unfinished run.*Wait for", text)
        assert re.search(rf"{corrupt.name}: result\.json must be valid JSON.*Repeat", text)
    assert "\nRun folders left out: 2\n" in page and "\n2 different runs on the" in page
    assert "Run folders ignored: 2" in out
    assert out.rstrip().endswith(f"Report: {few_runs / 'report' / 'report.html'}")


def test_unreadable_curves_and_probes_are_noted(few_runs: Path) -> None:
    first, second = sorted(path for path in few_runs.iterdir() if path.name.startswith("imdb"))[:2]
    (first / "metrics.jsonl").unlink()
    (second / "probes.npz").write_bytes(b"broken")
    report = write_report([few_runs], pictures=False)
    page = page_text(report.path)
    for text in (page, report.text):
        assert text.count(f"{first.name}: not in the learning curves") == 1
        assert text.count(f"{second.name}: not in the statistics over time") == 1
    assert "\n2 different runs on the" in page


def test_damaged_predictions_are_noted(tmp_path: Path) -> None:
    first, second = (fabricate_run(tmp_path, seed=seed, texts=50) for seed in (1, 2))
    with np.load(first / "predictions.npz") as stored:
        arrays = dict(stored)
    np.savez_compressed(first / "predictions.npz", **{**arrays, "labels": np.arange(9000) % 7})
    content = bytearray((first / "predictions.npz").read_bytes())
    content[100:110] = bytes(10)  # inside the compressed labels: zlib, not zipfile, complains
    (first / "predictions.npz").write_bytes(content)
    del arrays["labels"]
    np.savez_compressed(second / "predictions.npz", **arrays)
    text = write_report([tmp_path], pictures=False).text
    assert f"{first.name}: not in the scores by length and class: predictions.npz must be a" in text
    assert f"{second.name}: not in the scores" in text and "received one without labels" in text


def test_a_report_does_not_hide_the_runs_beside_it(few_runs: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"a folder of its own; received --out .* holds run fold"):
        write_report([few_runs], few_runs)
    assert not (few_runs / "findings.json").exists()
    kept = tmp_path / "kept"
    write_report([few_runs], kept, pages=False)
    assert write_report([kept / "findings.json"], pictures=False).path.parent == kept / "report"
    (kept / "findings.json").write_text('{"format": 2, "compar')
    with pytest.raises(ValueError, match=r"damaged file .*from version control, or"):
        write_report([kept])


def test_runs_without_records_or_probes_have_a_report(tmp_path: Path) -> None:
    folder = fabricate_run(tmp_path, probes=False, epochs=0)
    report = write_report([folder])
    page = page_text(report.path)
    assert "\n### Test scores\n" in page and "\n| lstm layer | " in page
    assert "Learning curves" not in page and "Through time" not in page
    assert [path.name for path in report.path.parent.glob("*.png")] == ["accuracy-imdb.png"]


def test_a_report_on_runs_lies_beside_them_and_not_in_one(
    few_runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = sorted(few_runs.iterdir())
    assert write_report([first, second], pages=False).path.parent == few_runs / "report"
    monkeypatch.chdir(second)
    assert write_report([Path()], pages=False).path.parent == few_runs / "report"
    assert not list(few_runs.glob("*-s*/report"))


@exhaustive
def test_each_layer_has_a_picture_with_its_name(tmp_path: Path) -> None:
    folder = fabricate_run(tmp_path)
    with np.load(folder / "probes.npz") as stored:
        arrays = dict(stored)
    upper = {name.replace("lstm/", "upper/"): array for name, array in arrays.items()}
    np.savez(folder / "probes.npz", **arrays, **{k: v for k, v in upper.items() if k != "rows"})
    report = write_report([folder])
    page = page_text(report.path)
    assert "recurrent layer 1 (lstm)" in page and "recurrent layer 2 (upper)" in page
    for index in (1, 2):
        assert (report.path.parent / f"statistics-imdb-layer{index}.png").is_file()


@pytest.mark.parametrize(
    ("layers", "titles"),
    [
        (["forward_lstm_1", "backward_lstm_1"], ["forwards", "backwards"]),
        (
            ["forward_a", "backward_a", "forward_b", "backward_b"],
            [f"layer {number}, {way}" for number in (1, 2) for way in ("forwards", "backwards")],
        ),
    ],
    ids=["one", "stacked"],
)
def test_the_halves_of_a_bidirectional_layer_are_named(
    tmp_path: Path, layers: list[str], titles: list[str]
) -> None:
    folder = fabricate_run(tmp_path)
    with np.load(folder / "probes.npz") as stored:
        arrays = dict(stored)
    renamed = {k.replace("lstm/", f"{name}/"): a for name in layers for k, a in arrays.items()}
    np.savez(folder / "probes.npz", **renamed)
    page = write_report([tmp_path], pictures=False).path.read_text(encoding="utf-8")
    assert re.findall(r"<h3[^>]*>Through time, ([^<]*)<", page) == titles
    assert "forward_" not in page


def test_many_arms_are_drawn_in_part(tmp_path: Path) -> None:
    for index in range(12):
        rate = 0.001 * (index + 1)
        changes = {"optim.learning_rate": rate}
        fabricate_run(tmp_path, accuracy=0.6 + 0.01 * index, changes=changes, probes=False)
    report = write_report([tmp_path], pictures=False)
    page = report.path.read_text(encoding="utf-8")
    assert "Of 12 arms, the 10 with the highest accuracy are drawn." in page


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: None, r"no folder\. Give"),
        (lambda folder: folder.mkdir(), r"at least one run folder.*Train first"),
        (
            lambda folder: fabricate_run(folder, finished=False),
            r"at least one finished run.*none finished \(run folders: 1\):\n.*unfinished",
        ),
    ],
    ids=["absent", "empty", "unfinished"],
)
def test_nothing_to_report_is_one_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], make: object, message: str
) -> None:
    folder = tmp_path / "runs"
    make(folder)  # type: ignore[operator]
    assert main([str(folder)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("seqnorm-report: A report needs") and re.search(message, err)
    assert not (folder / "report").exists()


def test_command_imports_no_tensorflow(few_runs: Path, tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from seqnorm.lab.commands.report import main\n"
        "code = main(sys.argv[1:])\n"
        "names = {'tensorflow', 'keras', 'wandb', 'hydra', 'matplotlib.pyplot'}\n"
        "heavy = names & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else code)\n"
    )
    out = tmp_path / "elsewhere" / "deep"
    command = [sys.executable, "-c", program, str(few_runs), "--out", str(out)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert f"Report: {out / 'report.html'}" in result.stdout
    assert (out / "curves-imdb.png").is_file()
    assert not (few_runs / "report").exists()


@exhaustive
def test_script_hands_over(few_runs: Path) -> None:
    command = [sys.executable, str(ROOT / "scripts" / "report.py"), str(few_runs)]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "", "MPLCONFIGDIR": str(few_runs)}
    result = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert result.returncode == 0, result.stderr
    assert "| lstm layer" in result.stdout
