"""Mistakes in the registration of one's own parts are refused where they are made."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from seqnorm.lab.config import presets
from seqnorm.lab.config.parts import NormConfig
from seqnorm.lab.config.tasks import TaskConfig
from seqnorm.lab.registry import register_norm, register_task
from seqnorm.lab.tasks import Task
from seqnorm.normalizers import LayerNorm


@dataclass
class OwnConfig(NormConfig):
    """A norm."""

    power: float = 2.0


class ForgottenConfig(NormConfig):
    power: float = 2.0


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
        register_norm(name, OwnConfig)(LayerNorm)


def test_a_task_that_does_not_say_what_it_measures_is_refused():
    @dataclass
    class UnmeasuredConfig(TaskConfig):
        """A task."""

    with pytest.raises(TypeError, match="Unmeasured without scores and baseline_name"):
        register_task("unmeasured", UnmeasuredConfig)(Unmeasured)


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
