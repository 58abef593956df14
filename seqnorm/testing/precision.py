"""Properties of the numbers: those of a reference, gradients, lower precision, compiled code."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seqnorm.checks.layers import numpy
from seqnorm.testing.agree import agree, agree_all, largest
from seqnorm.testing.case import Case
from seqnorm.testing.compiled import ways
from seqnorm.testing.errors import Disagreement

# Layer norm at h = 0 is steep: larger steps see its curvature.
E = 3e-6


def reference(case: Case) -> None:
    """Outputs and states are those of the author's NumPy."""
    if case.reference is None:
        return
    for training in case.trainings:
        case.reset()
        expected, when = case.reference(case, training), f" (training={training})"
        found = case.found(training).outputs[: len(expected)]
        names = case.names(when)[: len(expected)]
        agree_all(names, found, expected, case.dtype, 2, rows=case.x)


def gradient(case: Case) -> None:
    """The gradient is that of finite differences, along a random direction.

    First through all weights and inputs together; where that fails, through each of them alone,
    to say which.
    """
    rng = np.random.default_rng(9)
    directions = [rng.normal(size=g.shape) for g in case.trained.gradient]
    try:
        for training in case.trainings:
            _along_any(case, directions, training)
    finally:
        case.layer.set_weights(case.start)


def _along_any(case: Case, directions: list[NDArray], training: bool) -> None:
    try:
        _along(case, "everything", directions, training)
    except Disagreement:
        for i, name in enumerate(case.weights()):
            _along(case, name, [d * (i == j) for j, d in enumerate(directions)], training)
        raise


def _along(case: Case, name: str, directions: list[NDArray], training: bool) -> None:
    """Along one direction, gᵀv against the difference quotient."""
    gradient, layer = case.found(training).gradient, case.layer

    def value(t: float) -> float:
        layer.set_weights(case.start)
        for variable, d in zip(layer.trainable_variables, directions, strict=False):
            variable.assign(variable + t * d)
        total, _ = case.scalar(case.x + t * directions[-1], case.mask, training=training)
        return float(numpy(total))

    found = sum(float(np.sum(g * d)) for g, d in zip(gradient, directions, strict=True))
    what = f"the slope of a weighted sum of outputs and states along a random change of {name}"
    agree(what, found, (value(E) - value(-E)) / (2 * E), factor=1e4)


def precision(case: Case) -> None:
    """In lower precision outputs, states and gradients are those of float64, to its rounding."""
    if case.exact is None:
        return
    found, expected = case.trained, case.exact.trained
    agree_all(case.names(), found.outputs, expected.outputs, case.dtype, 2, rows=case.x)
    names = [f"gradient by {name}" for name in case.weights()]
    scale = largest(expected.gradient)
    agree_all(names, found.gradient, expected.gradient, case.dtype, 4, scale)


def finite(case: Case) -> None:
    """From zeros, constants and random inputs everything is finite, gradients included."""
    stays_finite(case, "zeros", np.zeros_like(case.x))
    stays_finite(case, "ones", np.ones_like(case.x))
    stays_finite(case, "random inputs", case.x)


def stays_finite(case: Case, name: str, x: NDArray) -> None:
    """Outputs, states, statistics and gradients of one training call."""
    outputs, after, gradient = case.train(x, case.mask)
    by_row = case.names()
    names = [*by_row, *(f"statistic {i}" for i in range(len(after)))]
    names += [f"gradient by {weight}" for weight in case.weights()]
    for what, array in zip(names, [*outputs, *after, *gradient], strict=True):
        bad = np.argwhere(~np.isfinite(array))
        if bad.size:
            place = tuple(bad[0])
            row = x[place[0]] if what in by_row else None
            raise Disagreement(f"{what} from {name}", array[place], "a finite number", row)


def compiled(case: Case) -> None:
    """Compiled code gives what eager code gives, statistics included: graph and XLA, or jit.

    XLA in float64 only, and where the loop runs: it compiles the loop, whatever else serves.
    """
    for training in case.trainings:
        once = case.dtype != "float64" or not _by_loop(case, training)
        for call in ways(case.layer)[: 1 if once else None]:
            case.reset()
            found = [numpy(y) for y in call(case.x, mask=case.mask, training=training)]
            found += case.statistics()
            outputs, after, _ = case.found(training)
            when, count = f", compiled (training={training})", len(outputs)
            agree_all(case.names(when), found[:count], outputs, case.dtype, rows=case.x)
            names = [f"statistic {i}{when}" for i in range(len(after))]
            agree_all(names, found[count:], after, case.dtype)


def _by_loop(case: Case, training: bool) -> bool:
    layer = case.layer
    return layer.implementation == "loop" or layer.why_not_fused(training=training) is not None
