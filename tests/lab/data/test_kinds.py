"""Labels of texts of one's own: numbers, none at all, and what is refused."""

from __future__ import annotations

import pytest

from seqnorm.lab import data
from seqnorm.lab.config.data import FilesConfig
from seqnorm.lab.data.own.kinds import Numbers
from tests.lab.data.own import csv_text, json_text, write, write_parquet

ROWS = [(f"text number {number}", number / 4) for number in range(20)]


def load(path, labels, **changes) -> data.Dataset:
    keys = {"name": "files", "train": str(path), "text": "review", "label": "stars", **changes}
    return data.load(FilesConfig(**keys), 0, labels)


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_numbers_are_labels_as_they_stand(tmp_path, ending):
    path = tmp_path / f"a.{ending}"
    if ending == "parquet":
        texts, numbers = zip(*ROWS, strict=True)
        write_parquet(path, review=list(texts), stars=list(numbers))
    else:
        write(path, csv_text(ROWS) if ending == "csv" else json_text(ROWS))
    dataset = load(path, "number")
    parts = (dataset.train, dataset.validation, dataset.test)
    assert sorted(number for part in parts for number in part.labels.tolist()) == [
        number for _, number in ROWS
    ]
    assert dataset.label_names == () and dataset.train.labels.dtype == "float32"


@pytest.mark.parametrize(
    "value", ["", "cheap", "nan", "inf", None, True, [1.0], "1e39", 10**400, "1_0", "\u0661"]
)
def test_what_is_no_number_is_refused(value):
    with pytest.raises(ValueError, match=r"each row needs a number, received price="):
        Numbers("price").add(value)


def test_a_number_that_is_missing_is_named_with_its_line(tmp_path):
    write(tmp_path / "a.csv", csv_text([*ROWS, ("one more", "")]))
    with pytest.raises(ValueError, match=r"a\.csv, line 22: each row needs a number.*stars=''"):
        load(tmp_path / "a.csv", "number")


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_without_labels_no_column_of_labels_is_needed(tmp_path, ending):
    path, texts = tmp_path / f"a.{ending}", [text for text, _ in ROWS]
    if ending == "parquet":
        write_parquet(path, review=texts)
    elif ending == "csv":
        write(path, "\n".join(["review", *texts]))
    else:
        write(path, "".join(f'{{"review": "{text}"}}\n' for text in texts))
    assert sum(map(len, (load(path, "none").train, load(path, "none").test))) == 18
    with pytest.raises(ValueError, match=r"data.label must name"):
        load(path, "class")
