"""SIGTERM and SIGHUP end a command as Ctrl-C does: a message, everything closed, 128 + the signal.

A batch system, `timeout` and a closed terminal send these, and Python would end at once: W&B runs
would stay open and worker processes would go on. A run that is asked to end saves itself first, at
a moment of its own (`deferred`).
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from types import FrameType
from typing import Any, ParamSpec

_Arguments = ParamSpec("_Arguments")
# By name: Windows has no SIGHUP.
_NUMBERS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]
# By which batch systems and launchers say that the time is up; only where somebody listens.
_WARNINGS = [getattr(signal, name) for name in ("SIGUSR1", "SIGUSR2") if hasattr(signal, name)]


class Stopped(KeyboardInterrupt):
    """A signal that asks the process to end.

    Args:
        number: of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


def exit_code(stop: KeyboardInterrupt) -> int:
    """What a shell reports of a process that a signal ended: 130, 143 or 129."""
    return 128 + (stop.number if isinstance(stop, Stopped) else signal.SIGINT)


@contextmanager
def stoppable(first: Callable[[], None] | None = None) -> Iterator[None]:
    """Raises `Stopped` in a block that is asked to end; what is ignored (nohup) stays ignored.

    Args:
        first: called before the error is raised, wherever the program stands.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # signals belong to the main thread
        return

    def stop(number: int, frame: FrameType | None) -> None:
        for each in handlers:
            signal.signal(each, handlers[each])  # a second one does not wait for the first
        if first is not None:
            first()
        raise Stopped(number)

    found = {number: signal.getsignal(number) for number in _NUMBERS}
    handlers = {
        number: handler
        for number, handler in found.items()
        if handler is not None and handler is not signal.SIG_IGN
    }
    for number in handlers:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


class Request:
    """A signal that waits for a moment that suits.

    Attributes:
        number: of the signal; None as long as there is none.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self.handlers: dict[int, Callable[[int, FrameType | None], Any]] = {}

    def heed(self) -> None:
        """Does now what the signal would have done; nothing without one."""
        number, self.number = self.number, None
        if number is not None:
            self.handlers[number](number, None)


@contextmanager
def deferred() -> Iterator[Request]:
    """Has signals in a block wait until `Request.heed`; a second one does not wait.

    Only those that Python handles: what is ignored (nohup), and what ends the process at once, is
    left as it is.
    """
    request = Request()
    if threading.current_thread() is not threading.main_thread():
        yield request  # signals belong to the main thread
        return

    def note(number: int, frame: FrameType | None) -> None:
        if request.number is not None:
            request.heed()
        request.number = number

    found = {number: signal.getsignal(number) for number in (*_NUMBERS, *_WARNINGS)}
    request.handlers = {number: each for number, each in found.items() if callable(each)}
    for number in request.handlers:
        signal.signal(number, note)
    try:
        yield request
    finally:
        for number, handler in request.handlers.items():
            if signal.getsignal(number) is note:
                signal.signal(number, handler)
    request.heed()


@contextmanager
def at_once() -> Iterator[None]:
    """Has the system end the process at a signal in a block that waits where Python cannot.

    Nothing is closed then: for blocks that come before there is anything to close. Handlers that
    the block sets are replaced by those of before.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # signals belong to the main thread
        return
    found = {number: signal.getsignal(number) for number in _NUMBERS}
    handlers = {number: each for number, each in found.items() if callable(each)}
    for number in handlers:
        signal.signal(number, signal.SIG_DFL)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def interruptible(
    message: str,
) -> Callable[[Callable[_Arguments, int]], Callable[_Arguments, int]]:
    """Has a command that is asked to end say a message and return the signal's exit code."""

    def decorate(command: Callable[_Arguments, int]) -> Callable[_Arguments, int]:
        @wraps(command)
        def interrupted(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> int:
            try:
                with stoppable():
                    return command(*args, **kwargs)
            except KeyboardInterrupt as stop:
                print(message, file=sys.stderr)
                return exit_code(stop)

        return interrupted

    return decorate
