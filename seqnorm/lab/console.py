"""What commands say to a person. Nobody's work ends because nobody can be told.

The record of a run is its folder. A reader that has left (``| head -1``), a full disk behind ``>``,
a closed stream and letters that a terminal cannot show therefore end nothing: a stream that cannot
be written to is left out from there on, which standard error is told unless the reader chose it,
and letters are shown by their code.
"""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from functools import wraps
from typing import Any, TextIO, TypeVar

import seqnorm
from seqnorm.spelling import uncoloured as uncoloured

WIDTH = 24  # characters of a bar; the whole line stays below 100
KEPT_LINES = 2000  # of what a run prints, should it fail
_ERASE = "\r\x1b[K"

Item = TypeVar("Item")


def bar(done: int, total: int) -> str:
    """``[=====>     ]``, filled as far as it is done."""
    return f"[{('=' * (WIDTH * done // total) + '>')[:WIDTH].ljust(WIDTH)}]"


class Stream:
    """A text stream that goes on when it cannot be written to.

    Args:
        stream: where to write; None if the process was started without.
        complain: told once why it is written to no more.
    """

    def __init__(self, stream: TextIO | None, complain: Callable[[str], None]) -> None:
        self._stream, self._complain = stream, complain
        self.copies: list[Copy] = []

    def write(self, text: str) -> int:
        """Write if it can be; never an error of the stream's."""
        for copy in self.copies:
            copy.write(text)
        if self._stream is not None:
            _Status.erase()
            encoding = self._stream.encoding or "utf-8"
            shown = text.encode(encoding, "backslashreplace").decode(encoding)
            self._attempt(lambda stream: stream.write(shown))
        return len(text)

    def flush(self) -> None:
        """Likewise."""
        self._attempt(lambda stream: stream.flush())

    def _attempt(self, act: Callable[[TextIO], Any]) -> None:
        if self._stream is None:
            return
        try:
            act(self._stream)
        except (OSError, ValueError) as error:  # a stream that was closed raises ValueError
            stream, self._stream = self._stream, None
            _discard(stream)
            if not isinstance(error, BrokenPipeError):  # that reader has left of its own will
                reason = getattr(error, "strerror", None) or error
                self._complain(f"cannot be written to ({reason}) and is left out from here on")

    def isatty(self) -> bool:
        """Whether a person sees lines that are drawn again."""
        return self._stream is not None and self._stream.isatty()

    def __getattr__(self, name: str) -> Any:
        if self._stream is None and name == "encoding":
            return "utf-8"
        return getattr(self._stream, name)


def _discard(stream: TextIO) -> None:
    """Points a broken stream nowhere: Python flushes it once more at the end of the process."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


@contextmanager
def forgiving() -> Iterator[None]:
    """Makes standard output and standard error such streams for a while."""
    if isinstance(sys.stdout, Stream) and isinstance(sys.stderr, Stream):
        yield
        return
    _fill_closed()
    errors = Stream(sys.stderr, lambda reason: None)
    output = Stream(sys.stdout, lambda reason: _tell(errors, f"standard output {reason}"))
    with redirect_stdout(output), redirect_stderr(errors):
        try:
            yield
        finally:
            _Status.erase()
            output.flush()
            errors.flush()


def _fill_closed() -> None:
    """Opens what the process was started without, or its first file would be standard output."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free


def _tell(stream: Stream, line: str) -> None:
    stream.write(f"seqnorm: {line}\n")
    stream.flush()


def command(main: Callable[[Sequence[str] | None], int]) -> Callable[..., int]:
    """Makes a function of arguments a command: forgiving streams, and ``--version``."""

    @wraps(main)
    def run(arguments: Sequence[str] | None = None) -> int:
        with forgiving():
            if "--version" in (sys.argv[1:] if arguments is None else arguments):
                print(f"seqnorm {seqnorm.__version__}")
                return 0
            return main(arguments)

    return run


class Copy:
    """What was printed last, as it stood on the screen: of a line drawn again only its end."""

    def __init__(self) -> None:
        self._ended: deque[str] = deque(maxlen=KEPT_LINES)
        self._line = ""

    def write(self, text: str) -> None:
        """Take what a stream was given."""
        *ended, last = (self._line + text).split("\n")
        self._ended.extend(map(_as_seen, ended))
        self._line = _as_seen(last)

    def text(self) -> str:
        """The lines that were kept, each ended."""
        return "".join(f"{line}\n" for line in (*self._ended, self._line) if line)


def _as_seen(line: str) -> str:
    return line.replace("\x1b[K", "").rstrip("\r").rpartition("\r")[2]


@contextmanager
def copied() -> Iterator[Copy]:
    """Gives what is printed inside; outside of a command, whose streams can be copied, nothing."""
    copy = Copy()
    streams = [s for s in (sys.stdout, sys.stderr) if isinstance(s, Stream)]
    for stream in streams:
        stream.copies.append(copy)
    try:
        yield copy
    finally:
        for stream in streams:
            stream.copies.remove(copy)


class _Status:
    """The line on standard error that says how far something is; there is one at a time."""

    shown_on: TextIO | None = None

    @classmethod
    def show(cls, line: str) -> None:
        cls.erase()
        stream = sys.stderr
        stream.write(line)
        stream.flush()
        cls.shown_on = stream

    @classmethod
    def erase(cls) -> None:
        """Take the line away, before anything else is written to the terminal."""
        stream, cls.shown_on = cls.shown_on, None
        if stream is not None:
            stream.write(_ERASE)
            stream.flush()


def track(items: Iterable[Item], what: str, total: int) -> Iterator[Item]:
    """The items one by one, while standard error says how far they are.

    On a terminal that is a bar which goes away at the end; elsewhere it is one line at the begin.
    """
    every = max(total // 100, 1)
    live = sys.stderr.isatty()
    if not live:
        print(f"{what} ...", file=sys.stderr, flush=True)
    try:
        for number, item in enumerate(items):
            if live and number % every == 0:
                _Status.show(f"{what} {bar(number, total)} {number}/{total}")
            yield item
    finally:
        _Status.erase()
