from __future__ import annotations

import gzip
import json
import re
from collections import Counter, defaultdict
from dataclasses import asdict

import numpy as np
import pytest

from seqnorm.lab.data.reuters import ids as reuters
from seqnorm.lab.data.reuters import newswires, sgml, topics
from tests.lab.data import files
from tests.lab.data.files import cut, write_archive, write_newswires


@pytest.fixture(scope="module")
def published(real_data) -> list[newswires.Document]:
    return newswires.read(newswires.find(real_data))


def ids(parts: dict[str, list[newswires.Document]]) -> tuple[list[int], list[int]]:
    return [d.id for d in parts["train"]], [d.id for d in parts["test"]]


def test_subsets_by_hand(tmp_path):
    documents = newswires.read(write_newswires(tmp_path))
    assert len(documents) == 16
    assert ids(newswires.subset(documents, "r8")) == ([1, 2, 3, 4, 6, 7, 9, 10], [12, 13, 14, 15])
    assert ids(newswires.subset(documents, "r52")) == (
        [1, 2, 3, 4, 6, 7, 8, 9, 10],
        [12, 13, 14, 15],
    )
    assert ids(newswires.subset(documents, "modapte"))[0] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    # 3 and 15 have no body, 7 and 13 contradict one another, 6 is the text of 12.
    assert ids(newswires.subset(documents, "clean")) == ([1, 2, 4, 8, 9, 10], [12, 14])


def test_sgml_of_the_archive():
    text = """<!DOCTYPE lewis SYSTEM "lewis.dtd">
<REUTERS TOPICS="YES" LEWISSPLIT="TEST" CGISPLIT="TRAINING-SET" OLDID="5544" NEWID="14828">
<DATE>26-FEB-1987 15:01:01.79</DATE>
<TOPICS><D>acq</D><D>nat-gas</D></TOPICS>
<PLACES><D>usa</D></PLACES>
<TEXT>&#2;
<TITLE>AT&amp;T &lt;T> UP</TITLE>
<DATELINE>    NEW YORK, Feb 26 - </DATELINE><BODY>It rose to &amp;lt; ten.
    More.
 Reuter
&#3;</BODY></TEXT>
</REUTERS>
<REUTERS TOPICS="NO" LEWISSPLIT="TRAIN" CGISPLIT="TRAINING-SET" OLDID="1" NEWID="2">
<TOPICS></TOPICS>
<TEXT TYPE="UNPROC">&#2;
REPEAT - caf\xe9
&#3;</TEXT>
</REUTERS>
<REUTERS TOPICS="YES" LEWISSPLIT="NOT-USED" CGISPLIT="TEST-SET" OLDID="1" NEWID="3">
<TOPICS><D>earn</D></TOPICS>
<TEXT TYPE="BRIEF">&#2;
******<TITLE>BRIEF</TITLE>
</TEXT>
</REUTERS>"""
    first, second, third = sgml.parse(text)
    assert first == {
        "id": 14828,
        "part": "test",
        "topics": ("acq", "nat-gas"),
        "title": "AT&T <T> UP",
        "body": "It rose to &lt; ten.\n    More.\n Reuter\n",
        "has_body": True,
    }
    assert (second["part"], second["topics"], second["has_body"]) == ("unused", (), False)
    assert second["body"].strip() == "REPEAT - café"
    assert (third["part"], third["title"], third["has_body"]) == ("unused", "BRIEF", False)


def test_archive_and_lines_give_the_same_documents(tmp_path):
    documents = newswires.read(write_newswires(tmp_path))
    halves = {
        # out of order in the archive: files count by name
        "reut2-001.sgm": files.sgml(asdict(d) for d in documents[8:]),
        "reut2-000.sgm": files.sgml(asdict(d) for d in documents[:8]),
        "README.txt": "Not SGML.",
    }
    archive = write_archive(tmp_path / newswires.ARCHIVE, halves)
    assert newswires.read(archive) == documents


def test_real_newswires_survive_the_form_of_the_archive(published, tmp_path):
    some = [d for d in published[::40] if all(ord(letter) < 256 for letter in d.text)]
    assert len(some) > 500 and not all(d.has_body for d in some)
    text = files.sgml(asdict(d) for d in some)
    archive = write_archive(tmp_path / newswires.ARCHIVE, {"reut2-000.sgm": text})
    again = newswires.read(archive)
    assert [(d.id, d.part, d.topics, d.title.split(), d.body) for d in again] == [
        (d.id, d.part, d.topics, d.title.split(), d.body) for d in some
    ]


def test_lines_come_before_the_archive_and_one_of_them_must_be_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"reuters21578\.tar\.gz is required.*kdd\.ics"):
        newswires.find(tmp_path)
    archive = write_archive(tmp_path / newswires.ARCHIVE, {})
    assert newswires.find(tmp_path) == archive
    lines = write_newswires(tmp_path)
    assert newswires.find(str(tmp_path)) == lines


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
@pytest.mark.parametrize("name", [newswires.LINES, newswires.ARCHIVE])
def test_a_truncated_file_is_one_error_that_names_it(tmp_path, name, share):
    path = write_newswires(tmp_path)
    if name == newswires.ARCHIVE:
        text = files.sgml(asdict(d) for d in newswires.read(path))
        path = write_archive(tmp_path / name, {"reut2-000.sgm": text})
    cut(path, share)
    with pytest.raises(OSError, match=rf"{name} must be the documents of Reuters-21578"):
        newswires.read(path)


@pytest.mark.parametrize("line", ["{", "[]", '{"id": 1}', ""])
def test_other_lines_are_refused(tmp_path, line):
    path = tmp_path / newswires.LINES
    with gzip.open(path, "wt") as file:
        file.write(line)
    with pytest.raises(OSError, match="must be the documents of Reuters-21578"):
        newswires.read(path)


def test_another_content_is_refused(tmp_path):
    for path in (write_newswires(tmp_path), write_archive(tmp_path / newswires.ARCHIVE, {})):
        with pytest.raises(OSError, match=rf"{path.name} must be the published file.*checksum"):
            newswires.verify(path)


def test_published_counts(published, real_data):
    newswires.verify(newswires.find(real_data))
    assert len(published) == 21_578
    assert Counter(d.part for d in published) == {"train": 9603, "test": 3299, "unused": 8676}
    counts = {
        name: tuple(len(newswires.subset(published, name)[part]) for part in ("train", "test"))
        for name in newswires.SUBSETS
    }
    assert counts == {
        "modapte": (7770, 3019),
        "r52": (6532, 2568),
        "r8": (5485, 2189),
        "clean": (5928, 2334),
    }


def test_topics_are_those_of_the_definitions(published, real_data):
    parts = {part: [d for d in published if d.part == part] for part in ("train", "test")}

    def in_both(documents: dict[str, list[newswires.Document]]) -> set[str]:
        train, test = ({t for d in documents[part] for t in d.topics} for part in documents)
        return train & test

    single = {part: [d for d in some if len(d.topics) == 1] for part, some in parts.items()}
    assert list(topics.MODAPTE) == sorted(in_both(parts)) and len(topics.MODAPTE) == 90
    assert list(topics.R52) == sorted(in_both(single)) and len(topics.R52) == 52
    frequent = Counter(topic for some in parts.values() for d in some for topic in d.topics)
    largest = {topic for topic, _ in frequent.most_common(10)}
    assert list(topics.R8) == sorted(largest & set(topics.R52)) and len(topics.R8) == 8
    names = json.loads((real_data / "reuters_label_names.json").read_text(encoding="utf-8"))
    assert tuple(names) == topics.KERAS46


def test_the_flaws_of_keras_reuters_and_that_clean_has_none(published, real_data):
    """Each flaw, counted the same way in what Keras publishes and in the clean subset."""
    with gzip.open(real_data / newswires.LINES, "rt", encoding="utf-8") as file:
        place = {r["id"]: r["keras_index"] for r in map(json.loads, file)}
    train, test = reuters.read(real_data / reuters.ROWS)
    order = np.arange(11_228)
    np.random.RandomState(113).shuffle(order)
    rows = {
        int(number): (tuple(row), label, part)
        for part, (sequences, labels), numbers in (
            ("train", train, order[:8982]),
            ("test", test, order[8982:]),
        )
        for number, row, label in zip(numbers, sequences, labels.tolist(), strict=True)
    }
    in_keras = [d for d in published if place[d.id] is not None]
    assert flaws(in_keras, {d.id: rows[place[d.id]] for d in in_keras}) == {
        "no text of its own": 975,
        "text under two labels": 886,
        "test text in train": 237,
        "several topics": 1821,
    }
    clean = newswires.subset(published, "clean")
    documents = [*clean["train"], *clean["test"]]
    texts = {
        d.id: (tuple(re.findall(r"\w+", d.body.lower())), d.topics[0], d.part) for d in documents
    }
    assert set(flaws(documents, texts).values()) == {0}
    # r52 itself, whose texts are its own: headlines without a body are all that is wrong with it,
    # and seven of them contradict one another.
    r52 = newswires.subset(published, "r52")
    documents = [*r52["train"], *r52["test"]]
    texts = {d.id: (tuple(d.text.split()), d.topics[0], d.part) for d in documents}
    assert flaws(documents, texts) == {
        "no text of its own": 604 + 234,
        "text under two labels": 7,
        "test text in train": 1,
        "several topics": 0,
    }


def flaws(documents, texts) -> dict[str, int]:
    """``texts`` holds (text, label, part) by document."""
    labels = defaultdict(set)
    for text, label, _ in texts.values():
        labels[text].add(label)
    trained = {text for text, _, part in texts.values() if part == "train"}
    return {
        "no text of its own": sum(not d.has_body for d in documents),
        "text under two labels": sum(len(labels[text]) > 1 for text, _, _ in texts.values()),
        "test text in train": sum(
            part == "test" and text in trained for text, _, part in texts.values()
        ),
        "several topics": sum(len(d.topics) > 1 for d in documents),
    }


def test_only_cpu_loses_its_test_document(published):
    clean = newswires.subset(published, "clean")
    assert {d.topics[0] for d in clean["train"]} == set(topics.R52)
    assert set(topics.R52) - {d.topics[0] for d in clean["test"]} == {"cpu"}
