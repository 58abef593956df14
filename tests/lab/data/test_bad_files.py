"""What cannot be trained on is one message that names the file and the row, and what to do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from seqnorm.lab.commands.data import main
from tests.lab.data.own import ROWS, csv_text, json_text, load, write, write_parquet

GOOD = csv_text()
LINES = GOOD.splitlines(keepends=True)


class Case(NamedTuple):
    """Files by name, or what writes them; keys; the message, beginning and a part of it."""

    files: dict[str, str | bytes | Callable[[Path], Any]]
    keys: dict[str, Any]
    begin: str
    part: str


def csv_with(line: str, **keys: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """a.csv with a line after its fourth."""
    return {"a.csv": "".join([*LINES[:4], line + "\n", *LINES[4:]])}, keys


def json_with(line: str) -> tuple[dict[str, Any], dict[str, Any]]:
    rows = json_text().splitlines(keepends=True)
    return {"a.jsonl": "".join([*rows[:4], line + "\n", *rows[4:]])}, {"train": "a.jsonl"}


def parquet(**columns: list[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    return {"a.parquet": lambda path: write_parquet(path, **columns)}, {"train": "a.parquet"}


TEXTS = [text for text, _ in ROWS]
STARS = [star for _, star in ROWS]
OTHER = csv_text([("fine", 5), ("odd", 3)])

CASES: dict[str, Case] = {
    # those that were asked for
    "missing column": Case(
        {"a.csv": GOOD},
        {"label": "star"},
        "a.csv: data.label must name",
        "Did you mean data.label=stars? Its columns are review, stars.",
    ),
    "empty text": Case(*csv_with('"",5'), "a.csv, line 5: each row needs a text", "review=''"),
    "label NaN": Case(*csv_with('"x",NaN'), "a.csv, line 5: each row needs a label", "stars='NaN'"),
    "one class only": Case(
        {"a.csv": csv_text([("a", 1), ("b", 1)])},
        {},
        "data.train needs rows of two classes or more",
        "stars=1 in all 2",
    ),
    "label in test that train lacks": Case(
        {"a.csv": GOOD, "t.csv": OTHER},
        {"test": "t.csv"},
        "t.csv, line 3: each label needs examples in data.train",
        "stars=3, which has none there",
    ),
    "broken row": Case(
        *csv_with('"x",5,6'),
        "a.csv, line 5: each row needs 2 fields",
        "received 3. Put a text that has a comma in it into double quotes.",
    ),
    "wrong encoding": Case(
        {"a.csv": GOOD.replace("dull film, number 5", "caf\xe9").encode("latin1")},
        {},
        "a.csv, line 19: texts must be in UTF-8",
        "the byte 0xe9",
    ),
    "another wrong encoding": Case(
        {"a.csv": GOOD.encode("utf-16")},
        {},
        "a.csv, line 1: texts must be in UTF-8",
        "`iconv -f utf-16 -t utf-8 a.csv` as UTF-16 begins so",
    ),
    "two headers": Case(
        *csv_with("review,stars"), "a.csv, line 5: a file has one header", "Delete the line."
    ),
    # and more
    "blank text": Case(*csv_with('"  \t",5'), "a.csv, line 5: each row needs a text", "Fill it in"),
    "empty label": Case(*csv_with('"x",'), "a.csv, line 5: each row needs a label", "stars=''"),
    "row that is too short": Case(
        *csv_with('"x"'), "a.csv, line 5: each row needs 2 fields", "received 1"
    ),
    "quote that is never closed": Case(
        *csv_with('"never closed,5'),
        "a.csv, line 5: a field that begins with a double quote",
        "data.quotes=false",
    ),
    "quote that is never closed, at the end": Case(
        {"a.csv": GOOD + '"never closed,5\n'},
        {},
        "a.csv, line 32: a field that begins",
        "unexpected end of data",
    ),
    "number that is not whole": Case(
        *csv_with('"x",4.5'), "a.csv, line 5: a label is a name or a", "stars='4.5'"
    ),
    "a column of ids as label": Case(
        {"a.csv": csv_text([(f"t {n}", f"id{n}") for n in range(9)])},
        {},
        "data.train needs classes that have several rows",
        "9 different labels in as many rows",
    ),
    "several labels a row": Case(
        *csv_with('"x",5|1', label_separator="|"),
        "a.csv, line 5: each row needs one label",
        "which are 2",
    ),
    "label in validation that train lacks": Case(
        {"a.csv": GOOD, "v.csv": OTHER},
        {"validation": "v.csv"},
        "v.csv, line 3: each label needs",
        "those are 1, 2, 5",
    ),
    "no such file": Case(
        {"b.csv": GOOD}, {}, "data.train needs a file that exists", "That folder has b.csv."
    ),
    "no such folder": Case(
        {}, {"train": "x/a.csv"}, "data.train needs a file that exists", "x has no a.csv"
    ),
    "a folder": Case(
        {}, {"train": "."}, "data.train needs files, received the folder", "'data.train=./*.csv'"
    ),
    "data.dir": Case({"a.csv": GOOD}, {"dir": "x"}, "data=files reads what data.train", "dir=x"),
    "pattern without a match": Case(
        {"a.csv": GOOD},
        {"train": "b*.csv"},
        "data.train needs files that match its pattern",
        "b*.csv",
    ),
    "unknown ending": Case(
        {"a.xlsx": b"PK"},
        {"train": "a.xlsx"},
        "data.train needs files whose name says what they are",
        ".parquet",
    ),
    "no ending": Case(
        {"a": GOOD}, {"train": "a"}, "data.train needs files whose name says", ".csv"
    ),
    "file named twice": Case(
        {"a.csv": GOOD},
        {"train": ["a.csv", "a*.csv"]},
        "data.train needs each file once",
        "a.csv twice",
    ),
    "test file in train": Case(
        {"a.csv": GOOD},
        {"test": "./a.csv"},
        "data.train and data.test need different files",
        "a.csv in both",
    ),
    "empty file": Case(
        {"a.csv": ""}, {}, "a.csv, line 1: a header with the names", "received none"
    ),
    "header alone": Case({"a.csv": LINES[0]}, {}, "data.train needs rows", "received none"),
    "no header": Case(
        {"a.csv": "".join(LINES[1:])},
        {},
        "a.csv: data.text must name one column",
        "Its columns are good film, number 0!, 5.",
    ),
    "semicolons": Case(
        {"a.csv": GOOD.replace('",', '";').replace("w,s", "w;s")},
        {},
        "a.csv, line 1: the names of the columns need a comma",
        'data.delimiter=";"',
    ),
    "tabs in a .csv": Case(
        {"a.csv": GOOD.replace('",', '"\t').replace("w,s", "w\ts")},
        {},
        "a.csv, line 1: the names of the columns need a comma",
        "Name the file .tsv",
    ),
    "column twice": Case(
        {"a.csv": GOOD.replace("review,", "stars,")},
        {"text": "stars"},
        "a.csv: data.text must name one column",
        "that name more than once",
    ),
    "UTF-16": Case(
        {"a.csv": GOOD.encode("utf-16")},
        {},
        "a.csv, line 1: texts must be in UTF-8",
        "the byte 0xff",
    ),
    "UTF-16 without a mark": Case(
        {"a.csv": GOOD.encode("utf-16-le")},
        {},
        "a.csv, line 1: texts must be in UTF-8",
        "zero bytes",
    ),
    "gzip cut off": Case(
        {
            "a.csv.gz": lambda path: path.write_bytes(
                write(path, csv_text(ROWS * 99)).read_bytes()[:-20]
            )
        },
        {"train": "a.csv.gz"},
        "a.csv.gz must be a gzip file",
        "damaged or incomplete",
    ),
    "no gzip": Case(
        {"a.csv.gz": lambda path: path.write_text(GOOD)},
        {"train": "a.csv.gz"},
        "a.csv.gz must be a gzip file",
        "Not a gzipped file",
    ),
    "wrong encoding, gzipped": Case(
        {"a.csv.gz": b"review,stars\n\xe9,1\n"},
        {"train": "a.csv.gz"},
        "a.csv.gz, line 2: texts must be in UTF-8",
        "0xe9",
    ),
    "JSON: broken line": Case(
        *json_with('{"review": "x", '),
        "a.jsonl, line 5: each line needs one",
        "Write one object a line.",
    ),
    "line nested too deep": Case(
        *json_with('{"review": ' + "[" * 100_000),
        "a.jsonl, line 5: each line needs one JSON object",
        "nested too deep to be read",
    ),
    "JSON: one array": Case(
        {"a.json": json.dumps([{"review": "x", "stars": 1}], indent=1)},
        {"train": "a.json"},
        "a.json, line 1: each line needs one JSON object",
        "One array over many lines is not read",
    ),
    "JSON: a list": Case(
        *json_with('["x", 5]'),
        "a.jsonl, line 5: each line needs one JSON object",
        '{"review": "...", "stars": "..."}',
    ),
    "JSON: missing key": Case(
        *json_with('{"reviews": "x", "stars": 1}'),
        "a.jsonl, line 5: data.text must name a key",
        "data.text=reviews?",
    ),
    "JSON: null text": Case(
        *json_with('{"review": null, "stars": 1}'),
        "a.jsonl, line 5: each row needs a text",
        "review=None",
    ),
    "JSON: number as text": Case(
        *json_with('{"review": 7, "stars": 1}'),
        "a.jsonl, line 5: a text is needed",
        "review=7 (int)",
    ),
    "JSON: null label": Case(
        *json_with('{"review": "x", "stars": null}'),
        "a.jsonl, line 5: each row needs a label",
        "stars=None",
    ),
    "JSON: NaN": Case(
        *json_with('{"review": "x", "stars": NaN}'),
        "a.jsonl, line 5: each row needs a label",
        "stars=nan",
    ),
    "JSON: several labels": Case(
        *json_with('{"review": "x", "stars": [1, 5]}'),
        "a.jsonl, line 5: each row needs one label",
        "Keep one of them, or train on all with task=multilabel",
    ),
    "JSON: no label": Case(
        *json_with('{"review": "x", "stars": []}'),
        "a.jsonl, line 5: each row needs a label",
        "stars=None",
    ),
    "JSON: object as label": Case(
        *json_with('{"review": "x", "stars": {"a": 1}}'),
        "a.jsonl, line 5: a label is a text, a whole number",
        "(dict)",
    ),
    "JSON: wrong encoding": Case(
        {"a.jsonl": json_text().encode() + b'{"review": "\xe9"}\n'},
        {"train": "a.jsonl"},
        "a.jsonl, line 31: texts must be in UTF-8",
        "0xe9",
    ),
    "JSON: half a character": Case(
        *json_with('{"review": "odd \\ud800", "stars": 1}'),
        "a.jsonl, line 5: texts and labels need whole characters",
        "one half of a pair, \\ud800",
    ),
    "JSON: half a character in a label": Case(
        *json_with('{"review": "odd", "stars": "\\udc00"}'),
        "a.jsonl, line 5: texts and labels need whole characters",
        "\\udc00",
    ),
    "JSON: a key twice": Case(
        *json_with('{"review": "x", "stars": 1, "stars": 5}'),
        "a.jsonl, line 5: each line needs one JSON object",
        "the key stars stands in it more than once",
    ),
    "JSON: labels of two kinds": Case(
        *json_with('{"review": "x", "stars": "1"}'),
        "a.jsonl, line 5: all labels of a file are of one kind, received stars='1', a text",
        "and a number in a.jsonl, line 1.",
    ),
    "JSON: true among numbers": Case(
        *json_with('{"review": "x", "stars": true}'),
        "a.jsonl, line 5: all labels of a file are of one kind",
        "true or false, and a number",
    ),
    "column with a space at its end": Case(
        {"a.csv": GOOD.replace("review,", "review ,")},
        {},
        "a.csv: data.text must name one column",
        "Did you mean 'data.text=\"review \"'?",
    ),
    "Parquet: missing column": Case(
        *parquet(text=TEXTS, stars=STARS),
        "a.parquet: data.text must name one column",
        "text, stars",
    ),
    "Parquet: no label": Case(
        *parquet(review=TEXTS, stars=[*STARS[:-1], None]),
        "a.parquet, row 30: each row needs a label",
        "stars=None",
    ),
    "Parquet: NaN": Case(
        *parquet(review=TEXTS, stars=[1.0, float("nan"), *STARS[2:]]),
        "a.parquet, row 2: each row needs a label",
        "stars=nan",
    ),
    "Parquet: numbers as texts": Case(
        *parquet(review=STARS, stars=STARS), "a.parquet, row 1: a text is needed", "data.text"
    ),
    "Parquet: not one": Case(
        {"a.parquet": GOOD},
        {"train": "a.parquet"},
        "a.parquet must be a Parquet file",
        "damaged or incomplete",
    ),
    "share that leaves no test": Case(
        {"a.csv": csv_text(ROWS[:6])},
        {"test_fraction": 0.01},
        "data.test_fraction must leave rows",
        "of 6 rows",
    ),
    "share that leaves no validation": Case(
        {"a.csv": csv_text(ROWS[:6])},
        {"test_fraction": 0.2},
        "data.validation_fraction must leave examples",
        "0.1 of",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_one_message_names_file_and_row(name, tmp_path, monkeypatch):
    case = CASES[name]
    monkeypatch.chdir(tmp_path)
    for file, content in case.files.items():
        if callable(content):
            content(tmp_path / file)
        else:
            write(tmp_path / file, content)
    before = sorted(tmp_path.iterdir())
    with pytest.raises((ValueError, OSError)) as caught:
        load(**case.keys)
    message = str(caught.value)
    print(f"| {name} | {message} |")  # pytest -s -k names_file prints the table
    assert message.startswith(case.begin) and case.part in message, message
    assert "\n" not in message and message.endswith("."), message
    assert sorted(tmp_path.iterdir()) == before


def test_nothing_is_half_written_and_no_traceback_is_shown(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "a.csv", GOOD + '"",5\n')
    keys = ["data=files", "data.train=a.csv", "data.text=review", "data.label=stars"]
    assert main(["show", *keys]) == 1
    shown = capsys.readouterr().err
    assert "seqnorm-data: a.csv, line 32: each row needs a text" in shown
    assert "Traceback" not in shown
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
