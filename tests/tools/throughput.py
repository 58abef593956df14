"""Runs a minute of two checkouts of this package, taken in turns on the same machine.

    python -m tests.tools.throughput FORMER_CHECKOUT FOLDER [--pairs 3] [--workers 2] [key=value]

Each makes the same comparison of small runs from nothing, `make` of kernels and first imports done
beforehand. Prints the seconds of each and the ratio of each pair: below 1, this one is faster.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from tests.tools.unrest import COMPARISON

HERE = Path(__file__).parents[2]


def seconds(checkout: Path, runs: Path, options: list[str]) -> float:
    begun = time.monotonic()
    command = [sys.executable, "-m", "seqnorm.lab.commands.compare", *COMPARISON, *options]
    subprocess.run(
        [*command, f"runs_dir={runs}"], check=True, cwd=checkout, stdout=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(checkout)},
    )  # fmt: skip
    return time.monotonic() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("former", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    known, overrides = parser.parse_known_args()
    options = [f"compare.workers={known.workers}", *overrides]
    ratios = []
    for pair in range(known.pairs):
        found = {}
        order = [("former", known.former), ("this", HERE)]
        for name, checkout in order if pair % 2 == 0 else reversed(order):
            found[name] = seconds(checkout, known.folder / f"{name}-{pair}", options)
        ratios.append(found["this"] / found["former"])
        print(
            f"former {found['former']:.1f} s, this {found['this']:.1f} s, ratio {ratios[-1]:.3f}; "
            f"load {os.getloadavg()[0]:.1f}",
            flush=True,
        )
    print(f"median ratio {statistics.median(ratios):.3f}")


if __name__ == "__main__":
    main()
