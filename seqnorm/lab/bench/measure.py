"""Paired timing: every subject in each round, so that what else runs hits all of them alike."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Samples(NamedTuple):
    """Raw samples of one subject, in seconds."""

    wall: list[float]
    cpu: list[float]  # processor time of all threads: hardly moved by other processes


class Summary(NamedTuple):
    """One subject against the reference."""

    ratio: float  # of the medians of wall time
    paired: float  # median of the ratios round by round
    cpu: float  # of the medians of processor time
    milliseconds: float  # median of wall time
    low: float  # its quartiles
    high: float


def measure(
    subjects: dict[str, Callable[[], object]], rounds: int, warm_up: int = 2
) -> dict[str, Samples]:
    """Runs all subjects in turn, `rounds` times after `warm_up` unmeasured rounds.

    Each sample follows a step of the same subject that is not measured, as in training one step
    follows another: threads of OpenMP keep a core busy for milliseconds after a step of torch's,
    which would count against whoever comes next (3 of 9 ms, seen with torch 2.13).

    Args:
        subjects: name -> one step that has finished when it returns.
        rounds: samples of each subject.
        warm_up: rounds before the first sample (tracing, compilation, page faults).
    """
    for subject in subjects.values():
        for _ in range(warm_up):
            subject()
    samples = {name: Samples([], []) for name in subjects}
    for _ in range(rounds):
        for name, subject in subjects.items():
            subject()
            wall, cpu = time.perf_counter(), time.process_time()
            subject()
            samples[name].cpu.append(time.process_time() - cpu)
            samples[name].wall.append(time.perf_counter() - wall)
    return samples


def summary(samples: dict[str, Samples], reference: str) -> dict[str, Summary]:
    """Every subject against the one called `reference`."""
    base = samples[reference]
    found = {}
    for name, sample in samples.items():
        low, middle, high = np.percentile(np.array(sample.wall) * 1e3, [25, 50, 75])
        found[name] = Summary(
            ratio=float(middle / (np.median(base.wall) * 1e3)),
            paired=float(np.median(np.divide(sample.wall, base.wall))),
            cpu=float(np.median(sample.cpu) / np.median(base.cpu)),
            milliseconds=float(middle),
            low=float(low),
            high=float(high),
        )
    return found
