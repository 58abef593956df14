"""Command line of the benchmark: a table of ratios, and every sample as JSON."""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Sequence
from pathlib import Path

from seqnorm.bench.measure import Samples, measure, summary
from seqnorm.bench.subjects import Shape, fused, keras_layer, products
from seqnorm.kernels import machine

SHAPES = ("64x200x128x128", "128x100x64x64", "16x400x64x256")
NORMS = ("none", "layer", "rms", "batch")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--cells", nargs="+", default=["lstm"], choices=["lstm", "gru", "simple_rnn"]
    )
    parser.add_argument("--norms", nargs="+", default=list(NORMS), choices=NORMS)
    parser.add_argument(
        "--shapes", nargs="+", default=list(SHAPES), help="batch x steps x inputs x units"
    )
    parser.add_argument("--rounds", type=int, default=15, help="samples of each subject")
    parser.add_argument("--out", type=Path, help="JSON file for the samples")
    return parser


def _one(cell: str, text: str, norms: Sequence[str], rounds: int) -> dict[str, Samples]:
    shape = Shape(*(int(size) for size in text.split("x")))
    subjects = {"keras": keras_layer(cell, shape), "products": products(cell, shape)}
    subjects |= {norm: fused(cell, norm, shape) for norm in norms}
    if "layer" in norms:
        subjects["layer, 40 % of the tokens"] = fused(cell, "layer", shape, 0.4)
    return measure(subjects, rounds)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints; returns the exit code."""
    options = _parser().parse_args(arguments)
    threads = machine.threads()
    print(f"{platform.machine()}, {threads} threads; ratios to Keras's layer without a norm")
    record = {"machine": platform.platform(), "threads": threads, "samples": {}}
    for cell in options.cells:
        for text in options.shapes:
            samples = _one(cell, text, options.norms, options.rounds)
            record["samples"][f"{cell} {text}"] = {k: v._asdict() for k, v in samples.items()}
            print(f"\n{cell} {text}\n{'':28}{'wall':>7}{'paired':>8}{'cpu':>7}{'ms':>9}  quartiles")
            for name, row in summary(samples, "keras").items():
                print(
                    f"  {name:26}{row['wall_ratio']:7.2f}{row['paired_wall_ratio']:8.2f}"
                    f"{row['cpu_ratio']:7.2f}{row['wall_ms']:9.1f}"
                    f"  {row['wall_ms_25']:.1f} to {row['wall_ms_75']:.1f}"
                )
    if options.out:
        options.out.write_text(json.dumps(record, indent=1), encoding="utf-8")
    return 0
