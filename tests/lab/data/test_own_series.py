"""Rows of numbers from files of the user's: every format gives the same, and the parts fit."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal

import numpy as np
import pytest

from seqnorm.lab.config.compose import compose
from seqnorm.lab.config.rules import ConfigError
from seqnorm.lab.data.own.series.recording import unnamed
from seqnorm.lab.data.own.series.unlabelled import rows
from seqnorm.lab.data.spec import Sequences
from tests.lab.data.own_series import (
    HEADER,
    LABELS,
    LENGTHS,
    ROWS,
    TAGS,
    VALUES,
    dense,
    load,
    long_columns,
    save,
    ts_text,
    write_long,
)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def contents(dataset):
    """The parts as rows in the units of the file, with their labels by name."""
    mean, spread = np.array(dataset.scale.mean), np.array(dataset.scale.spread)
    names = dataset.label_names
    return [
        [
            ((row * spread + mean).round(3).tolist(), names[label] if names else float(label))
            for row, label in zip(part.sequences, part.labels, strict=True)
        ]
        for part in (dataset.train, dataset.validation, dataset.test)
    ]


@pytest.fixture
def plain(here):
    save(here / "a.npz")
    return contents(load())


def test_a_file_becomes_three_parts_of_the_rows_that_it_has(plain):
    assert [len(part) for part in plain] == [9, 1, 2]
    assert sorted(label for _, label in plain[2]) == ["A", "a"]  # two classes, not one
    found = sorted(row for part in plain for row in part)
    expected = sorted(
        (row.astype(float).round(3).tolist(), label)
        for row, label in zip(ROWS, LABELS, strict=True)
    )
    for (row, label), (wanted, right) in zip(found, expected, strict=True):
        assert label == right
        np.testing.assert_allclose(row, wanted, atol=2e-3)


def test_padded_npz_gives_the_same(here, plain):
    save(here / "b.npz", values=dense())
    assert contents(load(train="b.npz")) == plain
    save(here / "b.npz", values=dense().astype(np.float64), labels=LABELS.astype("S"))
    assert contents(load(train="b.npz")) == plain


@pytest.mark.parametrize("name", ["b.ts", "b.ts.gz"])
def test_ts_gives_the_same_with_labels_as_they_are_written(name, here, plain):
    content = ts_text().encode("latin-1")  # a description is of any encoding
    (here / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    assert contents(load(train=name)) == plain


def test_lines_of_parquet_are_sorted_into_rows(here, plain):
    write_long(here / "b.parquet")
    assert contents(load(train="b.parquet")) == plain
    # Interleaved: ids keep the order in which they first stand.
    columns = long_columns()
    by_time = np.lexsort((columns["id"], [-time for time in columns["time"]]))
    order = [int(at) for at in np.argsort(by_time, kind="stable")]
    starts = np.concatenate([[0], np.cumsum(LENGTHS)[:-1]]).tolist()
    order = starts + [at for at in order if at not in starts]
    mixed = {name: [values[at] for at in order] for name, values in columns.items()}
    write_long(here / "b.parquet", **mixed)
    assert contents(load(train="b.parquet")) == plain


def test_parquet_takes_times_dictionaries_and_the_columns_that_are_named(here, plain):
    import pyarrow as pa

    columns = long_columns()
    ids = pa.array([f"id {number}" for number in columns["id"]]).dictionary_encode()
    times = pa.array([10**15 * time for time in columns["time"]], pa.timestamp("ns"))
    label = pa.array(columns["label"]).dictionary_encode()
    extra = {"z": columns["x"], "note": ["-"] * len(times)}
    write_long(here / "b.parquet", id=None, who=ids, time=times, label=None, kind=label, **extra)
    keys = {"train": "b.parquet", "id": "who", "label": "kind"}
    assert contents(load(**keys, features=["x", "y"])) == plain
    dataset = load(**keys)
    assert dataset.scale.features == ("x", "y", "z")  # the text is no number


def test_files_with_names_are_read_in_the_order_of_the_first(here):
    save(here / "a.npz", features=np.array(["x", "y"]))
    save(here / "t.npz", features=np.array(["y", "x"]), values=VALUES[:, ::-1])
    dataset = load(test="t.npz", standardize=False)
    np.testing.assert_array_equal(dataset.test.sequences.values, VALUES)
    assert dataset.scale.features == ("x", "y")


def test_several_files_are_one_part(here, plain):
    cut = int(LENGTHS[:5].sum())
    save(here / "p-0.npz", values=VALUES[:cut], lengths=LENGTHS[:5], labels=LABELS[:5])
    save(here / "p-1.npz", values=VALUES[cut:], lengths=LENGTHS[5:], labels=LABELS[5:])
    assert contents(load(train="p-*.npz")) == plain


def test_numbers_are_standardised_by_the_training_part_alone(here, plain):
    dataset = load()
    values = dataset.train.sequences.values
    assert values.dtype == np.float32 and dataset.scale.features == unnamed(2)
    np.testing.assert_allclose(values.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(values.std(axis=0), 1, atol=1e-5)
    far = [row + 100 for row in ROWS]
    save(here / "t.npz", values=np.concatenate(far))
    moved = load(test="t.npz")
    assert (moved.test.sequences.values.mean(axis=0) > 10).all()
    as_it_is = load(standardize=False)
    assert set(as_it_is.test.sequences.values[:, 0]) <= set(VALUES[:, 0])
    assert as_it_is.scale.mean == (0.0, 0.0)


def test_the_test_part_is_the_same_for_every_seed(here, plain):
    for seed in (1, 2, 3):
        found = contents(load(seed))
        assert [label for _, label in found[2]] == [label for _, label in plain[2]]
        assert {len(row) for row, _ in found[2]} == {len(row) for row, _ in plain[2]}
    save(here / "v.npz")
    assert [len(part) for part in contents(load(validation="v.npz"))] == [10, 12, 2]


def test_a_number_of_each_row(here):
    prices = np.linspace(-1, 1, 12)
    save(here / "a.npz", labels=prices)
    dataset = load(labels="number")
    assert dataset.label_names == () and dataset.train.labels.dtype == np.float32
    parts = (dataset.train, dataset.validation, dataset.test)
    found = np.concatenate([part.labels for part in parts])
    np.testing.assert_array_equal(np.sort(found), prices.astype(np.float32))
    header = HEADER.replace("@classLabel true a A", "@targetLabel true")
    (here / "b.ts").write_text(ts_text(header, labels=prices))
    assert contents(load(labels="number", train="b.ts")) == contents(dataset)


@pytest.mark.parametrize("kind", ["flat", "dense", "parquet"])
def test_a_label_at_every_step(kind, here):
    train = "a.parquet" if kind == "parquet" else "a.npz"
    if kind == "flat":
        save(here / train, labels=TAGS)
    elif kind == "dense":
        tags = dense([row[:, None] for row in np.split(TAGS, np.cumsum(LENGTHS)[:-1])])[..., 0]
        save(here / train, values=dense(), labels=np.nan_to_num(tags).astype(int))
    else:
        write_long(here / train, label=TAGS.tolist())
    dataset = load(labels="tags", train=train, standardize=False, max_length=4)
    assert dataset.label_names == ("0", "1", "2")
    place = {row.tobytes(): at for at, row in enumerate(VALUES)}
    for part in (dataset.train, dataset.validation, dataset.test):
        assert isinstance(part.labels, Sequences)
        assert part.labels.lengths.tolist() == part.sequences.lengths.tolist()
        for step, label in zip(part.sequences.values, part.labels.values, strict=True):
            assert label == TAGS[place[step.tobytes()]]


def test_steps_that_miss_a_number_are_left_out_where_that_is_wanted_and_it_is_said(here, capsys):
    values = VALUES.copy()
    values[1, 0] = values[2, 1] = np.nan  # two of the three steps of the first row
    save(here / "a.npz", labels=TAGS)
    save(here / "t.npz", values=values, labels=TAGS)
    dataset = load(labels="tags", standardize=False, missing="mask", test="t.npz")
    said = (
        f"data.test: 2 of {len(VALUES)} steps miss a number (2.9% of feature 1, 2.9% of feature 2)"
    )
    assert said in capsys.readouterr().err and dataset.notes[0].startswith(said)
    left, labels = dataset.test.sequences, dataset.test.labels
    assert left.lengths.tolist() == labels.lengths.tolist() == [1, *LENGTHS[1:]]
    np.testing.assert_array_equal(left.values, np.delete(VALUES, [1, 2], axis=0))
    np.testing.assert_array_equal(labels.values, np.delete(TAGS, [1, 2]))


def test_longer_rows_are_cut_at_the_end_that_is_named_and_it_is_said(here, capsys):
    save(here / "a.npz")
    save(here / "t.npz")
    dataset = load(max_length=2, truncate="head", test="t.npz", standardize=False)
    said = capsys.readouterr().err
    assert "data.train: 7 of 12 rows are longer than data.max_length=2 (up to 5 steps)" in said
    np.testing.assert_array_equal(dataset.test.sequences[4], ROWS[4][-2:])


def test_rows_in_two_parts_are_counted_and_said(here, capsys):
    save(here / "a.npz")
    save(here / "t.npz")
    load(test="t.npz")
    assert "12 of 12 test rows also stand in train or validation" in capsys.readouterr().err


def test_rows_to_be_answered_need_no_labels_and_have_the_features_of_the_training(here):
    names = np.array(["y", "x"])
    path = save(here / "b.npz", features=names, values=VALUES[:, ::-1], labels=None)
    for row, expected in zip(rows(path, ("x", "y")), ROWS, strict=True):
        np.testing.assert_array_equal(row, expected)
    assert len(list(rows(path, unnamed(2)))) == 12  # a network that knows no names
    with pytest.raises(ValueError, match="trained on the features x, z, received y, x"):
        next(rows(path, ("x", "z")))
    (here / "b.ts").write_text(ts_text())
    for row, expected in zip(rows(here / "b.ts", ("x", "y")), ROWS, strict=True):
        np.testing.assert_array_equal(row, expected)
    long = write_long(here / "b.parquet", label=None)
    for row, expected in zip(rows(long, ("y", "x")), ROWS, strict=True):
        np.testing.assert_array_equal(row, expected[:, ::-1])
    with pytest.raises(
        ValueError, match=r"are read from \.npz, \.ts .*; received the ending \.csv"
    ):
        next(rows(here / "b.csv", ("x", "y")))


def test_decimals_are_numbers_and_other_columns_are_named(here, capsys):
    import pyarrow as pa

    hundredths = [Decimal(round(float(value) * 100)) / 100 for value in VALUES[:, 0]]
    column = pa.array(hundredths, pa.decimal128(25, 2))
    write_long(here / "a.parquet", x=column, note=[["a"]] * len(VALUES), kind=["b"] * len(VALUES))
    dataset = load(train="a.parquet", standardize=False)
    said = capsys.readouterr().err
    assert "a.parquet: features are 2 (x, y); left out are note (list" in said
    assert "kind (string)" in said
    found = np.concatenate(
        [part.sequences.values for part in (dataset.train, dataset.validation, dataset.test)]
    )
    expected = np.array(hundredths, np.float64).astype(np.float32)
    np.testing.assert_array_equal(np.sort(found[:, 0]), np.sort(expected))


@pytest.mark.parametrize("noted", [True, False])
def test_the_index_that_pandas_wrote_is_no_feature_unless_it_is_named(here, capsys, noted):
    from pyarrow import parquet

    # What hands a table on may lose the note, and the name tells it then.
    index = "depth" if noted else "__index_level_0__"
    path = write_long(here / "a.parquet", **{index: np.arange(len(VALUES))})
    if noted:
        note = json.dumps({"index_columns": [index, {"kind": "range"}]})
        parquet.write_table(
            parquet.read_table(path).replace_schema_metadata({"pandas": note}), path
        )
    assert load(train="a.parquet").train.sequences.features == 2
    assert f"features are 2 (x, y); left out are {index} (int64)" in capsys.readouterr().err
    assert load(train="a.parquet", features=["x", index]).train.sequences.features == 2


def test_a_file_that_names_its_features_leaves_nothing_to_be_said(here, capsys):
    save(here / "a.npz", features=np.array(["x", "y"]))
    load()
    assert "features are" not in capsys.readouterr().err


def test_a_feature_is_named_once():
    with pytest.raises(ConfigError, match="must be names, each once"):
        compose(["data=series", "data.train=a.parquet", "data.features=[x,x]"])


@pytest.mark.parametrize("name", ["a.npz", "a.parquet"])
def test_memory_stays_near_that_of_the_numbers(name, here, monkeypatch):
    """Counted by tracemalloc, which sees NumPy's arrays; Arrow's own memory is looked at beside.

    At this size the pieces, which do not grow with the rows, are made small.
    """
    import tracemalloc

    import pyarrow

    for module in ("spec", "scale"):
        monkeypatch.setattr(f"seqnorm.lab.data.{module}.PIECE", 2**11)
    lengths = np.full(2_000, 100)
    values = np.random.default_rng(0).normal(size=(lengths.sum(), 4)).astype(np.float32)
    labels = np.arange(len(lengths)) % 3
    if name == "a.npz":
        save(here / name, values=values, lengths=lengths, labels=labels)
    else:
        write_long(
            here / name,
            id=np.repeat(np.arange(len(lengths)), lengths),
            time=np.tile(np.arange(100), len(lengths)),
            label=np.repeat(labels, lengths),
            **{key: values[:, at] for at, key in enumerate("xyzw")},
        )
    size = values.nbytes
    del values
    pool = pyarrow.default_memory_pool()
    before = pool.bytes_allocated()
    tracemalloc.start()
    dataset = load(train=name)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(dataset.train) == 1440
    assert peak < 3.5 * size, f"{peak / size:.2f}"
    assert pool.bytes_allocated() - before < size / 100
