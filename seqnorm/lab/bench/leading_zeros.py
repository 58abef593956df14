"""Cures for sequences that begin with zeros, compared: the tables of docs/leading_zeros.md.

    python -m seqnorm.lab.bench.leading_zeros gradients --out docs/leading_zeros
    python -m seqnorm.lab.bench.leading_zeros mnist --out docs/leading_zeros --data FOLDER
    python -m seqnorm.lab.bench.leading_zeros tables

The first two add lines to a CSV file and go on where they were stopped. `gradients` takes 18 models
(cells x norms) with each cure through sequences of noise behind 0 to 50 zeros: the gradient's norm
at the first step, and the loss before and after 20 steps of Adam. `mnist` reads the digits row by
row, the first to ninth of which are empty, for five epochs. `tables` writes both into the page.
"""

from __future__ import annotations

import argparse
import csv
import math
import sys
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from seqnorm.layers import recurrent_layer
from seqnorm.normalizers import LayerNorm
from seqnorm.ops.moments import feature_moments, normalize

CELLS = ("simple_rnn", "lstm", "gru")
NORMS = ("layer", "rms", "group", "batch", "dyt", "none")
OF_MNIST = ("none", "layer", "rms", "group", "batch")
ZEROS = (0, 1, 4, 10, 20, 50)
SEEDS = (0, 1, 2)
STEPS, EPOCHS = 20, 5
RATE = 3e-3

GRADIENTS = ("cell", "norm", "cure", "seed", "zeros", "gradient", "loss_before", "loss_after")
MNIST = ("cell", "norm", "cure", "seed", "epochs", "accuracy", "loss")


class Floored(LayerNorm):
    """Layer norm whose variance is taken to be 0.01 at least."""

    def call(self, x: Any, context: Any) -> tuple[Any, None]:
        """As `LayerNorm.call`."""
        mean, variance, _ = feature_moments(x)
        floored = ops.maximum(variance, 1e-2)
        return self.affine(normalize(x, mean, floored, self.epsilon), x.dtype), None


def options(norm: str, cure: str) -> dict[str, Any]:
    """Arguments of the layer that make up a cure."""
    match cure:
        case "bias":
            small = keras.initializers.RandomNormal(stddev=0.05)
            return {"norm": norm, "init_state": "zeros", "bias_initializer": small}
        case "epsilon":
            return {"norm": {"name": norm, "epsilon": 1e-3}, "init_state": "zeros"}
        case "floor":
            return {"norm": Floored(), "init_state": "zeros"}
        case "masking":
            return {"norm": norm, "init_state": "zeros"}
    return {"norm": norm, "init_state": cure}


def cures(norm: str) -> tuple[str, ...]:
    """What is tried with a norm."""
    if norm in ("none", "dyt"):  # these have no epsilon, and need no cure
        return ("zeros", "rest", "learned", "noise")
    every = ("zeros", "rest", "learned", "noise", "bias", "epsilon")
    of_norm = {"layer": ("floor", "masking"), "batch": ()}  # batch takes no padding on the left
    return every + of_norm.get(norm, ("masking",))


class Toy:
    """Three classes of noise behind zeros, told by the mean over time; one traced training step."""

    def __init__(self, cell: str, norm: str, cure: str):
        self.make = lambda: recurrent_layer(cell, units=16, **options(norm, cure))
        first = [keras.layers.Masking()] if cure == "masking" else []
        self.model = keras.Sequential([*first, self.make(), keras.layers.Dense(3)])
        self.model.build((None, None, 6))
        self.model.compile(
            keras.optimizers.Adam(RATE),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        )

    def run(self, zeros: int, seed: int) -> tuple[float, float, float]:
        """Norm of the first gradient, loss before and after training."""
        import tensorflow as tf

        keras.utils.set_random_seed(seed)
        fresh = keras.Sequential([self.make(), keras.layers.Dense(3)])
        fresh.build((None, None, 6))
        self.model.set_weights(fresh.get_weights())
        for variable in self.model.optimizer.variables:
            if "learning_rate" not in variable.name:
                variable.assign(ops.zeros_like(variable))
        rng = np.random.default_rng(seed)
        classes = rng.normal(size=(6, 3))
        if not hasattr(self, "step"):
            self.step = tf.function(self._step, reduce_retracing=True)
        losses, gradient = [], math.nan
        for step in range(STEPS):
            x = rng.normal(size=(16, zeros + 8, 6)).astype("float32")
            x[:, :zeros] = 0
            y = np.argmax(x.sum(1) @ classes, axis=1)
            loss, norm = self.step(tf.constant(x), tf.constant(y))
            losses.append(float(loss))
            gradient = gradient if step else float(norm)
        return gradient, losses[0], float(np.mean(losses[-5:]))

    def _step(self, x: Any, y: Any) -> tuple[Any, Any]:
        import tensorflow as tf

        variables = self.model.trainable_variables
        with tf.GradientTape() as tape:
            loss = self.model.compute_loss(x, y, self.model(x, training=True))
        gradients = tape.gradient(loss, variables)
        self.model.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return loss, tf.linalg.global_norm(gradients)


def gradients(done: set[tuple[str, ...]]) -> Iterator[tuple[Any, ...]]:
    """Lines of gradients.csv that are not there yet, those that the page shows first."""
    every = [(norm, cell, cure) for norm, cell in product(NORMS, CELLS) for cure in cures(norm)]
    for norm, cell, cure in sorted(every, key=lambda arm: arm[2] not in shown(arm[0])):
        toy = None
        for zeros, seed in product(ZEROS, SEEDS):
            key = (cell, norm, cure, str(seed), str(zeros))
            if key not in done:
                toy = toy or Toy(cell, norm, cure)
                yield (*key, *(f"{value:.4g}" for value in toy.run(zeros, seed)))


def mnist(done: set[tuple[str, ...]], data: Path) -> Iterator[tuple[Any, ...]]:
    """Lines of mnist.csv that are not there yet."""
    with np.load(data / "mnist.npz") as file:
        x, y, x_test, y_test = (file[k] for k in ("x_train", "y_train", "x_test", "y_test"))
    x, x_test = ((each / 255).astype("float32") for each in (x, x_test))
    arms = [(cell, norm, "rest") for cell in CELLS[::-1] for norm in OF_MNIST]
    arms += [(cell, "batch", "noise") for cell in CELLS[::-1]]
    arms += [("lstm", norm, cure) for norm in ("layer", "batch") for cure in ("learned", "zeros")]
    for cell, norm, cure in arms:
        if (cell, norm, cure, "0") in done:
            continue
        keras.utils.set_random_seed(0)
        layer = recurrent_layer(cell, units=32, **options(norm, cure))
        model = keras.Sequential([keras.Input((28, 28)), layer, keras.layers.Dense(10)])
        model.compile(
            keras.optimizers.Adam(RATE),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
            jit_compile=False,
        )
        stop = keras.callbacks.TerminateOnNaN()
        ran = model.fit(x, y, batch_size=128, epochs=EPOCHS, verbose=0, callbacks=[stop])
        loss, accuracy = model.evaluate(x_test, y_test, batch_size=500, verbose=0)
        yield cell, norm, cure, 0, len(ran.epoch), f"{accuracy:.4f}", f"{loss:.4f}"


def append(path: Path, names: Sequence[str], keys: int, rows: Any) -> None:
    """Add the lines that `rows(done)` yields to a CSV file, each as soon as it is known."""
    path.parent.mkdir(parents=True, exist_ok=True)
    done = {tuple(line.values())[:keys] for line in read(path)} if path.exists() else set()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        if not done:
            writer.writerow(names)
        for row in rows(done):
            writer.writerow(row)
            file.flush()
            print(*row, flush=True)


def read(path: Path) -> list[dict[str, str]]:
    """The lines of a CSV file."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _cell(lines: list[dict[str, str]], zeros: int) -> str:
    """The gradient at the first step and the loss after training, medians over the seeds."""
    those = [line for line in lines if int(line["zeros"]) == zeros]
    return " → ".join(_median(those, name) for name in ("gradient", "loss_after")) if those else ""


def _median(lines: list[dict[str, str]], name: str) -> str:
    """The median over the seeds; "NaN" where one of them is not finite."""
    values = [float(line[name]) for line in lines]
    return f"{np.median(values):.2g}" if np.isfinite(values).all() else "NaN"


def shown(norm: str) -> tuple[str, ...]:
    """The cures that the page shows: of layer norm all, of others the choice."""
    if norm == "layer":
        return cures(norm)
    return ("zeros", "rest", "learned", *(("noise",) if norm == "batch" else ()))


def of_gradients(folder: Path) -> Iterator[str]:
    """A Markdown table of gradients.csv."""
    lines = read(folder / "gradients.csv")
    yield "| norm | cell | cure | " + " | ".join(f"{zeros} zeros" for zeros in ZEROS) + " |"
    yield "|---|---|---|" + "---|" * len(ZEROS)
    for norm, cell in product(NORMS, CELLS):
        for cure in shown(norm):
            arm = [each for each in lines if [*each.values()][:3] == [cell, norm, cure]]
            if arm:
                found = " | ".join(_cell(arm, zeros) for zeros in ZEROS)
                yield f"| {norm} | {cell} | {cure} | {found} |"


def of_mnist(folder: Path) -> Iterator[str]:
    """A Markdown table of mnist.csv."""
    yield "| cell | norm | `init_state` | epochs | accuracy | loss |"
    yield "|---|---|---|---|---|---|"
    order = [*product(CELLS, OF_MNIST)]
    lines = read(folder / "mnist.csv")
    for line in sorted(lines, key=lambda each: order.index((each["cell"], each["norm"]))):
        yield "| {cell} | {norm} | {cure} | {epochs} | {accuracy} | {loss} |".format(**line)


def with_tables(page: str, folder: Path) -> str:
    """The page with the tables of what the folder holds between its marks."""
    for name, table in (("gradients", of_gradients), ("mnist", of_mnist)):
        mark, end = f"<!-- {name} -->\n", "<!-- end -->\n"
        before, after = page.split(mark)
        rest = after.split(end, 1)[1]
        page = "".join([before, mark, *(f"{line}\n" for line in table(folder)), end, rest])
    return page


def main(arguments: Sequence[str] | None = None) -> int:
    """The command of this module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=("gradients", "mnist", "tables"))
    parser.add_argument("--out", type=Path, default=Path("docs/leading_zeros"))
    parser.add_argument("--page", type=Path, default=Path("docs/leading_zeros.md"))
    parser.add_argument("--data", type=Path, help="folder that holds mnist.npz")
    given = parser.parse_args(arguments)
    if given.part == "gradients":
        append(given.out / "gradients.csv", GRADIENTS, 5, gradients)
    elif given.part == "mnist":
        if given.data is None:
            parser.error("mnist needs --data, the folder that holds mnist.npz")
        append(given.out / "mnist.csv", MNIST, 4, lambda done: mnist(done, given.data))
    else:
        page = given.page.read_text(encoding="utf-8")
        given.page.write_text(with_tables(page, given.out), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
