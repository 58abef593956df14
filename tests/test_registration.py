"""Keras finds the classes of a file, whichever of the two was imported first and how."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import keras
import pytest

import seqnorm
from tests import grid
from tests.tiers import exhaustive

ORDERS = {
    "keras later": "import seqnorm; light(); import keras; load = keras.models.load_model",
    "a name of keras": "import seqnorm; light(); from keras.models import load_model as load",
    "tf.keras": "import seqnorm; light(); import tensorflow as t; load = t.keras.models.load_model",
    "a part of ours first": "import seqnorm.normalizers, keras; load = keras.models.load_model",
    "keras before": "import keras, seqnorm; load = keras.models.load_model",
}
FIRST = ("keras later",)  # in the quick tier: as README's examples do it
SCRIPT = """
import sys
def light():
    heavy = {{"keras", "tensorflow", "jax", "torch", "numpy"}} & set(sys.modules)
    assert not heavy, heavy
{order}
assert type(load(sys.argv[1]).layers[0]).__name__ == "NormLSTM"
assert not any(type(finder).__module__.startswith("seqnorm") for finder in sys.meta_path)
"""


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "model.keras"
    keras.Sequential([keras.Input((5, 3)), seqnorm.NormLSTM(4, "batch")]).save(path)
    return path


@pytest.mark.parametrize(
    "order",
    [
        *FIRST,
        *(pytest.param(order, marks=exhaustive) for order in ORDERS if order not in FIRST),
    ],
)
def test_a_model_loads_after_imports_in_any_order(order, saved):
    if order == "tf.keras" and grid.BACKEND != "tensorflow":
        pytest.skip("there is no TensorFlow")
    script = SCRIPT.format(order=ORDERS[order])
    done = subprocess.run(
        [sys.executable, "-c", script, str(saved)], stderr=subprocess.PIPE, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_a_module_that_is_not_there_is_still_missing(monkeypatch):
    """The finder stands aside for every name but one."""
    registration = import_module("seqnorm.registration")
    finder = registration._AfterKeras()
    monkeypatch.setattr(sys, "meta_path", [finder])
    assert finder.find_spec("keras", None) is None
    assert finder.find_spec("numpy", None) is None
