"""Are outputs, states and gradients of the kernels the same on every backend?

    python -m tests.tools.backends FOLDER tensorflow=PYTHON torch=PYTHON jax=PYTHON [--cases 1000]

Draws random cases (`tests.random_cases`), has each that the kernels serve computed in float32 by a
process of each backend, with the interpreter that is named for it, and prints for every two the
largest difference of any number over 1 + the largest number of its array.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[2]


def write(path: Path, cases: int) -> None:
    """What the backend of this process computes: one array after the other."""
    import keras

    from tests import grid
    from tests.gradients import gradients_and_more, weighted_sum
    from tests.random_cases import draw

    def everything(layer: Any, case: Any) -> list[Any]:
        def loss(x: Any) -> Any:
            states = None
            if case.states is not None:
                states = [keras.ops.cast(state, "float32") for state in case.states]
            found = layer(x, initial_state=states, mask=case.mask, training=case.training)
            return weighted_sum(found), list(found)

        slopes, found = gradients_and_more(loss, layer, case.x.astype("float32"))
        tables = [w for w in layer.non_trainable_variables if "seed" not in w.path]
        return [grid.numpy(value) for value in (*found, *slopes, *tables)]

    found, rng = {}, np.random.default_rng(0)
    for number in range(cases):
        case = draw(rng)
        layer = case.layer("float32")
        carried = case.states is not None
        if layer.why_not_fused(carried, case.training) or (carried and layer.time_aware):
            continue
        layer.implementation = "fused"
        for place, value in enumerate(everything(layer, case)):
            found[f"{number} {place}"] = value
    np.savez(path, **found)


def largest(first: Path, second: Path) -> tuple[float, int]:
    """The largest difference, and the number of cases that both have."""
    a, b = np.load(first), np.load(second)
    assert a.files == b.files, "the backends do not serve the same cases"
    differences = [
        np.max(np.abs(a[key] - b[key]) / (1 + np.max(np.abs(b[key]), initial=0)), initial=0)
        for key in a.files
    ]
    return float(max(differences)), len({key.split()[0] for key in a.files})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("backends", nargs="*")
    parser.add_argument("--cases", type=int, default=1000)
    known = parser.parse_args()
    if not known.backends:
        return write(known.folder, known.cases)
    interpreters = dict(each.split("=", 1) for each in known.backends)
    known.folder.mkdir(parents=True, exist_ok=True)
    files = {name: known.folder / f"{name}.npz" for name in interpreters}
    for name, python in interpreters.items():
        own = {**os.environ, "KERAS_BACKEND": name, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
        command = [
            python,
            "-m",
            "tests.tools.backends",
            str(files[name]),
            "--cases",
            str(known.cases),
        ]
        subprocess.run(command, check=True, env=own, cwd=ROOT)
    for one, other in combinations(interpreters, 2):
        difference, cases = largest(files[one], files[other])
        print(f"{one} and {other}: {difference:.1e} in {cases} cases")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
