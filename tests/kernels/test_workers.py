"""Threads that wait for each other begin together or not at all."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

pytest.importorskip("numba")

from seqnorm.kernels import workers


@pytest.fixture(autouse=True)
def fresh_threads() -> Iterator[None]:
    workers._executor.cache_clear()
    yield
    workers._executor.cache_clear()


class Kernel:
    """Stands for a compiled function: as numba's, it knows its signatures and can compile."""

    def __init__(self, failure: BaseException | None = None, compiled_all_the_same: bool = False):
        self.failure, self.compiled_all_the_same = failure, compiled_all_the_same
        self.signatures: list[object] = []
        self.compiled_in: list[threading.Thread] = []
        self.calls: list[int] = []

    def compile(self, signature: object) -> None:
        self.compiled_in.append(threading.current_thread())
        if self.failure is None or self.compiled_all_the_same:
            self.signatures.append(signature)
        if self.failure is not None:
            raise self.failure

    def __call__(self, call: int) -> None:
        assert self.signatures
        self.calls.append(call)


@pytest.mark.parametrize("waiting", [False, True])
def test_it_is_compiled_once_and_by_the_caller(waiting: bool) -> None:
    kernel = Kernel()
    for _ in range(2):
        workers.run(kernel, [1, 2, 3], waiting)
    assert kernel.compiled_in == [threading.current_thread()]
    assert sorted(kernel.calls) == [1, 1, 2, 2, 3, 3]


@pytest.mark.parametrize("failure", [KeyboardInterrupt(), OSError("disk full"), TypeError("no")])
def test_a_compilation_that_fails_begins_no_call(failure: BaseException) -> None:
    kernel = Kernel(failure)
    with pytest.raises(type(failure)):
        workers.run(kernel, [1, 2], waiting=True)
    assert kernel.calls == []


def test_what_could_not_be_kept_runs_with_a_warning() -> None:
    kernel = Kernel(OSError("disk full"), compiled_all_the_same=True)
    with pytest.warns(RuntimeWarning, match=r"on disk \(disk full\).* NUMBA_CACHE_DIR"):
        workers.run(kernel, [1, 2], waiting=True)
    assert sorted(kernel.calls) == [1, 2]


def test_a_thread_that_cannot_be_started_begins_no_call(monkeypatch: pytest.MonkeyPatch) -> None:
    submit, submitted = ThreadPoolExecutor.submit, []

    def failing(self: ThreadPoolExecutor, *arguments: object) -> object:
        submitted.append(arguments)
        if len(submitted) > 1:
            raise RuntimeError("can't start new thread")
        return submit(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(ThreadPoolExecutor, "submit", failing)
    kernel = Kernel()
    with pytest.raises(RuntimeError, match="can't start new thread"):
        workers.run(kernel, [1, 2, 3], waiting=True)
    assert kernel.calls == []
    monkeypatch.undo()
    workers.run(kernel, [1, 2, 3], waiting=True)
    assert sorted(kernel.calls) == [1, 2, 3]
