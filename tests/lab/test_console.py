"""Commands whose output cannot be shown: they finish, and their files are whole."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import pytest

import seqnorm
from seqnorm.lab.console import Copy, Stream, command, copied, forgiving, track


def complaints_of(file, text: str = "told\n") -> list[str]:
    said: list[str] = []
    stream = Stream(file, said.append)
    for _ in range(3):
        assert stream.write(text) == len(text)
        stream.flush()
    return said


def test_a_reader_that_has_left_ends_nothing_and_is_not_talked_about():
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as file:
        assert complaints_of(file) == []


def test_a_full_disk_behind_standard_output_is_said_once():
    with open("/dev/full", "w") as file:
        assert complaints_of(file) == [
            "cannot be written to (No space left on device) and is left out from here on"
        ]


def test_a_stream_that_is_closed_or_was_never_there_ends_nothing():
    closed = io.StringIO()
    closed.close()
    assert len(complaints_of(closed)) == 1
    assert complaints_of(None) == []


def test_letters_that_a_terminal_cannot_show_are_shown_by_their_code():
    raw = io.BytesIO()
    terminal = io.TextIOWrapper(raw, encoding="ascii")
    assert complaints_of(terminal, "±") == []
    assert raw.getvalue() == rb"\xb1" * 3


@pytest.mark.parametrize("shell", ["| head -0", "> /dev/full", ">&-", ">&- 2>&-"])
def test_a_command_finishes_and_its_files_are_whole(shell, tmp_path):
    """A process without standard output would otherwise print into the first file it opens."""
    (tmp_path / "tool.py").write_text(
        "import sys, os\nfrom seqnorm.lab.console import command\n"
        "@command\ndef main(arguments):\n"
        "    with open('record', 'w') as file:\n"
        "        print('x' * 100_000); os.system('echo from C')\n"
        "        file.write('whole')\n    return 0\n"
        "code = main()\nopen('code', 'w').write(str(code))\nsys.exit(code)\n"
    )
    subprocess.run(
        f"{sys.executable} tool.py {shell}; echo $? > exit",
        shell=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        check=True,
    )
    assert (tmp_path / "record").read_text() == "whole"
    assert (tmp_path / "code").read_text() == "0"
    assert (tmp_path / "exit").read_text().strip() == "0"


def test_every_command_says_its_version(capsys):
    from seqnorm.lab.commands import bench, compare, report
    from seqnorm.lab.commands import check as checks
    from seqnorm.lab.commands import data as cards
    from seqnorm.lab.commands.train import main as train

    for main in (train, compare.main, report.main, cards.main, checks.main, bench.main):
        assert main(["--version"]) == 0
        assert capsys.readouterr().out == f"seqnorm {seqnorm.__version__}\n"


def test_what_was_printed_is_kept_as_it_stood_on_the_screen():
    copy = Copy()
    for text in ("one\ntw", "o\n", "\rbar 1\x1b[K", "\rbar 2\x1b[K", "\repoch 1\x1b[K\n", "end"):
        copy.write(text)
    assert copy.text() == "one\ntwo\nepoch 1\nend\n"


def test_both_streams_of_a_command_are_copied(capsys):
    with forgiving(), copied() as copy:
        print("out")
        print("err", file=sys.stderr)
    assert copy.text() == "out\nerr\n"
    with copied() as nothing:
        print("outside of a command")
    assert nothing.text() == ""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_a_bar_that_makes_room_for_other_lines(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr("sys.stdout", terminal)

    @command
    def main(arguments):
        for _ in track("ab", "Reading", 2):
            print("line")
        return 0

    main([])
    first, second = "[>                       ]", "[============>           ]"
    shown = [f"Reading {bar} {n}/2\r\x1b[Kline\n" for n, bar in enumerate((first, second))]
    assert terminal.getvalue() == "".join(shown)


def test_elsewhere_progress_is_one_line(capsys):
    assert list(track("ab", "Reading", 2)) == ["a", "b"]
    assert capsys.readouterr().err == "Reading ...\n"
