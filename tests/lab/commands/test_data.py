from __future__ import annotations

import json
import os

import pytest
from matplotlib import image

from seqnorm.lab.commands import data as cli
from seqnorm.lab.commands.data import main
from tests.lab.data.files import write_reuters

SMALL = ["data=synthetic", "data.examples=200", "data.test_examples=50", "data.max_length=40"]


def test_a_card_has_numbers_and_pictures(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["show", *SMALL, "--steps", "2", "cell.units=4", "model.embedding=4"]) == 0
    folder = tmp_path / "cards" / "synthetic"
    assert sorted(path.name for path in folder.iterdir()) == [
        "batches.png",
        "card.json",
        "card.md",
        "texts.png",
    ]
    card = json.loads((folder / "card.json").read_text())
    assert card["parts"]["test"]["examples"] == 50
    speed = card["speed"]
    assert speed["pipeline_tokens_per_second"] > 0 < speed["training_tokens_per_second"]
    assert speed["peak_memory_mb"] >= speed["start_memory_mb"] > 10
    text = (folder / "card.md").read_text()
    assert text in capsys.readouterr().out
    assert "| examples | 170 | 30 | 50 |" in text
    for name in ("texts.png", "batches.png"):
        picture = image.imread(folder / name)
        assert picture.shape[1] == 1200 and picture.std() > 0.05
        assert name in text


def test_options_of_show_are_refused_elsewhere(capsys):
    with pytest.raises(SystemExit):
        main(["prepare", *SMALL, "--steps", "2"])
    assert "they are of show, which writes the card" in capsys.readouterr().err


def test_a_card_is_replaced_whole_and_nothing_else_is(tmp_path, capsys):
    target = tmp_path / "card"
    assert main(["show", *SMALL, "--out", str(target)]) == 0
    (target / "old.txt").touch()
    assert main(["show", *SMALL, "seed=1", "--out", str(target)]) == 0
    assert not (target / "old.txt").exists() and (target / "card.md").is_file()
    other = tmp_path / "other"
    other.mkdir()
    (other / "precious.txt").write_text("mine")
    assert main(["show", *SMALL, "--out", str(other)]) == 1
    assert "--out must be a new folder or one with a card in it" in capsys.readouterr().err
    assert [path.name for path in other.iterdir()] == ["precious.txt"]
    left = [path.name for path in tmp_path.iterdir() if not path.name.endswith(".lock")]
    assert sorted(left) == ["card", "other"]


def test_an_error_while_drawing_leaves_the_old_card(tmp_path, monkeypatch):
    target = tmp_path / "card"
    assert main(["show", *SMALL, "--out", str(target)]) == 0
    before = {path.name: path.read_bytes() for path in target.iterdir()}

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cli.json, "dumps", full)
    assert main(["show", *SMALL, "seed=1", "--out", str(target)]) == 1
    assert {path.name: path.read_bytes() for path in target.iterdir()} == before
    assert not (tmp_path / ".card.partial").exists()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["show", "data=imbd"], "Did you mean imdb?"),
        (["prepare", "data=reuters", "data.dri=x"], "Did you mean dir?"),
        (["prepare", "data=imdb", "data.min_count=0"], "data.min_count must be at least 1"),
        (["prepare", "data=imdb", "data.tokenizer=bytes"], "must be one of unicode, words, keras"),
        (["show", "data=imdb", "data.dir=nowhere"], "imdb_reviews as prepared by TensorFlow"),
        (["prepare", "data=reuters_r8", f"data.dir={os.devnull}"], "folder that can be written"),
        (["show", *SMALL, "--out", f"{os.devnull}/card"], "folder that can be written to"),
    ],
)
def test_a_mistake_is_one_message(arguments, expected, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 1
    text = capsys.readouterr().err
    assert text.startswith("seqnorm-data: ") and "Traceback" not in text
    assert expected in text
    assert list(tmp_path.iterdir()) == []


def test_damaged_data_is_one_message(tmp_path, capsys):
    write_reuters(tmp_path)
    assert main(["prepare", "data=reuters", f"data.dir={tmp_path}"]) == 1
    assert "reuters.npz must be the published data" in capsys.readouterr().err


def test_prepare_says_where_things_are(real_data, capsys):
    assert main(["prepare", "data=reuters", f"data.dir={real_data}"]) == 0
    assert f"{real_data / 'reuters.npz'}  2,110,848 bytes, as published" in capsys.readouterr().out
    assert main(["prepare", "data=synthetic"]) == 0
    assert "nothing to prepare" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["describe"], ["show", "--nonsense"]])
def test_another_command_is_refused_with_the_usage(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert "usage: seqnorm-data" in capsys.readouterr().err
