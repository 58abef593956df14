from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time

import pytest

from seqnorm.lab.data import sources, staging

CONTENT = b"one two three"
GOOD = hashlib.sha256(CONTENT).hexdigest()


def visible(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".lock"))


def test_what_is_not_moved_is_gone(tmp_path):
    with staging.exclusive(tmp_path / "new", "thing") as folder:
        (folder / "half").write_text("h")
        assert visible(tmp_path / "new") == [".thing.partial"]
    assert visible(tmp_path / "new") == []
    with pytest.raises(ZeroDivisionError), staging.exclusive(tmp_path, "thing") as folder:
        (folder / "half").mkdir()
        raise ZeroDivisionError
    assert visible(tmp_path) == ["new"]


def test_what_a_killed_process_left_is_swept_by_the_next(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from seqnorm.lab.data import staging\n"
        "with staging.exclusive(Path(sys.argv[1]), 'thing') as folder:\n"
        "    (folder / 'half').write_text('h'); print('made', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "made\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert visible(tmp_path) == [".thing.partial"]
    with staging.exclusive(tmp_path, "thing") as folder:
        assert list(folder.iterdir()) == []
    assert visible(tmp_path) == []


def test_a_second_process_waits(tmp_path):
    code = (
        "import sys; from pathlib import Path; from seqnorm.lab.data import staging\n"
        "print('ready', flush=True)\n"
        "with staging.exclusive(Path(sys.argv[1]), 'thing'): print('in', flush=True)"
    )
    with staging.exclusive(tmp_path, "thing"):
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        time.sleep(0.3)
        assert process.poll() is None
    assert process.communicate(timeout=30)[0] == "in\n"


def test_a_folder_takes_the_place_of_another_whole(tmp_path):
    target, made = tmp_path / "card", tmp_path / "staged" / "card"
    for content in ("old", "new"):
        made.mkdir(parents=True)
        (made / f"{content}.md").write_text(content)
        staging.move_into(made, target)
        for rest in made.parent.rglob("*"):
            if rest.is_file():
                rest.unlink()
    assert [path.name for path in target.iterdir()] == ["new.md"]


def unwritable(tmp_path):
    """Folders in which nothing can be made, also by root."""
    (tmp_path / "file").touch()
    yield tmp_path / "file" / "below"
    yield tmp_path / "file"
    if os.geteuid():
        (tmp_path / "locked").mkdir(mode=0o500)
        yield tmp_path / "locked"


def test_an_unwritable_folder_is_named(tmp_path):
    for folder in unwritable(tmp_path):
        with (
            pytest.raises(OSError, match=rf"{folder} must be a folder that can be written to"),
            staging.exclusive(folder, "thing"),
        ):
            pass
        with pytest.raises(OSError, match="can be written to"):
            sources.fetch(folder / "words.txt", "http://127.0.0.1:9/words.txt", GOOD)
    assert (tmp_path / "file").read_bytes() == b""


def test_md5_and_sha256(tmp_path):
    path = tmp_path / "words.txt"
    path.write_bytes(CONTENT)
    assert staging.has_hash(path, GOOD)
    assert staging.has_hash(path, hashlib.md5(CONTENT).hexdigest())
    assert not staging.has_hash(path, "0" * 64)
