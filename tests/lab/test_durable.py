"""Files that are whole or not there, whoever else writes them."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys

import pytest

from seqnorm.lab.durable import DiskError, of_disk, write_bytes, write_text, writing
from seqnorm.lab.tracking.jsonl import JsonlSink


def test_of_two_processes_that_write_a_file_at_once_none_fails(tmp_path):
    code = (
        "import sys; from pathlib import Path; from seqnorm.lab.durable import write_text\n"
        "for _ in range(100): write_text(Path(sys.argv[1]), sys.argv[2] * 100_000)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "page")]
    writers = [subprocess.Popen([*command, letter]) for letter in "ab"]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    assert (tmp_path / "page").read_text() in ("a" * 100_000, "b" * 100_000)
    assert [path.name for path in tmp_path.iterdir()] == ["page"]


def test_a_write_that_fails_leaves_what_was_there(tmp_path):
    write_text(tmp_path / "page", "first")
    with pytest.raises(TypeError):
        write_bytes(tmp_path / "page", "no bytes")  # type: ignore[arg-type]
    assert [path.read_text() for path in tmp_path.iterdir()] == ["first"]


def test_a_full_disk_names_the_file_and_what_is_safe(tmp_path):
    write_text(tmp_path / "page", "first")
    (tmp_path / f".page.{os.getpid()}").symlink_to("/dev/full")  # where the new one is made
    with pytest.raises(DiskError) as caught:
        write_text(tmp_path / "page", "second")
    assert str(caught.value) == (
        f"{tmp_path}/page could not be written: No space left on device. Files that were finished "
        "before are whole; a run without result.json is unfinished. Make room or choose another "
        "folder, and start again."
    )
    assert [path.read_text() for path in tmp_path.iterdir()] == ["first"]
    assert of_disk(caught.value)
    again = pickle.loads(pickle.dumps(caught.value))  # as from a launcher's process
    assert str(again) == str(caught.value)


def test_the_records_of_a_run_name_their_file(tmp_path):
    (tmp_path / "metrics.jsonl").symlink_to("/dev/full")
    sink = JsonlSink()
    sink.start({}, "run", tmp_path)
    with pytest.raises(DiskError, match=r"metrics\.jsonl could not be written"):
        sink.log("train", 1, {"loss": 0.5})
    with pytest.raises(DiskError, match=r"metrics\.jsonl could not be written"):
        sink.close()


def test_hdf5_says_it_only_in_words(tmp_path):
    words = "Can't write data (file write failed: errno = 28, error message = 'No space left')"
    named = "model could not be written: No space left on device"
    with pytest.raises(DiskError, match=named), writing(tmp_path / "model"):
        raise OSError(words)
    with pytest.raises(FileNotFoundError), writing(tmp_path / "model"):
        raise FileNotFoundError(2, "No such file")  # is not the disk's
