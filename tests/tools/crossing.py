"""What does it cost to cross from a TensorFlow graph into Python and back, and how else could one?

    python -m tests.tools.crossing [--cells simple_rnn lstm] [--shape 128x100x64x64] [--rounds 15]

Takes the arrays that go in and out of the kernels in a training step, and gives them to functions
that compute nothing: in graphs of many calls, then in the training step itself. All in turn in one
process; medians of the clock and of the processor time of all threads. The ways that pass no inputs
or run no Python are bounds, not candidates.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from seqnorm.lab.quiet import import_keras

import_keras()

import keras  # noqa: E402  (quietly)
import tensorflow as tf  # noqa: E402

from seqnorm import machine  # noqa: E402
from seqnorm.kernels.host import embedded, operation  # noqa: E402
from seqnorm.kernels.host import tensorflow as binding  # noqa: E402
from seqnorm.kernels.host.pool import POOL  # noqa: E402
from seqnorm.lab.bench.measure import Samples, measure  # noqa: E402
from seqnorm.lab.bench.shapes import Shape, Step  # noqa: E402
from seqnorm.lab.bench.steps.tensorflow import fit  # noqa: E402
from seqnorm.lab.bench.subjects import layer_of  # noqa: E402
from tests.tools.crossing_ways import Arrays, Way, ways  # noqa: E402

CALLS = 16  # in one graph, so that entering and leaving the graph does not count
DIRECTIONS = ("forward", "backward")
BEFORE = "before "


@contextmanager
def _in_place_of(owner: Any, **values: Any) -> Iterator[None]:
    before = {name: getattr(owner, name) for name in values}
    for name, value in values.items():
        setattr(owner, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(owner, name, value)


def arrays_of(cell: str, shape: Shape) -> dict[str, tuple[Arrays, Arrays]]:
    """Inputs and outputs of each direction in a training step."""
    found = {}

    def watched(name: str) -> Callable[..., Arrays]:
        original = getattr(operation.Scan, name)

        def call(scan: operation.Scan, *arrays: np.ndarray) -> Arrays:
            outputs = original(scan, *arrays)
            found[name] = [np.array(a) for a in arrays], [_aligned(a) for a in outputs]
            return outputs

        return call

    with _in_place_of(operation.Scan, **{name: watched(name) for name in DIRECTIONS}):
        fit(layer_of("fused layer", cell, shape.units), shape, False)()
    return found


def _aligned(array: np.ndarray) -> np.ndarray:
    """A zeroed array in memory as the pool lends it, which TensorFlow takes without a copy."""
    lent = POOL.lend(array.shape, array.dtype)
    lent.fill(0)
    return lent


def many(way: Way | None, inputs: Arrays, outputs: Arrays) -> Step:
    """A graph of calls one after the other; without a way, of nothing."""
    given = [tf.constant(array) for array in inputs]
    kinds = [tf.as_dtype(array.dtype) for array in outputs]

    @tf.function(autograph=False)
    def run() -> list[Any]:
        found: list[Any] = [given[1]]
        for _ in range(CALLS):
            with tf.control_dependencies(found[-1:]):
                found.append(tf.identity(given[1]) if way is None else way(given, kinds)[0])
        return found

    return run


class Nothing(keras.layers.Layer):
    """Has the weights of a layer and gives its inputs on; gradients are taken and are zero."""

    return_sequences = True

    def __init__(self, like: Any) -> None:
        super().__init__()
        self.supports_masking = True
        for weight in like.trainable_variables:
            self.add_weight(shape=weight.shape)

    def call(self, inputs: Any) -> Any:
        @tf.custom_gradient
        def through(x: Any, *weights: Any) -> Any:
            return x, lambda d: (None, *(tf.zeros_like(w) + d[0, 0, 0] for w in weights))

        return through(inputs, *(weight.value for weight in self.trainable_variables))


def steps_of(cell: str, shape: Shape, all_ways: dict[str, dict[str, Way]]) -> dict[str, Step]:
    """The training step, with kernels that compute nothing, and without the layer.

    A whole step comes before each, so that all find the caches as it leaves them.
    """

    def fused() -> Any:
        return layer_of("fused layer", cell, shape.units)

    def step(name: str) -> Step:
        def call(function: Any, arrays: Any, kinds: Any, shapes: Any, stateful: bool = True) -> Any:
            if not stateful:  # dL/dx, which nobody asks for
                return embedded.call(function, arrays, kinds, shapes, stateful)
            found = all_ways[function.__name__][name](arrays, kinds)
            for value, size in zip(found, shapes, strict=True):
                value.set_shape(size)
            return found

        with _in_place_of(binding, call=call):
            run = fit(fused(), shape, False)
            run()
        return run

    like = fused()
    like.build((shape.batch, shape.steps, shape.inputs))
    own, *others = all_ways["forward"]
    names = [own, *(name for name in others if "C interface" in name)]
    found = {f"empty kernels, {name}": step(name) for name in names}
    found["without the layer"] = fit(Nothing(like), shape, False)
    whole = fit(fused(), shape, False)
    pairs = [{f"{BEFORE}{name}": whole, name: each} for name, each in found.items()]
    return {key: each for pair in pairs for key, each in pair.items()} | {"whole step": whole}


def _print(samples: dict[str, Samples], floor: str | None, unit: str, scale: float) -> None:
    for name, each in samples.items():
        if name != floor and not name.startswith(BEFORE):
            base = samples[floor] if floor else Samples([0.0], [0.0])
            wall, cpu = (np.median(a) - np.median(b) for a, b in zip(each, base, strict=True))
            print(f"  {name:58}{wall * scale:9.2f}{cpu * scale:9.2f} {unit}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", nargs="+", default=["simple_rnn", "lstm"])
    parser.add_argument("--shape", type=Shape.parse, default="128x100x64x64")
    parser.add_argument("--rounds", type=int, default=15)
    known = parser.parse_args()
    if known.shape.inputs != known.shape.units:
        parser.error(
            "argument --shape: a step without the layer needs as many inputs as units; received "
            f"{known.shape.inputs} and {known.shape.units}. Make them equal."
        )
    print(f"{machine.processor_name()}, {machine.threads()} threads; clock and processor time")
    for cell in known.cells:
        all_ways = {}
        for direction, (inputs, outputs) in arrays_of(cell, known.shape).items():
            sizes = [sum(array.nbytes for array in arrays) for arrays in (inputs, outputs)]
            print(f"{cell} {direction}, {len(inputs)} arrays of {sizes[0] / 2**20:.1f} MiB in, "
                  f"{len(outputs)} of {sizes[1] / 2**20:.1f} MiB out, of one call")  # fmt: skip
            title = f"{cell}_{direction}".title().replace("_", "")
            all_ways[direction] = ways(title, inputs, outputs)
            subjects = {n: many(way, inputs, outputs) for n, way in all_ways[direction].items()}
            subjects["empty"] = many(None, inputs, outputs)
            _print(measure(subjects, known.rounds), "empty", "us", 1e6 / CALLS)
        print(f"{cell}, a training step")
        _print(measure(steps_of(cell, known.shape, all_ways), known.rounds), None, "ms", 1e3)


if __name__ == "__main__":
    main()
