"""``seqnorm-data why`` from the command line to its files."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import numpy as np
import pytest

from seqnorm.lab import data
from seqnorm.lab.commands.data import main
from seqnorm.lab.config.compose import compose
from seqnorm.lab.data.spec import PAD
from seqnorm.lab.why.moments import LEVELS, PER_SAMPLE, SPREAD, WAYS
from seqnorm.lab.why.task import Network
from tests.tiers import exhaustive

SMALL = ["data=synthetic", "data.examples=1500", "data.max_length=120", "data.batch_size=16"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    runs = tmp_path_factory.mktemp("why")
    size = ["cell.units=8", "model.embedding=6"]
    assert main(["why", *SMALL, *size, f"runs_dir={runs}"]) == 0
    (made,) = runs.glob("synthetic-lstm-s0-*")
    return made


def test_figure_and_numbers_are_written_and_the_caption_has_the_command(folder):
    assert {path.name for path in folder.iterdir()} == {"why.png", "why.pdf", "why.csv", "why.md"}
    page = (folder / "why.md").read_text(encoding="utf-8")
    assert f"Made with: seqnorm-data why {' '.join(SMALL)} cell.units=8" in page
    assert "runs_dir" not in page and "| Layer norm, each sample" in page


def test_numbers_are_the_argument(folder):
    with (folder / "why.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["way"] for row in rows} == set(WAYS)
    found = {
        (row["way"], row["moment"], int(row["alive"])): [float(row[f"q{q:g}"]) for q in LEVELS]
        for row in rows
    }
    widths = {
        way: [found[way, "mean", n][-1] - found[way, "mean", n][0] for n in (2, 16)] for way in WAYS
    }
    for way in WAYS[:2]:  # few rows make batch statistics worse
        assert widths[way][0] > 1.5 * widths[way][1]
    few, many = widths[PER_SAMPLE]  # and those of a row no different
    assert few == pytest.approx(many, rel=0.3)
    assert found[PER_SAMPLE, SPREAD, 2][2] == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("cell", ["simple_rnn", "lstm", "gru"])
def test_preactivations_are_those_of_the_cell(cell):
    """For each row by itself, without padding and without a loop of ours."""
    config = compose([*SMALL, f"cell={cell}", "cell.units=5"], "why")
    dataset = data.load(config.data, 0)
    network = Network(config, dataset)
    tokens = dataset.train.sequences.padded([0, 1, 2])
    z = network.preactivations(tokens)
    row, length = 1, int((tokens[1] != PAD).sum())
    vectors = network.embedding(tokens[row : row + 1, :length])
    states = np.asarray(network.layer(vectors))[0]
    weights = network.layer.cells[0]
    expected = np.asarray(vectors)[0] @ np.asarray(weights.kernel)
    expected[1:] += states[:-1] @ np.asarray(weights.recurrent_kernel)
    np.testing.assert_allclose(z[row, :length], expected, atol=1e-6)
    shortest = int(np.argmin((tokens != PAD).sum(axis=1)))
    ended = int((tokens[shortest] != PAD).sum())
    if ended + 1 < tokens.shape[1]:  # a row that has ended keeps its state
        np.testing.assert_allclose(z[shortest, ended], z[shortest, -1], atol=1e-6)


def test_the_axis_of_rows_holds_the_largest_batch_of_tokens(tmp_path):
    arguments = [*SMALL, "data.batch_tokens=4000", "cell.units=8", f"runs_dir={tmp_path}"]
    assert main(["why", *arguments]) == 0
    (made,) = tmp_path.iterdir()
    with (made / "why.csv").open(newline="") as file:
        most = max(int(row["alive"]) for row in csv.DictReader(file))
    assert most > 16  # data.batch_size
    assert f"batches of {most} rows" in (made / "why.md").read_text(encoding="utf-8")


@exhaustive
def test_what_loading_draws_changes_no_figure(tmp_path, monkeypatch):
    """TensorFlow Datasets draws names of folders from Python's generator when it prepares data."""
    figures, little = [], ["data.examples=300", "data.max_length=30", "cell.units=8"]
    for draws in (0, 6):

        def drawing(config, seed, labels, draws=draws, load=data.load):
            [random.random() for _ in range(draws)]
            return load(config, seed, labels)

        with monkeypatch.context() as patch:
            patch.setattr("seqnorm.lab.data.load", drawing)
            assert main(["why", *SMALL, *little, f"runs_dir={tmp_path}"]) == 0
        (made,) = tmp_path.iterdir()
        figures.append((made / "why.csv").read_text())
    assert figures[0] == figures[1]


@pytest.mark.parametrize("option", ["norm=batch", "tracking=wandb"])
def test_what_the_figure_would_not_hear_is_refused(option, tmp_path, capsys):
    assert main(["why", *SMALL, option, f"runs_dir={tmp_path}"]) == 1
    assert "Leave them out" in capsys.readouterr().err and not list(tmp_path.iterdir())


def test_too_little_data_is_one_message(tmp_path, capsys):
    arguments = ["why", "data=synthetic", "data.examples=100", f"runs_dir={tmp_path}"]
    assert main(arguments) == 1
    text = capsys.readouterr().err
    assert "seqnorm-data why needs at least 200 rows" in text and "Traceback" not in text
