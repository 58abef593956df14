"""Properties of what is kept: configuration and files."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np

from seqnorm.checks.layers import numpy
from seqnorm.testing.agree import agree_all
from seqnorm.testing.case import Case
from seqnorm.testing.errors import Disagreement

LOAD = """
import importlib, sys
folder, modules, names = sys.argv[1], sys.argv[2].split(","), sys.argv[3].split(",")
import keras, numpy as np, seqnorm.layers
for module in modules:
    importlib.import_module(module)
for name in names:
    model = keras.models.load_model(f"{folder}/{name}.keras")
    inputs = list(np.load(f"{folder}/{name}.inputs.npz").values())
    found = keras.tree.flatten(model(inputs[0] if len(inputs) == 1 else inputs))
    arrays = [keras.ops.convert_to_numpy(keras.ops.cast(y, "float64")) for y in found]
    np.savez(f"{folder}/{name}.found.npz", *arrays)
"""


def serialisation(case: Case) -> None:
    """The layer that its configuration describes is the same layer, as Keras serialises it."""
    for original in case.originals:
        _keeps_all(original)
    config = keras.saving.serialize_keras_object(case.layer)
    copy = keras.saving.deserialize_keras_object(config)
    again = keras.saving.serialize_keras_object(copy)
    if again != config:
        what = "configuration after a round trip, " + _differing(config, again)
        raise Disagreement(what, _at(again, config), _at(config, again))
    copy.build((None, None, case.x.shape[-1]))
    shapes = [[tuple(w.shape) for w in layer.weights] for layer in (copy, case.layer)]
    if shapes[0] != shapes[1]:
        raise Disagreement("shapes of the weights after a round trip", *shapes)
    copy.set_weights(case.start)
    found = [numpy(y) for y in copy(case.x, mask=case.mask)]
    agree_all(case.names(" after a round trip"), found, case.found(False).outputs, case.dtype)


def _keeps_all(original: Any) -> None:
    """Every plain attribute survives `from_config(get_config())`."""
    copy = type(original).from_config(original.get_config())
    for name, value in vars(original).items():
        plain = isinstance(value, (bool, int, float, str, type(None)))
        if plain and not name.startswith("_") and name != "built":
            kept = getattr(copy, name, "nothing")
            if kept != value and not (value != value and kept != kept):  # NaN is itself
                what = f"the attribute {name!r} of {type(original).__name__} after a round trip"
                raise Disagreement(what, kept, value)


def _parts(config: Any, path: str = "config") -> dict[str, Any]:
    """The leaves of a configuration by their place."""
    if isinstance(config, dict):
        items: Any = config.items()
    elif isinstance(config, (list, tuple)):
        items = enumerate(config)
    else:
        return {path: config}
    found: dict[str, Any] = {}
    for key, value in items:
        found |= _parts(value, f"{path}.{key}")
    return found


def _differing(a: Any, b: Any) -> str:
    a, b = _parts(a), _parts(b)
    return next(key for key in [*a, *b] if key not in a or key not in b or a[key] != b[key])


def _at(config: Any, other: Any) -> Any:
    return _parts(config).get(_differing(config, other), "nothing")


def fresh_process(case: Case) -> None:
    """A `.keras` file of a model with the layer loads in a new process and gives the same.

    That process imports the modules that define cell and norms, as a user of the file would.
    """
    own = {type(part).__module__ for part in (case.cell, *case.cell.normalizers.values())}
    if "__main__" in own:
        raise Disagreement(
            "the module that defines cell and norm",
            "__main__, which no other process can import",
            "a module of its own (or skip 'fresh_process')",
        )
    x = keras.Input((None, case.x.shape[-1]), dtype=case.dtype)
    mask = keras.Input((None,), dtype="bool")
    model = keras.Model([x, mask], case.layer(x, mask=mask))
    found = loaded({"model": (model, [case.x, case.valid])}, sorted(own))["model"]
    agree_all(
        case.names(" of the model loaded in a new process"),
        found,
        case.found(False).outputs,
        case.dtype,
    )


def loaded(models: Mapping[str, tuple[Any, list[Any]]], modules: list[str]) -> dict[str, list[Any]]:
    """What saved models give in one new process.

    Args:
        models: model and inputs by name.
        modules: what the process imports first.

    Raises:
        RuntimeError: with its last words, where the process fails.
    """
    with TemporaryDirectory() as folder:
        for name, (model, inputs) in models.items():
            model.save(f"{folder}/{name}.keras")
            np.savez(f"{folder}/{name}.inputs.npz", *inputs)
        done = subprocess.run(
            [sys.executable, "-c", LOAD, folder, ",".join(modules), ",".join(models)],
            env={
                **os.environ,
                "KERAS_BACKEND": keras.backend.backend(),
                "PYTHONPATH": os.pathsep.join(filter(None, [str(Path.cwd()), *sys.path])),
            },
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError("loading in a new process failed: " + _last_words(done.stderr))
        return {name: _arrays(f"{folder}/{name}.found.npz") for name in models}


def _arrays(path: str) -> list[Any]:
    with np.load(path) as found:
        return [found[key] for key in found]


def _last_words(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"
