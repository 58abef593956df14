"""Texts of a user's own from files: every format gives the same, and the parts are as promised."""

from __future__ import annotations

import numpy as np
import pytest

from seqnorm.lab import data
from seqnorm.lab.data.own.labels import Labels
from tests.lab.data.own import ROWS, config, csv_text, json_text, load, write, write_parquet


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def contents(dataset):
    """The parts as texts with the names of their labels."""
    return [
        [
            (dataset.decode(row), dataset.label_names[label])
            for row, label in zip(part.sequences, part.labels, strict=True)
        ]
        for part in (dataset.train, dataset.validation, dataset.test)
    ]


@pytest.fixture
def plain(here):
    write(here / "a.csv", csv_text())
    return contents(load())


def test_a_file_becomes_three_parts(plain):
    train, _, test = plain
    assert [len(part) for part in plain] == [22, 2, 6]
    assert sorted(label for _, label in test) == ["1", "1", "2", "2", "5", "5"]
    words = {text.split()[0] for text, _ in train}
    assert words == {"good", "bad", "dull"}
    assert all((text.split()[0], label) in {("good", "5"), ("bad", "1"), ("dull", "2")}
               for text, label in train)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("b.csv.gz", csv_text()),
        ("b.csv", "\ufeff" + csv_text()),  # as Excel writes it
        ("b.csv", csv_text().replace("\n", "\r\n")),
        ("b.csv", csv_text().replace("\n", "\n\n")),  # empty lines
        ("b.tsv", csv_text().replace('",', '"\t').replace("review,", "review\t")),
        ("b.TSV.GZ", csv_text().replace('",', '"\t').replace("review,", "review\t")),
        ("b.jsonl", json_text()),
        ("b.ndjson.gz", json_text()),
        ("b.json", "\ufeff" + json_text()),
    ],
)
def test_every_format_gives_the_same(name, content, here, plain):
    write(here / name.replace(".GZ", ".gz"), content)
    assert contents(load(train=name.replace(".GZ", ".gz"))) == plain


@pytest.mark.parametrize("name", ["b.parquet", "b.parquet.gz"])
def test_parquet_gives_the_same(name, here, plain, monkeypatch):
    monkeypatch.setattr("seqnorm.lab.data.own.parquet.BATCH", 7)
    texts, labels = zip(*ROWS, strict=True)
    path = write_parquet(
        here / "b.parquet", review=list(texts), other=list(labels), stars=list(labels)
    )
    if name.endswith(".gz"):
        write(here / name, path.read_bytes())
    assert contents(load(train=name)) == plain


def test_another_delimiter_and_plain_quotes(here, plain):
    write(here / "b.csv", csv_text().replace('",', '";').replace("review,", "review;"))
    assert contents(load(train="b.csv", delimiter=";")) == plain
    rows = "".join(f'"{word} said\t{label}\n' for word, label in [("ann", 1), ("bob", 2)] * 9)
    write(here / "c.tsv", "review\tstars\n" + rows)
    dataset = load(train="c.tsv", quotes=False)
    assert "ann said" in {dataset.decode(row) for row in dataset.train.sequences}


def test_several_files_and_patterns_are_read_in_order(here, plain):
    for number in range(3):
        write(here / f"part-{number}.csv", csv_text(ROWS[10 * number : 10 * number + 10]))
    assert contents(load(train="part-*.csv")) == plain
    assert contents(load(train=[f"part-{number}.csv" for number in range(3)])) == plain
    assert contents(load(train=str(here / "part-*.csv"))) == plain
    write(here / "star*.csv", csv_text())  # a name that has one
    assert contents(load(train="star*.csv")) == plain


def test_texts_over_many_lines_and_long_ones(here):
    rows = [("one\ntwo quoted three\n\n{number}", number % 2) for number in range(20)]
    rows.append(("long " * 40_000, 1))
    write(here / "a.csv", csv_text(rows))
    dataset = load(max_length=100)
    assert sum(map(len, (dataset.train, dataset.validation, dataset.test))) == 21


def test_the_test_part_is_the_same_for_every_seed(here, plain):
    write(here / "a.csv", csv_text())
    for seed in (1, 2):
        _, validation, test = contents(load(seed))
        assert {text.split()[2] for text, _ in test} == {text.split()[2] for text, _ in plain[2]}
        assert validation != plain[1]
    first, other = load(split_seed=0), load(split_seed=1)
    assert contents(first)[2] != contents(other)[2]
    assert len(load(test_fraction=0.5).test) == 15


def test_parts_that_are_named_are_taken_whole(here):
    for name in ("a", "v", "t"):
        write(here / f"{name}.csv", csv_text([(f"{name} {text}", label) for text, label in ROWS]))
    dataset = load(test="t.csv", validation="v.csv")
    assert [len(part) for part in (dataset.train, dataset.validation, dataset.test)] == [30] * 3
    assert contents(dataset) == contents(load(1, test="t.csv", validation="v.csv"))
    assert contents(dataset)[1][0] == ("<unknown> good film number 0 !", "5")
    half = load(validation="v.csv")
    assert [len(part) for part in (half.train, half.validation, half.test)] == [24, 30, 6]


@pytest.mark.parametrize(
    ("values", "names"),
    [
        (["10", "9", "-1"], ("-1", "9", "10")),
        (["1.0", "2", "2.0"], ("1", "2")),
        (["spam", "ham", "eggs"], ("eggs", "ham", "spam")),
        (["1", "two", "10"], ("1", "10", "two")),
        (["007", "7"], ("007", "7")),
        ([2.0, 1, 10.0], ("1", "2", "10")),
        ([True, False], ("false", "true")),
        ([["b"], ["a"]], ("a", "b")),
        (["none", "null", " NA "], ("NA", "none", "null")),
    ],
)
def test_labels_have_a_stable_order(values, names):
    for order in (values, values[::-1]):
        labels = Labels("stars")
        for value in order:
            labels.add(value)
        found, _ = labels.in_order()
        assert found == names
        numbers = labels.settled(labels.taken())
        again = Labels("stars")
        for number in numbers:
            again.add(found[number])
        assert again.settled(again.taken()).tolist() == numbers.tolist()


def test_several_labels_a_row_are_kept_for_a_task_that_takes_them():
    labels = Labels("topics", separator="|", several=True)
    for value in ("ship|crude", ["earn"], "", "crude|crude", "earn"):
        labels.add(value)
    assert labels.names == ("crude", "earn", "ship")
    has = labels.settled(labels.taken())
    assert [np.flatnonzero(row).tolist() for row in has] == [[0, 2], [1], [], [0], [1]]


def test_texts_in_two_parts_are_counted_and_said_once(here, capsys):
    write(here / "a.csv", csv_text())
    write(here / "t.csv", csv_text([*ROWS[:4], ("of its own", 5)]))
    dataset = load(test="t.csv")
    said = capsys.readouterr().err
    assert "4 of 5 test texts also stand in train or validation, 0 of 3 validation" in said
    assert said.count("also stand") == 1 and len(dataset.test) == 5
    load()
    assert "also stand" not in capsys.readouterr().err


def test_what_is_named_is_looked_for_before_anything_is_loaded(here):
    with pytest.raises(FileNotFoundError, match=r"data\.test=t\.csv"):
        write(here / "a.csv", csv_text())
        data.refuse_missing(config(test="t.csv"))


def test_memory_stays_below_three_times_the_tokens(here, monkeypatch):
    """Counted by tracemalloc, with Arrow's own memory beside it.

    At this size what does not grow with the rows (words, pieces) is made small.
    """
    import tracemalloc

    import pyarrow

    for module in ("spec.PIECE", "vocabulary._PIECE"):
        monkeypatch.setattr(f"seqnorm.lab.data.{module}", 2**12)
    monkeypatch.setattr("seqnorm.lab.data.vocabulary._TEXTS", 50)
    rng = np.random.default_rng(0)
    words = np.array([f"w{number}" for number in range(500)])
    rows = [(" ".join(words[rng.integers(0, 500, 60)]), number % 3) for number in range(20_000)]
    write(here / "a.csv", csv_text(rows))
    load()  # what is imported and cached counts once
    rows.clear()
    tracemalloc.start()
    dataset = load()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    parts = (dataset.train, dataset.validation, dataset.test)
    tokens = sum(part.sequences.values.nbytes for part in parts)
    assert tokens == 4 * 61 * 20_000
    assert peak < 3 * tokens, f"{peak / tokens:.2f}"
    assert pyarrow.default_memory_pool().bytes_allocated() < tokens / 100


def test_texts_without_a_word_are_said_and_left_in(here, capsys):
    rows = [*ROWS, ("***", 5), (":-)", 1)]
    write(here / "a.csv", csv_text(rows))
    assert sum(map(len, contents(load()))) == 32
    said = capsys.readouterr().err
    assert (
        "data=files: 2 of 32 texts without anything that data.tokenizer=unicode takes for a word; "
        "they are left in"
    ) in said


def test_texts_that_are_all_without_a_word_are_refused(here):
    write(here / "a.csv", csv_text([("***", star) for star in (1, 2) * 9]))
    with pytest.raises(ValueError, match="texts need words, received 18 of 18 texts without"):
        load()
