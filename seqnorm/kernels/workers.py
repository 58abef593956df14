"""Threads that run the compiled loops, which release the interpreter's lock."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any
from warnings import warn

_TOGETHER = threading.Lock()


@cache
def _executor(count: int, process: int) -> ThreadPoolExecutor:
    """So many threads, all of them started: one that cannot be is found out before any call."""
    executor = ThreadPoolExecutor(count, thread_name_prefix="seqnorm-kernel")
    started = threading.Barrier(count + 1)
    try:
        for _ in range(count):
            executor.submit(started.wait)
        started.wait()
    except BaseException:
        started.abort()
        executor.shutdown(wait=False)
        raise
    return executor


def _compile(function: Any, call: Any) -> None:
    """Compiles in this thread, once.

    A call whose compilation fails or is interrupted would leave the others waiting for it.
    """
    if getattr(function, "signatures", True):
        return
    from numba import typeof

    try:
        function.compile((typeof(call),))
    except OSError as error:
        if not function.signatures:
            raise
        warn(  # it is compiled, and could not be kept
            f"numba could not keep a compiled kernel on disk ({error}), so every process compiles "
            "it anew. Set NUMBA_CACHE_DIR to a folder with room.",
            RuntimeWarning,
            stacklevel=2,
        )


def run(function: Callable[[Any], None], calls: list[Any], waiting: bool) -> None:
    """Runs function(call) for every call at once, the last one in this thread.

    If the calls wait for each other, one such group runs at a time, so that none of its calls can
    be queued behind another group's.
    """
    _compile(function, calls[0])
    if len(calls) == 1:
        function(calls[0])
    elif waiting:
        with _TOGETHER:
            _spread(function, calls, _executor(len(calls) - 1, -os.getpid()))
    else:
        _spread(function, calls, _executor(len(calls) - 1, os.getpid()))


def _spread(
    function: Callable[[Any], None], calls: list[Any], executor: ThreadPoolExecutor
) -> None:
    # A forked child has none of its parent's threads: the executor is keyed by process.
    futures = [executor.submit(function, call) for call in calls[:-1]]
    function(calls[-1])
    for future in futures:
        future.result()
