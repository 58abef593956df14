"""Mistakes in the registration of one's own parts are refused where they are made."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from seqnorm.cells import NormGRUCell
from seqnorm.lab.config import presets
from seqnorm.lab.config.imports import load_parts
from seqnorm.lab.config.parts import NormConfig, RecurrentConfig
from seqnorm.lab.config.rules import ConfigError
from seqnorm.lab.config.tasks import TaskConfig
from seqnorm.lab.registry import PARTS, register_cell, register_norm, register_task
from seqnorm.lab.tasks import Score, Task
from seqnorm.normalizers import LayerNorm


@dataclass
class OwnConfig(NormConfig):
    """A norm."""

    power: float = 2.0


class ForgottenConfig(NormConfig):
    power: float = 2.0


class Own(LayerNorm):
    def __init__(self, power=2.0, **kwargs):
        super().__init__(**kwargs)


class Unmeasured(Task):
    def head(self, dataset): ...

    def loss(self): ...

    def metrics(self): ...

    def evaluate(self, model, dataset, part, batch_size): ...

    def baseline(self, dataset, part): ...


def test_a_schema_whose_dataclass_was_forgotten_is_refused():
    with pytest.raises(TypeError, match="Write `@dataclass` above"):
        register_norm("forgotten", ForgottenConfig)(LayerNorm)


@pytest.mark.parametrize("name", ["a b", "", "a=b", "a,b", "[a]"])
def test_a_name_that_cannot_be_typed_is_refused(name):
    with pytest.raises(ValueError, match="needs a name that can be typed in norm=NAME"):
        register_norm(name, OwnConfig)(Own)


@dataclass
class SpelledConfig(OwnConfig):
    gamma: float = 1.0  # becomes gamma_initializer
    powr: float = 2.0


class Counted(Unmeasured):
    scores, baseline_name = (Score("share", "share"),), "majority class"


@dataclass
class CountedConfig(TaskConfig):
    digits: int = 3


@dataclass
class NamelessConfig(RecurrentConfig):
    gates: int = 2


class NamelessCell(NormGRUCell):
    NAME = "nameless"


@pytest.mark.parametrize(
    ("register", "name", "schema", "part", "lacking"),
    [
        (register_norm, "spelled", SpelledConfig, Own, "powr"),
        (register_cell, "nameless", NamelessConfig, NamelessCell, "gates"),
        (register_task, "counted", CountedConfig, Counted, "digits"),
    ],
)
def test_a_field_that_the_constructor_lacks_is_refused(register, name, schema, part, lacking):
    said = f"received {schema.__name__} with {lacking}, which {part.__name__} does not take"
    with pytest.raises(TypeError, match=said):
        register(name, schema)(part)
    assert all(part != name for _, part in PARTS)


def test_a_task_that_does_not_say_what_it_measures_is_refused():
    @dataclass
    class UnmeasuredConfig(TaskConfig):
        """A task."""

    with pytest.raises(TypeError, match="Unmeasured without scores and baseline_name"):
        register_task("unmeasured", UnmeasuredConfig)(Unmeasured)


def test_a_module_with_a_fault_is_not_said_to_be_elsewhere(tmp_path, monkeypatch):
    (tmp_path / "with_a_fault.py").write_text("raise ValueError('no')\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"\[with_a_fault\] and the answer ValueError: no$"):
        load_parts(["with_a_fault"])
    with pytest.raises(ConfigError, match=r"No module named 'nowhere'\. Start the command in"):
        load_parts(["nowhere.norms"])


def test_where_no_plugin_of_hydra_is_installed_nothing_of_ours_is_written(monkeypatch):
    """As after `pip install '.[lab]'`: there is not even a package of plugins."""

    def find(name):
        raise ModuleNotFoundError("No module named 'hydra_plugins'", name="hydra_plugins")

    presets.register()  # so that Hydra has stored what it finds
    monkeypatch.setattr(presets, "find_spec", find)
    written: list[dict[str, object]] = []
    store = presets.ConfigStore.instance()
    monkeypatch.setattr(store, "store", lambda **node: written.append(node))
    presets.register()
    assert not written
