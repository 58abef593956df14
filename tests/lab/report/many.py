"""How long a report on many run folders takes: python -m tests.lab.report.many --runs 2000."""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path

from seqnorm.lab.report.page.report import write_report
from tests.lab.report.fabricate import fabricate_comparison

CELLS, NORMS = ("lstm", "gru"), ("none", "layer", "rms", "batch")
SEEDS = 10


def fabricate_many(runs: Path, count: int, texts: int = 2000) -> int:
    """Two data sets with two cells, four norms, ten seeds, and trials to make up the number."""
    arms = 2 * len(CELLS) * len(NORMS)
    trials = max(1, round(count / arms) - SEEDS)
    for data, classes in (("imdb", 2), ("reuters", 46)):
        fabricate_comparison(
            runs, data=data, cells=CELLS, norms=NORMS, seeds=SEEDS, trials=trials,
            texts=texts, classes=classes, diverged=("batch", 3),
        )  # fmt: skip
    return arms * (SEEDS + trials)


def main() -> int:
    """Make run folders below a temporary folder, report on them, print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--pictures", action="store_true", help="PNG and PDF as well")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        count = fabricate_many(Path(scratch), options.runs)
        before, began = time.process_time(), time.perf_counter()
        report = write_report([Path(scratch)], pictures=options.pictures)
        seconds, cpu = time.perf_counter() - began, time.process_time() - before
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{count} run folders: {seconds:.1f} s ({cpu:.1f} s of CPU), peak {peak:.0f} MB")
        for path in (report.path, report.path.parent / "findings.json"):
            print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
