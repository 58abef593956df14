"""The builder for TensorFlow Datasets, through nothing but ``tfds``."""

from __future__ import annotations

import json
import subprocess
import sys
from subprocess import PIPE
from types import SimpleNamespace

import pytest
import tensorflow_datasets as tfds

import seqnorm.lab.data
from seqnorm.lab.data.reuters import ids as reuters
from seqnorm.lab.data.reuters import newswires, topics
from tests.lab.data.files import cut, write_newswires, write_reuters
from tests.tiers import exhaustive

COUNTS = {
    "keras46": (8982, 2246),
    "r8": (5485, 2189),
    "r52": (6532, 2568),
    "modapte": (7770, 3019),
    "clean": (5928, 2334),
}
LABELS = {
    "keras46": topics.KERAS46,
    "r8": topics.R8,
    "r52": topics.R52,
    "modapte": topics.MODAPTE,
    "clean": topics.R52,
}


def load(name, folder, manual=None, **arguments):
    config = tfds.download.DownloadConfig(manual_dir=manual)
    return tfds.load(
        f"reuters21578/{name}",
        data_dir=folder,
        download_and_prepare_kwargs={"download_config": config},
        **arguments,
    )


def test_importing_the_data_package_is_enough():
    code = (
        "import seqnorm.lab.data, sys; assert 'tensorflow' not in sys.modules;"
        "import tensorflow_datasets as tfds;"
        "print(sorted(tfds.builder_cls('reuters21578').builder_configs))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(sorted(COUNTS))


@pytest.mark.parametrize("name", COUNTS)
def test_the_card_needs_no_data(name, tmp_path):
    info = tfds.builder(f"reuters21578/{name}", data_dir=tmp_path).info
    label = info.features["labels"].feature if name == "modapte" else info.features["label"]
    assert tuple(label.names) == LABELS[name]
    assert "Reuters-21578, Distribution 1.0" in info.citation
    assert "for research purposes only" in " ".join(info.description.split())
    assert info.supervised_keys[0] == ("ids" if name == "keras46" else "text")
    train, test = COUNTS[name]
    assert f"| `{name}` | {train:,} / {test:,} | {len(LABELS[name])}" in info.description


def test_downloads_have_the_published_checksums():
    known = seqnorm.lab.data.reuters.reuters21578.Builder.url_infos
    archive = known[newswires.URL]
    assert (archive.checksum, archive.size) == (newswires.ARCHIVE_HASH, 8_150_596)
    assert {info.checksum for info in known.values()} == {
        newswires.ARCHIVE_HASH,
        reuters.FILES[reuters.ROWS],
    }


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=exhaustive) if name in ("modapte", "r8", "r52") else name
        for name in COUNTS
    ],
)
def test_published_counts(real_data, tmp_path, no_network, name):
    parts, info = load(name, tmp_path, manual=real_data, with_info=True)
    counts = info.splits["train"].num_examples, info.splits["test"].num_examples
    assert counts == COUNTS[name]
    examples = list(tfds.as_numpy(parts["test"]))
    if name == "keras46":
        _, (rows, labels) = reuters.read(real_data / reuters.ROWS)
        ours = sorted(((1, *(row + 3)), label) for row, label in zip(rows, labels, strict=True))
        assert sorted((tuple(e["ids"]), e["label"]) for e in examples) == ours
        first = {tuple(e["ids"][:7]) for e in tfds.as_numpy(parts["train"])}
        assert (1, 27595, 28842, 8, 43, 10, 447) in first  # x_train[0] in Keras's own example
        return
    documents = newswires.subset(newswires.read(newswires.find(real_data)), name)["test"]
    by_id = {document.id: document for document in documents}
    for example in examples:
        document = by_id.pop(example["id"])
        assert example["text"].decode() == document.text
        assert example["title"].decode() == document.title
        assert example["has_body"] == document.has_body
        numbers = example["labels"] if name == "modapte" else [example["label"]]
        known = [topic for topic in document.topics if topic in LABELS[name]]
        assert [LABELS[name][number] for number in numbers] == known
    assert not by_id and not no_network
    if name == "modapte":
        assert {1, 2, 3, 4, 5} < {len(example["labels"]) for example in examples}


def test_sources_are_also_found_in_the_folder_of_the_data(real_data, tmp_path, no_network):
    (tmp_path / newswires.LINES).symlink_to(real_data / newswires.LINES)
    parts = load("r8", tmp_path, split=["train[:10]"])
    assert len(list(parts[0])) == 10
    assert not no_network


@pytest.mark.parametrize("share", [1.0, 0.5])
@pytest.mark.parametrize(("name", "write"), [("r8", write_newswires), ("keras46", write_reuters)])
def test_another_content_is_refused_and_nothing_is_left(tmp_path, name, write, share):
    manual, folder = tmp_path / "manual", tmp_path / "data"
    manual.mkdir()
    write(manual)
    for path in manual.iterdir():
        cut(path, share)
    with pytest.raises(OSError, match="damaged or incomplete"):
        load(name, folder, manual)
    assert not list((folder / "reuters21578" / name).glob("*"))
    assert not list(folder.glob("*.partial"))


@exhaustive
def test_two_processes_at_once_prepare_it_once(real_data, tmp_path):
    code = (
        "import sys, seqnorm.lab.data, tensorflow_datasets as tfds;"
        "config = tfds.download.DownloadConfig(manual_dir=sys.argv[1]);"
        "builder = tfds.builder('reuters21578/r8', data_dir=sys.argv[2]);"
        "builder.download_and_prepare(download_config=config);"
        "print(builder.info.splits['test'].num_examples)"
    )
    command = [sys.executable, "-c", code, str(real_data), str(tmp_path)]
    both = [subprocess.Popen(command, stdout=PIPE, stderr=PIPE, text=True) for _ in range(2)]
    printed = [process.communicate(timeout=120)[0].splitlines()[-1] for process in both]
    assert printed == ["2189", "2189"]
    made = [path.name for path in (tmp_path / "reuters21578/r8").iterdir()]
    assert made == ["1.0.0"]
    info = json.loads((tmp_path / "reuters21578/r8/1.0.0/dataset_info.json").read_text())
    assert {split["name"] for split in info["splits"]} == {"train", "test"}


def test_what_a_killed_process_left_is_swept(real_data, tmp_path, no_network):
    half = tmp_path / "reuters21578/r8/incomplete.ABCDEF_1.0.0"
    half.mkdir(parents=True)
    (half / "reuters21578-train.tfrecord-00000-of-00001").write_bytes(b"half")
    load("r8", tmp_path, manual=real_data)
    assert [path.name for path in half.parent.iterdir()] == ["1.0.0"]


def test_an_archive_that_is_there_needs_no_network(tmp_path, no_network):
    """TFDS keeps downloads in a folder named like the data set, with a note of the address."""
    builder = tfds.builder("reuters21578/r52", data_dir=tmp_path)
    kept = tmp_path / "downloads" / "reuters21578"
    kept.mkdir(parents=True)
    (kept / "kdd_reuters21578.tar.gz").write_bytes(b"an archive")
    url = "https://localhost/reuters"
    (kept / "kdd_reuters21578.tar.gz.INFO").write_text(json.dumps({"urls": [url]}))
    manager = SimpleNamespace(
        manual_dir=tmp_path / "nowhere",
        download_dir=tmp_path / "downloads",
        download=lambda url: kept / "kdd_reuters21578.tar.gz",
    )
    assert builder._source(manager, ["absent.tar.gz"], url).parent == kept
    assert not no_network
    with pytest.raises(OSError, match=r"absent\.tar\.gz is required"):  # another one is no help
        builder._source(manager, ["absent.tar.gz"], "https://localhost/another")


def test_without_a_network_it_says_so_at_once(tmp_path, no_network):
    with pytest.raises(OSError, match=r"reuters21578\.tar\.gz is required .*Check the network"):
        load("r8", tmp_path)
    assert no_network
    assert not list((tmp_path / "reuters21578/r8").glob("*"))
