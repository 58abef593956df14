"""Compilation before any thread depends on it: said, timed, and ended by Ctrl-C."""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import threading
import time
from functools import cache
from typing import Any, NamedTuple
from warnings import warn

from seqnorm.kernels.spec import Spec

_READY: set[tuple[Any, Any]] = set()
_SPENT = [0.0]
_ONE_AT_A_TIME = threading.RLock()
FORWARD, BACKWARD = "forward", "backward"


class Code(NamedTuple):
    """What is compiled apart, by a process of its own."""

    part: str  # FORWARD or BACKWARD
    dtype: str
    coupled: bool  # whether rows see each other, as batch statistics have them do


_ELSEWHERE: dict[Code, subprocess.Popen[bytes]] = {}
_LEARNING: set[Code] = set()  # backward passes that will be asked for
_HERE = "_SEQNORM_COMPILE_HERE"  # in the environment of a process that was started to compile


def expect_gradients(spec: Spec) -> None:
    """Has the backward pass compiled beside the forward pass, as soon as that has to be.

    Without it who only predicts has both cores for what it waits for.
    """
    _LEARNING.add(Code(BACKWARD, spec.dtype, spec.couples_rows))


class _Missing(Exception):
    """No compiled code is on disk."""


def seconds_compiling() -> float:
    """Seconds that this process has spent on compiling kernels so far."""
    return _SPENT[0]


@cache
def _announce(what: str, folder: str | None) -> None:
    wait = "about half a minute on two cores"
    often = f"once, {wait}; later runs load them from {folder}" if folder else wait
    print(f"seqnorm: compiling {what} for this machine ({often})", file=sys.stderr, flush=True)


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


def _compile_elsewhere(code: Code) -> None:
    """Another process compiles the function and keeps it on disk.

    LLVM cannot be interrupted, but waiting can: Ctrl-C ends the other process with this one. Where
    it fails, this process compiles, and meets the cause. The forward and the backward pass have a
    process each, at once where both will be needed (`expect_gradients`).
    """
    backward = code._replace(part=BACKWARD)
    try:
        for each in dict.fromkeys((code, backward) if backward in _LEARNING else (code,)):
            if each not in _ELSEWHERE:
                _ELSEWHERE[each] = _start(each)
        _ELSEWHERE[code].wait()
    except OSError:
        return
    except BaseException:
        _end()
        raise


def _start(code: Code) -> subprocess.Popen[bytes]:
    from numba import config

    environment = os.environ | {_HERE: "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    if config.CACHE_DIR:
        environment["NUMBA_CACHE_DIR"] = config.CACHE_DIR
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "seqnorm.kernels.host.ahead", *map(str, code)],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # a terminal sends Ctrl-C to this process alone
    )


@atexit.register
def _end() -> None:
    for process in _ELSEWHERE.values():
        process.kill()
        process.wait()
    _ELSEWHERE.clear()


def _compile(function: Any, signature: Any, code: Code | None) -> None:
    with _ONE_AT_A_TIME:
        if code is None or os.environ.get(_HERE):
            return function.compile(signature)
        if _load(function, signature):
            return
        began = time.perf_counter()
        what = "batch statistics into the kernels" if code.coupled else "the kernels"
        _announce(what, function.stats.cache_path)
        try:
            if function.stats.cache_path:
                _compile_elsewhere(code)
            function.compile(signature)
        finally:
            _SPENT[0] += time.perf_counter() - began


def compile_here(
    function: Any, arguments: tuple[Any, ...], kind: Any, code: Code | None = None
) -> None:
    """Compiles a function for these arguments, once for each kind of them.

    Threads that wait for each other would wait for ever where one of them compiles and fails. What
    is compiled and cannot be kept on disk runs all the same, with a warning.

    Args:
        function: what numba has decorated; another callable is left as it is.
        arguments: of a call.
        kind: what their types depend on; finding them anew would cost every call.
        code: what another process compiles and keeps on disk, so that Ctrl-C is heard; None for
            what takes less than a second.

    Raises:
        OSError: if it is not compiled, and what else a compilation can raise.
    """
    if (function, kind) in _READY or not hasattr(function, "compile"):
        return
    from numba import typeof

    signature = tuple(typeof(argument) for argument in arguments)
    try:
        _compile(function, signature, code)
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
