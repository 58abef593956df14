"""The one interface through which a run reports its numbers."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

import numpy as np


class Sink(ABC):
    """Receives the numbers of one run, from `start` to `close`.

    The order of calls is `start`, any mix of `log`, `arrays`, `table` and `summary`, then `close`.
    `close` is allowed at any time, also before `start` and more than once; only the first counts.

    Attributes:
        last_step: of a run that goes on, the last step recorded before it was stopped.
    """

    last_step = -1

    @abstractmethod
    def start(
        self, config: dict[str, Any], name: str, folder: Path, since: Any | None = None
    ) -> None:
        """Open the sink.

        Args:
            config: The resolved configuration of the run, plain containers and scalars only.
            name: Name of the run (the name of its folder).
            folder: The run folder; files of the sink go below it. It must exist.
            since: What `state` gave when the run was saved that now goes on from there; what came
                later comes again, and must not be there twice. None for a run that begins.
        """

    def state(self) -> Any:
        """How far the sink is, in plain values; None if that is no matter to it."""
        return None

    @abstractmethod
    def log(self, event: str, step: int, values: Mapping[str, Any]) -> None:
        """Record scalars.

        Args:
            event: Kind of record: "train", "epoch", "validation" or "probe".
            step: Number of optimiser steps done so far.
            values: Scalars by name; numbers, text, `None`, or zero-dimensional arrays. The names
                "event" and "step" are taken. "epoch" and "seconds" belong to every record.
        """

    @abstractmethod
    def arrays(self, step: int, arrays: Mapping[str, np.ndarray]) -> None:
        """Record one-dimensional histories over the time steps of a sequence.

        Args:
            step: Number of optimiser steps done so far.
            arrays: float or int [T] by name, for example "lstm/recurrent/mean".
        """

    @abstractmethod
    def table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Record a table, at the end of a run.

        Args:
            name: For example "mistakes".
            columns: Headings.
            rows: One entry per column each: texts and numbers.
        """

    @abstractmethod
    def summary(self, values: Mapping[str, Any]) -> None:
        """Record what the run came to (the fields of result.json)."""

    @abstractmethod
    def close(self, exit_code: int = 0) -> None:
        """Finish the run; an exit code other than 0 marks it as failed."""


class MultiSink(Sink):
    """Passes every call on to several sinks, and closes all of them whatever happens.

    The first is the record; the others mirror it. A mirror that refuses to start ends the run,
    unless one of its kind has started in this process before: its settings are right then, and
    what stops it will pass. That mirror, and one that fails later, is named on standard error and
    left out from there on: no training ends for the sake of its mirror.

    Where a run goes on, the record gives up what came after it was saved, and mirrors, which
    cannot, are not told it again.

    As a context manager it closes with exit code 0 at the end of the block and with exit code 1
    if the block raised:

        with make_sinks(config.tracking) as sinks:
            sinks.start(resolved, name, folder)
            ...

    Args:
        sinks: The sinks, called in this order.
    """

    _proven: ClassVar[set[type[Sink]]] = set()  # kinds that have started in this process

    def __init__(self, sinks: Iterable[Sink]) -> None:
        self.sinks = tuple(sinks)
        self._failed: set[Sink] = set()

    def start(
        self, config: dict[str, Any], name: str, folder: Path, since: Any | None = None
    ) -> None:
        """Start every sink; an error that ends it is left to `close` to clean up after.

        A sink that the run did not have when it was saved begins with what is new.
        """
        states = since or {}
        for place, sink in enumerate(self.sinks):
            try:
                sink.start(config, name, folder, states.get(type(sink).__name__))
            except Exception as error:
                if place == 0 or type(sink) not in self._proven:
                    raise
                self._leave_out(sink, error)
            else:
                self._proven.add(type(sink))

    def state(self) -> dict[str, Any]:
        """How far each sink is that has not failed, by its kind."""
        working = [sink for sink in self.sinks if sink not in self._failed]
        return {type(sink).__name__: sink.state() for sink in working}

    def log(self, event: str, step: int, values: Mapping[str, Any]) -> None:
        """Record the scalars in every sink."""
        self._pass_on(lambda sink: sink.log(event, step, values), step)

    def arrays(self, step: int, arrays: Mapping[str, np.ndarray]) -> None:
        """Record the arrays in every sink."""
        self._pass_on(lambda sink: sink.arrays(step, arrays), step)

    def table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Record the table in every sink."""
        self._pass_on(lambda sink: sink.table(name, columns, rows))

    def summary(self, values: Mapping[str, Any]) -> None:
        """Record the summary in every sink."""
        self._pass_on(lambda sink: sink.summary(values))

    def _pass_on(self, call: Callable[[Sink], None], step: int | None = None) -> None:
        for place, sink in enumerate(self.sinks):
            known = place > 0 and step is not None and step <= self.sinks[0].last_step
            if known or sink in self._failed:
                continue
            try:
                call(sink)
            except Exception as error:
                if place == 0:
                    raise
                self._leave_out(sink, error)

    def _leave_out(self, sink: Sink, error: Exception) -> None:
        self._failed.add(sink)
        print(
            f"{type(sink).__name__} failed and gets no more of this run, whose record is its "
            f"folder: {type(error).__name__}: {error}",
            file=sys.stderr,
            flush=True,
        )

    def close(self, exit_code: int = 0) -> None:
        """Close every sink.

        Raises:
            Exception: The error of the first sink, after the others are closed. That of a mirror is
                said on standard error.
        """
        failure: Exception | None = None
        for place, sink in enumerate(self.sinks):
            try:
                sink.close(exit_code)
            except Exception as error:  # the remaining sinks must be closed first
                if place == 0:
                    failure = error
                elif sink not in self._failed:  # of which it was said already
                    self._leave_out(sink, error)
        if failure is not None:
            raise failure

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            self.close(0)
            return
        try:
            self.close(1)
        except Exception as closing:  # must not hide the error that ended the run
            error.add_note(f"While closing the sinks: {closing!r}")
