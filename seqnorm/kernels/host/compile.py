"""Compilation before any thread depends on it: said, timed, and ended by Ctrl-C."""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import threading
import time
from functools import cache
from typing import Any
from warnings import warn

_READY: set[tuple[Any, ...]] = set()
_SPENT = [0.0]
_ONE_AT_A_TIME = threading.RLock()
FORWARD, BACKWARD = "forward", "backward"  # what is compiled apart
_ELSEWHERE: dict[str, dict[str, subprocess.Popen[bytes]]] = {}  # by dtype and part
_LEARNING: set[str] = set()  # dtypes of which a gradient will be asked
_HERE = "_SEQNORM_COMPILE_HERE"  # in the environment of a process that was started to compile


def expect_gradients(dtype: str) -> None:
    """Has the backward pass compiled beside the forward pass, as soon as that has to be.

    Without it who only predicts has both cores for what it waits for.
    """
    _LEARNING.add(dtype)


class _Missing(Exception):
    """No compiled code is on disk."""


def seconds_compiling() -> float:
    """Seconds that this process has spent on compiling kernels so far."""
    return _SPENT[0]


@cache
def _announce(folder: str | None) -> None:
    minute = "about a minute on two cores"
    often = f"once, {minute}; later runs load them from {folder}" if folder else minute
    print(f"seqnorm: compiling the kernels for this machine ({often})", file=sys.stderr, flush=True)


def _load(function: Any, signature: Any) -> bool:
    """Has numba load the function from disk; false where it would compile it."""
    from numba.core import event

    class Refusal(event.Listener):
        """numba begins to compile when it has found nothing on disk."""

        def on_start(self, event: Any) -> None:
            if event.data["dispatcher"] is function:
                raise _Missing

        def on_end(self, event: Any) -> None:
            pass

    try:
        with event.install_listener("numba:compile", Refusal()):
            function.compile(signature)
    except _Missing:
        return False
    return True


def _compile_elsewhere(function: Any, dtype: str) -> None:
    """Another process compiles the function and keeps it on disk.

    LLVM cannot be interrupted, but waiting can: Ctrl-C ends the other process with this one. Where
    it fails, this process compiles, and meets the cause. The forward and the backward pass have a
    process each, at once where both will be needed (`expect_gradients`).
    """
    own = BACKWARD if function.__name__ == BACKWARD else FORWARD
    processes = _ELSEWHERE.setdefault(dtype, {})
    try:
        for part in dict.fromkeys((own, BACKWARD) if dtype in _LEARNING else (own,)):
            if part not in processes:
                processes[part] = _start(dtype, part)
        processes[own].wait()
    except OSError:
        return
    except BaseException:
        _end()
        raise


def _start(dtype: str, part: str) -> subprocess.Popen[bytes]:
    from numba import config

    environment = os.environ | {_HERE: "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    if config.CACHE_DIR:
        environment["NUMBA_CACHE_DIR"] = config.CACHE_DIR
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "seqnorm.kernels.host.ahead", dtype, part],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # a terminal sends Ctrl-C to this process alone
    )


@atexit.register
def _end() -> None:
    for processes in _ELSEWHERE.values():
        for process in processes.values():
            process.kill()
            process.wait()
    _ELSEWHERE.clear()


def _compile(function: Any, signature: Any, dtype: str) -> None:
    with _ONE_AT_A_TIME:
        if os.environ.get(_HERE):
            return function.compile(signature)
        if _load(function, signature):
            return
        began = time.perf_counter()
        _announce(function.stats.cache_path)
        try:
            if function.stats.cache_path:
                _compile_elsewhere(function, dtype)
            function.compile(signature)
        finally:
            _SPENT[0] += time.perf_counter() - began


def compile_here(
    function: Any, arguments: tuple[Any, ...], dtype: Any, kind: tuple[Any, ...] = ()
) -> None:
    """Compiles a function for these arguments, once for each dtype and kind of them.

    Threads that wait for each other would wait for ever where one of them compiles and fails. What
    is compiled and cannot be kept on disk runs all the same, with a warning.

    Args:
        function: what numba has decorated; another callable is left as it is.
        arguments: of a call.
        dtype: of the call's arrays.
        kind: what else their types depend on; finding them anew would cost every call.

    Raises:
        OSError: if it is not compiled, and what else a compilation can raise.
    """
    if (function, dtype, kind) in _READY or not hasattr(function, "compile"):
        return
    from numba import typeof

    signature = tuple(typeof(argument) for argument in arguments)
    try:
        _compile(function, signature, str(dtype))
    except OSError as error:
        if signature not in function.overloads:
            raise
        warn(
            f"numba could not keep a compiled kernel on disk ({error}), so every process compiles "
            "it anew. Set NUMBA_CACHE_DIR to a folder with room.",
            RuntimeWarning,
            stacklevel=2,
        )
    _READY.add((function, dtype, kind))
