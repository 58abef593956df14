"""Compilation before any thread depends on it: said and timed."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from functools import cache
from typing import Any
from warnings import warn

_READY: set[tuple[Any, Any]] = set()
_SPENT = [0.0]


def seconds_compiling() -> float:
    """Seconds that this process has spent on compiling kernels so far."""
    return _SPENT[0]


@cache
def _announce(folder: str) -> None:
    print(
        "seqnorm: compiling the kernels for this machine (once, about a minute; later runs load "
        f"them from {folder})",
        file=sys.stderr,
        flush=True,
    )


def _timed(function: Any, signature: Any) -> None:
    """Compiles, or loads from disk; says so and takes the time if it does compile."""
    from numba.core import event

    class Watch(event.Listener):
        """Of the function itself, not of those that it calls."""

        began = 0.0

        def on_start(self, event: Any) -> None:
            if event.data["dispatcher"] is function:
                self.began = time.perf_counter()
                _announce(str(function.stats.cache_path))

        def on_end(self, event: Any) -> None:
            if event.data["dispatcher"] is function:
                _SPENT[0] += time.perf_counter() - self.began

    with event.install_listener("numba:compile", Watch()):
        function.compile(signature)


def _interruptibly(work: Callable[[], None]) -> None:
    """Does the work; in the main thread so that Ctrl-C need not wait for the end of it.

    The work goes on in a thread that a process does not wait for when it ends.
    """
    if threading.current_thread() is not threading.main_thread():
        return work()
    failures: list[BaseException] = []

    def guarded() -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=guarded, name="seqnorm-compile", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(0.1)
    if failures:
        raise failures[0]


def compile_here(function: Any, arguments: tuple[Any, ...], kind: Any) -> None:
    """Compiles a function for these arguments, once for each kind of them.

    Threads that wait for each other would wait for ever where one of them compiles and fails. What
    is compiled and cannot be kept on disk runs all the same, with a warning.

    Args:
        function: what numba has decorated; another callable is left as it is.
        arguments: of a call.
        kind: what the types of the arguments depend on; finding them anew would cost every call.

    Raises:
        OSError: if it is not compiled, and what else a compilation can raise.
    """
    if (function, kind) in _READY or not hasattr(function, "compile"):
        return
    from numba import typeof

    signature = tuple(typeof(argument) for argument in arguments)
    try:
        _interruptibly(lambda: _timed(function, signature))
    except OSError as error:
        if signature not in function.overloads:
            raise
        warn(
            f"numba could not keep a compiled kernel on disk ({error}), so every process compiles "
            "it anew. Set NUMBA_CACHE_DIR to a folder with room.",
            RuntimeWarning,
            stacklevel=2,
        )
    _READY.add((function, kind))
