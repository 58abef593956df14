"""The configuration: every file composes, every mistake dies early, every key does something."""

from __future__ import annotations

import ast
import inspect
import re
from dataclasses import asdict, fields
from pathlib import Path

import keras
import pytest
from omegaconf import OmegaConf

import seqnorm
from seqnorm.lab.config.compose import compose
from seqnorm.lab.config.models import FLOORS
from seqnorm.lab.config.rules import WHOLE_IMAGE, ConfigError
from seqnorm.lab.config.schema import SCHEMAS, RunConfig, conf_dir
from seqnorm.lab.data import mnist

SINGLE = {"seed", "runs_dir", "study", "arm", "resume", "imports"}  # keys of no group
GROUPS = [name for name in RunConfig.__annotations__ if name not in SINGLE]
CHOICES = [
    (group, path.stem)
    for group in [*GROUPS, "experiment"]
    for path in sorted((conf_dir() / group).glob("*.yaml"))
    if not path.stem.startswith("compare_")  # of seqnorm-compare: tests/lab/comparison
]


# What a choice asks for besides.
WITH = {
    "norm=keras_layer": ("model=mlp",),
    "norm=keras_batch": ("model=mlp",),
    "cell=none": ("model=mlp",),
    "model=convnet": ("data=mnist",),
    "data=files": ("data.train=reviews.csv",),
    "data=series": ("data.train=train.npz",),
    "data=tfds": ("data.builder=ag_news_subset",),
    "data=adding": ("task=regression",),
    "data=copy_memory": ("task=tagging",),
    "task=regression": ("data=adding",),
    "task=tagging": ("data=copy_memory",),
    "task=multilabel": ("data=files", "data.train=reviews.csv"),
    "task=language_model": ("model.bidirectional=false",),
    "model=ngram": ("task=language_model",),
}


def leaves(node: dict, prefix: str = ""):
    for key, value in node.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


@pytest.mark.parametrize(("group", "choice"), CHOICES)
def test_every_file_composes(group, choice):
    config = compose([f"{group}={choice}", *WITH.get(f"{group}={choice}", ())])
    assert isinstance(config, RunConfig)
    assert "???" not in [value for _, value in leaves(asdict(config))]
    if group != "experiment":
        chosen = getattr(config, group)
        assert type(chosen) is SCHEMAS[group][choice]


def test_every_schema_has_its_file_and_every_group_is_covered():
    assert set(SCHEMAS) == set(GROUPS)
    for group, choices in SCHEMAS.items():
        assert set(choices) == {path.stem for path in (conf_dir() / group).glob("*.yaml")}


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "norm.momentum=0.9",
            "norm has no key 'momentum'. The valid keys are name, gamma, scale, center, epsilon.",
        ),
        ("data.batchsize=3", "data has no key 'batchsize'. Did you mean batch_size?"),
        (
            "sed=3",
            "the configuration has no key 'sed'. Did you mean seed? The valid keys are seed,",
        ),
        ("nrom=layer", "the configuration has no key 'nrom'. Did you mean norm?"),
        (
            "norm=lyer",
            "norm=lyer is not one of the choices of norm. Did you mean layer? "
            "The choices are batch, dyt, group, keras_batch, keras_layer, layer, none, rms.",
        ),
        (
            "experiment=dmeo",
            "experiment=dmeo is not one of the choices of experiment. Did you mean",
        ),
        ("data.batch_size=many", "data.batch_size: Value 'many' of type 'str' could not be"),
        ("+norm.momentum=0.9", "norm has no key 'momentum'."),
        ("+nonsense=1", "the configuration has no key 'nonsense'."),
        ("~seed", "the configuration needs its key 'seed'"),
        ("norm.epsilon=${norm.epsilom}", "norm.epsilon: Interpolation key 'norm.epsilom' not"),
        ("data.batch_size=0", "data.batch_size must be at least 1; received data.batch_size=0."),
        ("optim.learning_rate=-1", "optim.learning_rate must be a positive number; received"),
        ("optim.learning_rate=nan", "optim.learning_rate must be a positive number; received"),
        ("model.dropout=1", "model.dropout is a share and must be at least 0 and below 1;"),
        ("model=mlp model.hidden=[0]", "model.hidden must be a list of positive numbers"),
        (
            "optim.clipnorm=0",
            "optim.clipnorm must be a positive number, or null for none;",
        ),
        (
            "tracking.mode=ofline",
            "tracking.mode must be one of online, offline, disabled;",
        ),
        ("seed=4294967296", "seed must be at least 0 and below 2**32;"),
        ("cell.sites=[]", "cell.sites must name one site or more"),
        (
            "cell.sites=[input,recurent]",
            "cell.sites must be some of input, recurrent, state, where norms can stand in "
            "cell=lstm; received cell.sites=[input, recurent]. Did you mean recurrent?",
        ),
        ("model=mlp model.hidden=[]", "model.hidden must be a list of positive numbers"),
        (
            "tracking.project=x tracking.mode=offline",
            "received tracking.mode=offline, tracking.project=x.",
        ),
        ("data.even_batches=false data.bucket=5", "data.bucket=5 with data.even_batches=false."),
        ("data.even_batches=false", "Add data.bucket=0"),
        ("norm=batch norm.momentum=99", "norm.momentum is a weight and must be from 0 to 1;"),
        ("norm.gamma=nan", "norm.gamma must be finite; received norm.gamma=nan."),
        ("train.reestimate=true", "norm to be one of batch, keras_batch; received norm=layer."),
        ("data.dir=", "data.dir must name a folder"),
        ("runs_dir=", "runs_dir must name a folder"),
        ("data=files", "data.train must name a file, several as in '[a.csv,b.csv]', or"),
        ("data=files data.train=[]", "data.train must name a file"),
        ("data=files data.train=[a.csv,3]", "data.train must name a file"),
        ("data=files data.train=a.csv data.delimiter=ab", "data.delimiter must be one character"),
        ("data=files data.train=a.csv data.text=", "data.text must be a name"),
        ("data=files data.train=a.csv data.test_fraction=1", "data.test_fraction is a share"),
        ("data=files data.train=a.csv,b.csv", "write 'data.train=[a.csv,b.csv]' for one list"),
        ("data=tfds", "data.builder must name a data set of TensorFlow Datasets"),
        ("model=mlp norm=keras_batch data.batch_size=1", "norm=keras_batch needs batches of at"),
        ("norm.name=batch", "norm.name=batch with the keys of another. Use norm=batch."),
        ("data.name=reuters", "Use data=reuters."),
        ("optim.name=adm", "Use optim= one of adam, sgd, rmsprop."),
        ("model.pooling=first", "model.pooling must be one of last, mean, max; received"),
    ],
)
def test_a_mistake_names_what_would_be_right(override, message):
    with pytest.raises(ConfigError, match=re.escape(message)):
        compose(override.split())


def test_all_values_out_of_range_are_named_at_once():
    with pytest.raises(ConfigError) as caught:
        compose(["train.epochs=0", "cell.units=-3"])
    assert "train.epochs=0" in str(caught.value) and "cell.units=-3" in str(caught.value)


def test_batch_norm_of_single_rows_is_refused_with_the_reason():
    with pytest.raises(ConfigError, match=r"exactly zero .* Raise data\.batch_size"):
        compose(["norm=batch", "data.batch_size=1"])
    compose(["norm=layer", "data.batch_size=1"])
    compose(["norm=batch", "data.batch_size=1", "data.batch_tokens=3000"])  # two rows or more
    compose(["norm=batch", "data.batch_size=2"])


def test_batches_are_cut_by_one_measure():
    with pytest.raises(ConfigError, match=r"data\.batch_tokens .* needs data\.even_batches=true"):
        compose(["data.batch_tokens=4000", "data.even_batches=false"])


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["model=mlp", "norm=layer"], "norm to be one of none, keras_layer, keras_batch;"),
        (["model=mlp", "cell=lstm"], "model=mlp has no recurrence and needs cell=none;"),
        (["model=bag_of_words", "norm=keras_layer"], "needs norm to be one of none; received"),
        (["norm=keras_batch"], "inside each step, which norm=keras_batch cannot. Use norm=batch."),
        (["cell=none"], "model=classifier is recurrent and needs a cell;"),
        (["model=convnet"], "needs whole images, data.max_length=785; received"),
    ],
)
def test_cell_and_norm_have_to_fit_the_model(overrides, message):
    with pytest.raises(ConfigError, match=re.escape(message)):
        compose(overrides)


def test_a_model_without_recurrence_brings_cell_and_norm_along():
    config = compose(["model=mlp"])
    assert (config.cell.name, config.norm.name, config.network) == ("none", "keras_layer", "mlp")
    assert compose(["model=mlp", "norm=keras_batch"]).norm.name == "keras_batch"
    assert compose(["model=bag_of_words"]).norm.name == "none"
    assert compose(["cell=gru"]).network == "gru"


def test_every_argument_of_kerass_norms_can_be_set():
    for choice, layer in (
        ("keras_layer", keras.layers.LayerNormalization),
        ("keras_batch", keras.layers.BatchNormalization),
    ):
        arguments = set(inspect.signature(layer.__init__).parameters) - {"self", "kwargs"}
        assert {entry.name for entry in fields(SCHEMAS["norm"][choice])} - {"name"} == arguments


def test_the_whole_image_is_what_mnist_gives():
    assert WHOLE_IMAGE == 1 + mnist.SIDE**2


def test_batch_norm_has_a_row_for_every_step():
    assert compose(["norm=batch", "data.max_length=77"]).norm.max_steps == 77
    # Of texts in windows as many as a window has: a row for each step of all texts is never filled.
    windows = ["norm=batch", "experiment=language_model_characters"]
    assert compose(windows).norm.max_steps == 100
    assert compose([*windows, "task.window=30"]).norm.max_steps == 30
    assert compose([*windows, "data.max_length=20"]).norm.max_steps == 20


@pytest.mark.parametrize("group", ["cell", "norm", "model", "optim", "train"])
def test_every_constant_has_its_reason_beside_it(group):
    for path in sorted((conf_dir() / group).glob("*.yaml")):
        lines = path.read_text(encoding="utf-8").splitlines()
        assert lines[0].startswith("# "), f"{path.name} does not open with what it is"
        for line in lines:
            is_value = re.match(r"\w+: ", line) and not line.startswith("name:")
            assert not is_value or " # " in line, f"{path.name}: {line}"


@pytest.mark.parametrize("path", sorted((conf_dir() / "experiment").glob("*.yaml")), ids=str)
def test_an_experiment_opens_with_command_cost_and_score(path):
    header = path.read_text(encoding="utf-8").split("defaults:")[0]
    for entry in ("# @package _global_", "command ", "expected cost ", "expected score "):
        assert entry in header


# Attributes that the code reads; what comments and messages name does not count.
ATTRIBUTES = {
    ast.unparse(node)
    for path in Path(seqnorm.__file__).parent.rglob("*.py")
    if path.stem not in ("config", "config_checks")
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    if isinstance(node, ast.Attribute)
}
# Passed on as arguments: tests/lab/models/test_bag_of_words.py and test_ngram.py.
OF_FLOORS = {
    f"model.{entry.name}" for name in FLOORS for entry in fields(SCHEMAS["model"][name])
} - {"model.name"}
PASSED_ON = (
    "cell",
    "norm",
    "optim",
)  # whole, as arguments: tests/lab/models and tests/lab/training


@pytest.mark.parametrize(
    "key",
    sorted(
        {
            f"{group}.{entry.name}"
            for group, choices in SCHEMAS.items()
            for schema in choices.values()
            for entry in fields(schema)
            if group not in PASSED_ON and f"{group}.{entry.name}" not in OF_FLOORS
        }
        | {f"run.{name}" for name in SINGLE}
    ),
)
def test_every_key_is_read(key):
    group, name = key.split(".")
    reads = re.compile(rf"(.*\.)?(_?{group}|config)\.{name}")
    assert any(reads.fullmatch(attribute) for attribute in ATTRIBUTES), f"nothing reads {key}"


def test_configuration_survives_a_round_trip_through_yaml():
    config = compose(["norm=batch", "optim=sgd", "data=synthetic"])
    text = OmegaConf.to_yaml(asdict(config))
    assert OmegaConf.to_container(OmegaConf.create(text)) == asdict(config)
