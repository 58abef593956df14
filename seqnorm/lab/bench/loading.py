"""Speed and memory of loading texts from a file: `python -m seqnorm.lab.bench.loading` (Linux).

It writes a CSV file of generated English-like text into a temporary folder, loads it as a run
does, and prints tokens per second, and the peak memory beyond what the process held before, over
the bytes of the tokens (4 for each).
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from seqnorm.lab import data
from seqnorm.lab.bench.held import mebibytes, reset_peak
from seqnorm.lab.config.data import FilesConfig

WORDS = 60  # of a row
VOCABULARY = 50_000


class Loading(NamedTuple):
    """What loading came to.

    Attributes:
        tokens: words and start tokens of all parts.
        seconds: for all of it, by the clock.
        processor: seconds of processor time, which hardly depend on what else runs.
        peak: largest memory beyond what the process held before, in MiB.
    """

    tokens: int
    seconds: float
    processor: float
    peak: float

    @property
    def times(self) -> float:
        """The peak over the bytes of the tokens."""
        return self.peak * 2**20 / (4 * self.tokens)


def write_reviews(path: Path, rows: int) -> None:
    """Writes rows of `WORDS` words whose frequencies fall as those of English do (Zipf)."""
    rng = np.random.default_rng(0)
    sizes = rng.integers(2, 10, VOCABULARY)
    words = np.array(["".join(rng.choice(list("aeinorst"), size)) for size in sizes], dtype=object)
    words += [str(number) if number % 50 == 0 else "" for number in range(VOCABULARY)]
    words[7], words[70] = "don't", "Isn't"
    share = 1 / np.arange(10, VOCABULARY + 10)
    cumulated = np.cumsum(share / share.sum())
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "review", "stars"])
        for number in range(rows):
            chosen = words[np.searchsorted(cumulated, rng.random(WORDS)).clip(max=VOCABULARY - 1)]
            text = f"{' '.join(chosen[:20])}, {' '.join(chosen[20:40])}. {' '.join(chosen[40:])}."
            writer.writerow([number, text.capitalize(), number % 5 + 1])


def measure(path: Path) -> Loading:
    """Loads such a file as a run with the settings of conf/data/files.yaml does."""
    config = FilesConfig(
        "files", train=str(path), text="review", label="stars", tokenizer="unicode"
    )
    reset_peak()
    before, begin, busy = mebibytes("VmRSS"), time.perf_counter(), time.process_time()
    dataset = data.load(config, 0)
    seconds, processor = time.perf_counter() - begin, time.process_time() - busy
    peak = mebibytes("VmHWM") - before
    parts = (dataset.train, dataset.validation, dataset.test)
    return Loading(sum(part.sequences.values.size for part in parts), seconds, processor, peak)


def main(arguments: Sequence[str] | None = None) -> None:
    """Writes, loads and prints."""
    parser = argparse.ArgumentParser(
        prog="python -m seqnorm.lab.bench.loading", description=__doc__
    )
    parser.add_argument("--rows", type=int, default=1_000_000, help=f"rows of {WORDS} words")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        first, path = Path(folder, "first.csv"), Path(folder, "reviews.csv")
        write_reviews(first, 2_000)
        write_reviews(path, options.rows)
        measure(first)  # imports and the tables of the tokenizer count once, and not here
        found = measure(path)
    print(
        f"{options.rows:,} rows, {found.tokens:,} tokens: {found.tokens / found.seconds:,.0f} "
        f"tokens/s ({found.seconds:.1f} s), {found.tokens / found.processor:,.0f} per second of "
        f"processor time; peak memory {found.peak:,.0f} MiB, "
        f"{found.times:.2f} times the tokens' bytes"
    )


if __name__ == "__main__":
    main()
