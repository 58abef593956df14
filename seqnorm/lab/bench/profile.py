"""Where the time of a step goes: compiled loops, their preparation, the rest of the step."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from seqnorm.kernels.host import operation, workers
from seqnorm.lab.bench.measure import measure
from seqnorm.lab.bench.shapes import Shape, Step
from seqnorm.lab.bench.subjects import subject

_WATCHED = {
    "compiled loops": (workers, "run"),
    "forward": (operation.Scan, "forward"),
    "backward": (operation.Scan, "backward"),
}


@contextmanager
def _watching() -> Iterator[dict[str, list[float]]]:
    """Seconds spent in each watched function by steps that are traced while the context is open."""
    spent: dict[str, list[float]] = {name: [] for name in _WATCHED}
    originals = {name: getattr(owner, of) for name, (owner, of) in _WATCHED.items()}

    def timed(name: str) -> Any:
        def call(*arguments: Any, **keywords: Any) -> Any:
            start = time.perf_counter()
            try:
                return originals[name](*arguments, **keywords)
            finally:
                spent[name].append(time.perf_counter() - start)

        return call

    for name, (owner, of) in _WATCHED.items():
        setattr(owner, of, timed(name))
    try:
        yield spent
    finally:
        for name, (owner, of) in _WATCHED.items():
            setattr(owner, of, originals[name])


def breakdown(norm: str, cell: str, shape: Shape, mode: str, rounds: int) -> dict[str, float]:
    """Median milliseconds of the parts of a step of the fused layer."""
    with _watching() as spent:
        step = subject(f"fused {norm}", cell, shape, mode)
        step(), step()
        rows = [_parts(step, spent) for _ in range(rounds)]
    floor = measure({"products": subject("products", cell, shape, mode)}, rounds)["products"]
    names = [
        "whole step",
        "compiled loops",
        "buffers, packing, handing over",
        "rest of the step (the backend)",
        "matrix products alone",
    ]
    medians = [*np.median(rows, axis=0), np.median(floor.wall)]
    return {name: float(seconds) * 1e3 for name, seconds in zip(names, medians, strict=True)}


def _parts(step: Step, spent: dict[str, list[float]]) -> tuple[float, float, float, float]:
    """Seconds of one step: the whole, the loops, what is around these, the rest."""
    for seconds in spent.values():
        seconds.clear()
    start = time.perf_counter()
    step()
    whole = time.perf_counter() - start
    loops, *kernels = (sum(seconds) for seconds in spent.values())
    return whole, loops, sum(kernels) - loops, whole - sum(kernels)
