"""The command that answers: files are read as in training, and one bad row does not end them."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from seqnorm.lab.commands import predict as command
from seqnorm.lab.data.scale import Scale
from tests.lab.data.own import write, write_parquet
from tests.lab.data.own_series import ROWS, save, ts_text, write_long

TEXTS = ["a good, warm film", 'a "bad" film']


class Echo:
    """A run that answers a text with itself, and a row of numbers with how many steps it has."""

    config = SimpleNamespace(data=SimpleNamespace(id="id", time="time"))

    def __init__(self, scale: Scale | None = None) -> None:
        self.scale = scale

    @property
    def of_numbers(self) -> bool:
        return self.scale is not None

    def numbers(self, row: np.ndarray) -> np.ndarray:
        if not np.isfinite(row).all():
            raise ValueError("each number must be finite")
        return row

    def predict(self, rows: list) -> list[dict]:
        return [{"label": row if isinstance(row, str) else len(row)} for row in rows]


@pytest.fixture
def answers(monkeypatch, capsys):
    """What the command writes of a file, and says."""

    def call(run: Echo, file: Path | str, *options: str) -> tuple[int, list[dict], str]:
        monkeypatch.setattr("seqnorm.lab.trained.load", lambda folder: run)
        code = command.main(["run", str(file), *options])
        out, err = capsys.readouterr()
        return code, [json.loads(line) for line in out.splitlines()], err

    return call


def labels(lines: list[dict]) -> list:
    return [line.get("label") for line in lines]


@pytest.mark.parametrize(
    "name", ["a.csv", "A.CSV", "a.csv.gz", "a.tsv", "a.jsonl", "a.ndjson", "a.json", "a.parquet"]
)
def test_columns_are_read_whatever_the_ending(name, answers, tmp_path):
    path, sign = tmp_path / name, "\t" if name == "a.tsv" else ","
    if "json" in name or name.endswith("ndjson"):
        write(path, "".join(json.dumps({"id": 1, "note": text}) + "\n" for text in TEXTS))
    elif name == "a.parquet":
        write_parquet(path, id=[1, 2], note=TEXTS)
    else:
        rows = ['1{}"{}"'.format(sign, text.replace('"', '""')) for text in TEXTS]
        write(path, "\n".join([f"id{sign}note", *rows]))
    code, lines, _ = answers(Echo(), path, "--text", "note")
    assert (code, labels(lines)) == (0, TEXTS)


@pytest.mark.parametrize("name", ["letters", "a.txt", "a.txt.gz"])
def test_plain_lines_are_texts_and_a_bad_one_is_said(name, answers, tmp_path):
    path = write(tmp_path / name, b"\xef\xbb\xbfa film\r\n\ncaf\xe9\nbad\n")
    code, lines, said = answers(Echo(), path)
    assert (code, labels(lines)) == (1, ["a film", None, None, "bad"])
    assert "received ''" in lines[1]["error"] and "in UTF-8" in lines[2]["error"]
    assert "2 texts" in said and "2 rows could not be answered" in said
    assert "0 a second" not in answers(Echo(), write(path, "\n"))[2]


def test_a_pipe_is_read_as_lines(answers, monkeypatch, tmp_path):
    path = write(tmp_path / "lines", "a film\n")
    with path.open() as pipe:
        monkeypatch.setattr("sys.stdin", pipe)
        assert labels(answers(Echo(), "-")[1]) == ["a film"]
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert "--text is for files with columns" in answers(Echo(), "-", "--text", "note")[2]


@pytest.mark.parametrize(
    ("name", "content", "options", "said"),
    [
        ("a.xlsx", b"PK", (), "received the ending .xlsx. Rename or convert it"),
        ("a.npz", b"PK", (), "received the ending .npz"),
        ("a.gz", b"x", (), "received the ending .gz"),
        ("letters", b"a\0b", (), "letters, line 1: texts are needed, received bytes that are none"),
        ("a.txt", b"x", ("--text", "note"), "--text is for files with columns of texts"),
        ("a.txt", b"x", ("--delimiter", ";"), "--delimiter is for files with columns of texts"),
        ("a.csv", b"id,review\n1,x\n", (), "received --text=text, and the file has no such column"),
        ("a.csv", b"note,note\n1,x\n", ("--text", "note"), "has that name more than once"),
        ("a.csv", b"note \nx\n", ("--text", "note"), "Did you mean --text='note '?"),
        ("a.csv", b"id;text\n1;x\n", (), "Give --delimiter ';'"),
        ("a.csv", b'text\n"never closed\n', (), "a.csv, line 2: a field .* give --no-quotes"),
        ("a.csv", b"text\ncaf\xe9\n", (), "a.csv, line 2: texts must be in UTF-8"),
        ("a.parquet", b"text\nx\n", (), "must be a Parquet file"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused(
    name, content, options, said, answers, tmp_path
):
    (tmp_path / name).write_bytes(content)
    code, lines, err = answers(Echo(), tmp_path / name, *options)
    assert code == 1 and lines == []
    assert re.search(said, err), err


def test_one_bad_row_does_not_end_a_file(answers, tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "a film"}\n{"text"\n{"text": ""}\n[1]\n{"id": 1}\n{"text": "bad"}\n')
    code, lines, said = answers(Echo(), path)
    assert (code, labels(lines)) == (1, ["a film", None, None, None, None, "bad"])
    assert [line["row"] for line in lines] == [1, 2, 3, 4, 5, 6]
    wanted = ["one JSON object, received", "needs a text", "received '[1]'", "an object without it"]
    for line, part in zip(lines[1:5], wanted, strict=True):
        assert part in line["error"]
    assert "2 texts" in said and "4 rows could not be answered" in said
    table = write(tmp_path / "rows.csv", "id,text\n1,a,b\n2,bad\n")
    assert labels(answers(Echo(), table)[1]) == [None, "bad"]


def test_fields_are_told_apart_as_is_asked_for(answers, tmp_path):
    path = write(tmp_path / "a.csv", 'id;text\n1;"a\n')
    assert labels(answers(Echo(), path, "--delimiter", ";", "--no-quotes")[1]) == ['"a']


def test_answers_are_written_as_a_table(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr("seqnorm.lab.trained.load", lambda folder: Echo())
    path = write(tmp_path / "letters", "good\n\n")
    assert command.main(["run", str(path), "--csv"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["row,answer,probability,error", "1,good,,"] and lines[2].startswith("2,,,")


def test_rows_of_numbers_are_answered_and_a_bad_one_does_not_end_them(answers, tmp_path):
    run = Echo(Scale.none(["x", "y"]))
    path = tmp_path / "b.ts"
    broken = [ROWS[0], ROWS[2] * np.inf, ROWS[4]]
    path.write_text(ts_text(rows=broken, labels="aaa") + "1,2:3:a\n")
    code, lines, said = answers(run, path)
    assert (code, labels(lines)) == (1, [3, None, 5, None])
    assert "each number must be finite" in lines[1]["error"]
    assert "as many steps each, received 2, 1" in lines[3]["error"]
    assert "2 rows, " in said and "2 rows could not be answered" in said
    lengths = [len(row) for row in ROWS]
    assert labels(answers(run, write_long(tmp_path / "b.parquet", label=None))[1]) == lengths
    assert labels(answers(run, save(tmp_path / "b.npz", labels=None))[1]) == lengths


def test_rows_of_numbers_stand_in_files_of_numbers(answers, tmp_path):
    run = Echo(Scale.none(["x", "y"]))
    path = write(tmp_path / "a.csv", "text\nx\n")
    assert "are read from .npz, .ts" in answers(run, path)[2]
    assert "--text is for files with columns" in answers(run, path, "--text", "x")[2]
    assert "received a pipe. Name the file" in answers(run, "-")[2]


def test_a_file_that_is_not_there_is_said_before_a_network_is_loaded(answers, tmp_path):
    for name in ("none.csv", "x" * 300):
        code, _, said = answers(None, tmp_path / name)
        assert code == 1 and "rows need a file that can be read" in said
