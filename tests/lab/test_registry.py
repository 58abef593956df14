"""Mistakes in the registration of one's own parts are refused where they are made."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint

import pytest

from seqnorm.cells import CELLS, NormGRUCell
from seqnorm.lab.config import imports, presets, rules
from seqnorm.lab.config.compose import compose
from seqnorm.lab.config.imports import load_parts, load_parts_of
from seqnorm.lab.config.parts import SITES, NormConfig, RecurrentConfig
from seqnorm.lab.config.rules import ConfigError
from seqnorm.lab.config.schema import SCHEMAS
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


def test_a_module_that_does_not_exist_is_told_from_those_beside_it(tmp_path, monkeypatch):
    for name in ("besides/__init__.py", "besides/norms.py", "besides/cells.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as caught:
        load_parts(["besides.norm"])
    assert str(caught.value).endswith(
        "No module named 'besides.norm'. Did you mean besides.norms? besides has besides.cells, "
        "besides.norms."
    )
    with pytest.raises(
        ConfigError, match=r"'beside'\. Did you mean besides\? Start the command in"
    ):
        load_parts(["beside.norms"])


PART = """
from dataclasses import dataclass, replace
from seqnorm.cells import NormGRUCell
from seqnorm.lab import RecurrentConfig, register_cell

@dataclass
class TwiceConfig(RecurrentConfig):
    tau: int = 2

@register_cell("twice", TwiceConfig)
class TwiceCell(NormGRUCell):
    NAME, SELECTABLE = "twice", ("input",)

    def __init__(self, units, norm="layer", tau=2, **kwargs):
        super().__init__(units, norm, **kwargs)
"""


@pytest.fixture
def twice(tmp_path, monkeypatch):
    """One part in two modules, as where a package is installed and its source imported."""
    for name in ("twice_installed", "twice_again"):
        (tmp_path / f"{name}.py").write_text(PART)
    monkeypatch.chdir(tmp_path)
    load_parts(["twice_installed"])
    yield
    del PARTS["cell", "twice"], SCHEMAS["cell"]["twice"], CELLS["twice"], SITES["twice"]
    del sys.modules["twice_installed"]


def test_a_part_in_two_modules_is_no_fault_of_the_import(twice, monkeypatch):
    fact = "cell=twice is twice_installed's; received another one of that name from twice_again."
    with pytest.raises(ConfigError, match=f"^{re.escape(fact)} Choose another name.$"):
        load_parts(["twice_again"])
    entry = EntryPoint("mylab", "twice_installed", imports.GROUP)
    monkeypatch.setattr(imports, "entry_points", lambda group: [entry])
    given = ["imports=[twice_again]", "cell=twice", "cell.taw=3", "cell.tau=3", "data=synthetic"]
    with pytest.raises(ConfigError) as caught:
        load_parts_of(given)
    assert str(caught.value).splitlines() == [
        f"{fact} Leave imports=[twice_again] out, or uninstall twice_installed.",
        "cell has no key 'taw'. Did you mean tau?",
    ]


def test_sites_are_asked_of_the_cell_before_data_are_read(twice):
    given = compose(["cell=twice", "norm=batch"])
    for cell, norm, message in (
        (
            {"sites": ["recurrent"]},
            {},
            "cell.sites must be some of input, where norms can stand in",
        ),
        ({"sites": ["inptu"]}, {}, "received cell.sites=[inptu]. Did you mean input? Leave it out"),
        ({"placement": "joint"}, {}, "needs the sites input and recurrent; received cell=twice."),
        (
            {"placement": "joint", "name": "lstm", "sites": ["input", "state"]},
            {},
            "received cell.sites=[input, state]. Add them, or use cell.placement=separate.",
        ),
        (
            {"placement": "joint", "name": "lstm"},
            {"input_statistics": "sequence"},
            "received cell.placement=joint. Change one of the two.",
        ),
    ):
        changed = {"cell": replace(given.cell, **cell), "norm": replace(given.norm, **norm)}
        problems = " ".join(rules._sites(replace(given, **changed)))
        assert message in problems
    assert not [*rules._sites(given)]


def test_the_sites_that_are_known_without_keras_are_those_of_the_cells():
    ours = ("simple_rnn", "lstm", "gru")
    assert {name: SITES[name] for name in ours} == {n: CELLS[n].SELECTABLE for n in ours}


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
