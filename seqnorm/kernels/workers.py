"""Threads that run the compiled loops, which release the interpreter's lock."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

_TOGETHER = threading.Lock()


@cache
def _executor(count: int, process: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count, thread_name_prefix="seqnorm-kernel")


def run(function: Callable[[Any], None], calls: list[Any], waiting: bool) -> None:
    """Runs function(call) for every call at once, the last one in this thread.

    If the calls wait for each other, one such group runs at a time, so that none of its calls can
    be queued behind another group's.
    """
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
