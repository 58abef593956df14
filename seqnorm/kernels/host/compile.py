"""Compilation by the thread that calls, before any other depends on it."""

from __future__ import annotations

from typing import Any
from warnings import warn

_READY: set[tuple[Any, Any]] = set()


def compile_here(function: Any, arguments: tuple[Any, ...], kind: Any) -> None:
    """Compiles a function for these arguments in this thread, once for each kind of them.

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
        function.compile(signature)
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
