"""Twelve exact claims about normalised recurrent networks, each checked in seconds.

Each check is a module of this package with one function, `check() -> list[Row]`; the command
`seqnorm-check` runs them. To add one: write the module and name it in `CHECKS`.
"""

from __future__ import annotations

from importlib import import_module

from seqnorm.checks.row import Row
from seqnorm.spelling import one_of

CHECKS = {
    "invariance": "what can be done to weights and data without changing the outputs",
    "parity": "published cells, each against a transcription of its source",
    "gradients": "gradients against finite differences, with rows that end and rows that are empty",
    "padding": "outputs against the amount of padding and the other rows of the batch",
    "padding-bias": "what padding does to batch statistics that are not told of it",
    "zero-alive": "what a step without a valid row does to running statistics",
    "small-n": "batch norm of few rows",
    "variance": "the variance far from zero: one pass against two",
    "zero-vector": "the gradient of layer norm at a constant row",
    "flow-identity": "gradient through 50 steps of a tanh RNN, U = I, no input",
    "flow-orthogonal": "gradient through 50 steps of a tanh RNN, U orthogonal, no input",
    "flow-separate": "gradient per step of a tanh RNN whose x W and h U are normalised separately",
}


def run(name: str) -> list[Row]:
    """The rows of the check called `name`, one of `CHECKS`.

    Raises:
        ValueError: for an unknown name.
    """
    if name not in CHECKS:
        raise ValueError(f"Unknown check. Received: name={name!r}. {one_of(name, CHECKS)}")
    rows: list[Row] = import_module(f"seqnorm.checks.{name.replace('-', '_')}").check()
    return rows
