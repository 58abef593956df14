"""Files that are whole or not there, whoever else writes them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from seqnorm.lab.durable import write_bytes, write_text


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
