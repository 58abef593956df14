"""Thousands of training steps through the kernels: ``python -m tests.tools.soak``.

Every cell and norm in turn, on batches of another size and mask each, with outputs of all steps,
pooled or last ones. What it says: whether a number was not finite, the largest difference to the
portable loop (every hundredth step), the records that are still kept, and how much memory the
process has gained in each fifth after the first.
"""

from __future__ import annotations

import argparse
import gc
import resource
import time
from itertools import product
from pathlib import Path
from typing import Any

import keras
import numpy as np

from seqnorm.kernels.host import operation
from seqnorm.layers import recurrent_layer
from tests.gradients import gradients_and_more, weighted_sum

FEATURES, UNITS, MOST_ROWS, MOST_STEPS = 5, 8, 12, 16
# Of a batch; JAX compiles every operation anew for each of them, and keeps what it compiled.
SHAPES = 2 if keras.backend.backend() == "jax" else 100
OUTPUTS: tuple[dict[str, Any], ...] = (
    {"return_sequences": True}, {"pooling": "mean"}, {"pooling": "max"}, {}
)  # fmt: skip


def layers() -> list[tuple[Any, Any]]:
    """Each cell and norm by the kernels, and with the same weights by the loop."""
    found = []
    grid = product(("simple_rnn", "lstm", "gru"), ("none", "layer", "rms", "group", "batch"))
    for number, (cell, norm) in enumerate(grid):
        options = {"units": UNITS, "norm": norm, **OUTPUTS[number % len(OUTPUTS)]}
        pair = tuple(
            recurrent_layer(cell, implementation=way, **options) for way in ("fused", "loop")
        )
        for layer in pair:
            layer.build((None, None, FEATURES))
        found.append(pair)
    return found


def batch(rng: np.random.Generator, rows: int, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Inputs, and a mask with padding on the right, of which a row may have nothing else."""
    x = rng.normal(size=(rows, steps, FEATURES)).astype("float32")
    return x, np.arange(steps) < rng.integers(0, steps + 1, rows)[:, None]


def step(layer: Any, x: np.ndarray, mask: np.ndarray) -> list[np.ndarray]:
    """The gradients of inputs and weights, then the output."""

    def loss(x: Any) -> Any:
        y = layer(x, mask=mask, training=True)
        return weighted_sum(y), y

    slopes, y = gradients_and_more(loss, layer, x)
    return [keras.ops.convert_to_numpy(value) for value in (*slopes, y)]


def apart(one: list[np.ndarray], other: list[np.ndarray]) -> float:
    """The largest difference, over the largest number of each array plus 1."""
    pairs = zip(one, other, strict=True)
    return max(float(np.max(np.abs(a - b), initial=0) / (1 + np.max(np.abs(b), initial=0)))
               for a, b in pairs)  # fmt: skip


def resident() -> float:
    """MiB of this process; the most that it has had where the system does not tell."""
    status = Path("/proc/self/statm")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return int(status.read_text().split()[1]) * resource.getpagesize() / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=2000)
    steps = parser.parse_args().steps
    rng, pairs, worst, memory, began = np.random.default_rng(0), layers(), 0.0, [], time.time()
    shapes = [tuple(rng.integers(1, (MOST_ROWS, MOST_STEPS)).tolist()) for _ in range(SHAPES)]
    for number in range(steps):
        fused, loop = pairs[number % len(pairs)]
        x, mask = batch(rng, *shapes[rng.integers(len(shapes))])
        if number % 100 == 0:
            loop.set_weights(fused.get_weights())
        found = step(fused, x, mask)
        if not all(np.isfinite(value).all() for value in found):
            raise SystemExit(f"step {number}: a number is not finite")
        if number % 100 == 0:
            worst = max(worst, apart(found, step(loop, x, mask)))
        if number % (steps // 5) == 0:
            memory.append(resident())
    del found
    gc.collect()
    gains = " ".join(f"{each:+.0f}" for each in np.diff([*memory[1:], resident()]))
    print(
        f"{keras.backend.backend()}: {steps} steps in {time.time() - began:.0f} s, all finite; "
        f"to the loop {worst:.1e}; records kept {len(operation._RECORDS)}; "
        f"MiB gained in each fifth after the first: {gains}"
    )


if __name__ == "__main__":
    main()
