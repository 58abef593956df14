"""Threads that wait for each other begin together or not at all."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import pytest

pytest.importorskip("numba")

import numba

from seqnorm.kernels.compiled.sync import OPEN, barrier
from seqnorm.kernels.host import workers


@pytest.fixture(autouse=True)
def fresh_threads() -> Iterator[None]:
    workers._executor.cache_clear()
    yield
    workers._executor.cache_clear()


class Call(NamedTuple):
    number: int
    x: np.ndarray
    sync: np.ndarray


def calls(count: int, dtype: str = "float32") -> list[Any]:
    sync = np.zeros(1, np.int64)  # of all of them
    return [Call(number, np.zeros(1, dtype), sync) for number in range(count)]


class Kernel:
    """Stands for a compiled function: as numba's, it knows its overloads and can compile."""

    def __init__(self, failure: BaseException | None = None, compiled_all_the_same: bool = False):
        self.__name__ = "forward"
        self.failure, self.compiled_all_the_same = failure, compiled_all_the_same
        self.overloads: dict[object, object] = {}
        self.compiled_in: list[threading.Thread] = []
        self.calls: list[int] = []

    def compile(self, signature: object) -> None:
        self.compiled_in.append(threading.current_thread())
        if self.failure is None or self.compiled_all_the_same:
            self.overloads[signature] = object()
        if self.failure is not None:
            raise self.failure

    def __call__(self, call: Any) -> None:
        assert (numba.typeof(call),) in self.overloads
        self.calls.append(call.number)


def submit_once(monkeypatch: pytest.MonkeyPatch, message: str) -> None:
    """From the second time on, nothing can be submitted."""
    submit, submitted = ThreadPoolExecutor.submit, []

    def failing(self: ThreadPoolExecutor, *arguments: object) -> object:
        submitted.append(arguments)
        if len(submitted) > 1:
            raise RuntimeError(message)
        return submit(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(ThreadPoolExecutor, "submit", failing)


@pytest.mark.parametrize("waiting", [False, True])
def test_it_is_compiled_once_before_any_call(waiting: bool) -> None:
    kernel = Kernel()
    for dtype in ("float32", "float64", "float32"):
        workers.run(kernel, calls(3, dtype), waiting)
    assert len(kernel.compiled_in) == 2  # once for each dtype
    assert sorted(kernel.calls) == [0, 0, 0, 1, 1, 1, 2, 2, 2]


@pytest.mark.parametrize("failure", [KeyboardInterrupt(), OSError("disk full"), TypeError("no")])
def test_a_compilation_that_fails_begins_no_call(failure: BaseException) -> None:
    kernel = Kernel(failure)
    with pytest.raises(type(failure)):
        workers.run(kernel, calls(2), waiting=True)
    assert kernel.calls == []


def test_what_could_not_be_kept_runs_with_a_warning() -> None:
    kernel = Kernel(OSError("disk full"), compiled_all_the_same=True)
    with pytest.warns(RuntimeWarning, match=r"on disk \(disk full\).* NUMBA_CACHE_DIR"):
        workers.run(kernel, calls(2), waiting=True)
    assert sorted(kernel.calls) == [0, 1]


def test_a_thread_that_cannot_be_started_begins_no_call(monkeypatch: pytest.MonkeyPatch) -> None:
    submit_once(monkeypatch, "can't start new thread")
    kernel = Kernel()
    with pytest.raises(RuntimeError, match="can't start new thread"):
        workers.run(kernel, calls(3), waiting=True)
    assert kernel.calls == []
    monkeypatch.undo()
    workers.run(kernel, calls(3), waiting=True)
    assert sorted(kernel.calls) == [0, 1, 2]


class Waiting(Kernel):
    """All calls but one wait for each other, as at a barrier; that one fails."""

    def __call__(self, call: Any) -> None:
        if call.number == 1:
            raise ZeroDivisionError
        while call.sync[0] >= 0:
            time.sleep(1e-3)
        self.calls.append(call.number)

    def wait_for(self, count: int) -> None:
        """Gives calls in other threads two seconds to end."""
        for _ in range(2_000):
            if len(self.calls) >= count:
                break
            time.sleep(1e-3)


@pytest.mark.parametrize("count", [2, 3])  # the failing call is this thread's, or another's
def test_a_call_that_fails_leaves_none_waiting(count: int) -> None:
    kernel, group = Waiting(), calls(count)
    with pytest.raises(ZeroDivisionError):
        workers.run(kernel, group, waiting=True)
    kernel.wait_for(count - 1)
    assert sorted(kernel.calls) == [number for number in range(count) if number != 1]


def test_a_call_that_cannot_be_submitted_leaves_none_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kernel, group = Waiting(), calls(3)
    workers.run(Kernel(), calls(3), waiting=True)  # the threads are there
    submit_once(monkeypatch, "cannot schedule new futures after interpreter shutdown")
    with pytest.raises(RuntimeError, match="cannot schedule"):
        workers.run(kernel, group, waiting=True)
    kernel.wait_for(1)
    assert kernel.calls == [0]


def test_an_open_barrier_lets_everyone_through() -> None:
    @numba.njit(nogil=True)
    def pass_twice(counters: np.ndarray) -> None:
        barrier(counters, 2)
        barrier(counters, 2)

    counters = np.full(1, OPEN, np.int64)
    pass_twice(counters)  # alone
    assert counters[0] < 0
