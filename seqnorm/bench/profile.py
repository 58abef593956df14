"""Where the time of a step goes: compiled loops, their preparation, the rest of the step."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from seqnorm.bench.subjects import Shape, Step, products, subject
from seqnorm.kernels import graph, scan

_WATCHED = {
    "compiled loops": (scan, "run"),
    "kernels' Python, forward": (graph, "scan_forward"),
    "kernels' Python, backward": (graph, "scan_backward"),
}


@contextmanager
def _watching() -> Iterator[dict[str, list[float]]]:
    """Seconds spent in each watched function while the context is open."""
    spent: dict[str, list[float]] = {name: [] for name in _WATCHED}
    originals = {name: getattr(module, of) for name, (module, of) in _WATCHED.items()}

    def timed(name: str) -> Any:
        def call(*arguments: Any) -> Any:
            start = time.perf_counter()
            try:
                return originals[name](*arguments)
            finally:
                spent[name].append(time.perf_counter() - start)

        return call

    for name, (module, of) in _WATCHED.items():
        setattr(module, of, timed(name))
    try:
        yield spent
    finally:
        for name, (module, of) in _WATCHED.items():
            setattr(module, of, originals[name])


def breakdown(norm: str, cell: str, shape: Shape, mode: str, rounds: int) -> dict[str, float]:
    """Median milliseconds of the parts of a step of the fused layer."""
    step = subject(f"fused {norm}", cell, shape, mode)
    step(), step()
    whole = _median(step, rounds)
    with _watching() as spent:
        for _ in range(rounds):
            step()
    sums = {name: float(np.sum(seconds)) * 1e3 / rounds for name, seconds in spent.items()}
    loops = sums.pop("compiled loops")
    around = sum(sums.values()) - loops
    return {
        "whole step": whole,
        "compiled loops": loops,
        "buffers, packing, gathering": around,
        "rest of the step (TensorFlow)": whole - loops - around,
        "matrix products alone": _median(products(cell, shape, mode), rounds),
    }


def _median(step: Step, rounds: int) -> float:
    samples = []
    for _ in range(rounds):
        start = time.perf_counter()
        step()
        samples.append(time.perf_counter() - start)
    return float(np.median(samples)) * 1e3
