"""Threads that run the compiled loops, which release the interpreter's lock."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

from seqnorm import machine
from seqnorm.kernels.compiled.sync import OPEN
from seqnorm.kernels.host.compile import Code, compile_here

_TOGETHER = threading.Lock()
Run = Callable[[Callable[[Any], None], list[Any], bool], None]  # what `run` is


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


def ready(function: Callable[[Any], None], calls: list[Any], waiting: bool) -> None:
    """Loads or compiles the function for such calls."""
    code = Code(function.__name__, str(calls[0].x.dtype), waiting)
    compile_here(function, (calls[0],), code, code)


def run(function: Callable[[Any], None], calls: list[Any], waiting: bool) -> None:
    """Runs function(call) for every call at once, the last one in this thread.

    If the calls wait for each other, at the barrier that they share (`call.sync`), one such group
    runs at a time, so that none of its calls can be queued behind another group's.
    """
    ready(function, calls, waiting)
    if len(calls) == 1:
        return function(calls[0])
    # One pool for all numbers of calls. A forked child has none of its parent's threads.
    count = max(machine.threads(), len(calls)) - 1
    if waiting:
        with _TOGETHER:
            _spread(_releasing(function), calls, _executor(count, -os.getpid()))
    else:
        _spread(function, calls, _executor(count, os.getpid()))


def _releasing(function: Callable[[Any], None]) -> Callable[[Any], None]:
    """The function, where a call that ends in an error leaves no other waiting for it."""

    def call_it(call: Any) -> None:
        try:
            function(call)
        except BaseException:
            call.sync[0] = OPEN
            raise

    return call_it


def _spread(
    function: Callable[[Any], None], calls: list[Any], executor: ThreadPoolExecutor
) -> None:
    try:
        futures = [executor.submit(function, call) for call in calls[:-1]]
    except BaseException:  # those that were submitted must not wait for the others
        if calls[0].sync is not None:
            calls[0].sync[0] = OPEN
        raise
    function(calls[-1])
    for future in futures:
        future.result()
