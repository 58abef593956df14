"""Every key of cell, norm and model changes the network that is built."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from functools import cache
from types import SimpleNamespace
from typing import Any

import keras
import pytest
import yaml

from seqnorm.lab.config.compose import compose
from seqnorm.lab.config.models import FLOORS
from seqnorm.lab.config.schema import SCHEMAS, RunConfig
from seqnorm.lab.models.build import build_model

# key -> a value that differs from the one in conf/. A key of a new schema has to be added here.
OTHER = {
    "cell.units": 5,
    "cell.dropout": 0.25,
    "cell.recurrent_dropout": 0.25,
    "cell.placement": "joint",
    "cell.sites": "[input]",
    "cell.unit_forget_bias": "false",
    "cell.cell_norm": "carry",
    "cell.gate_norm": "fused",
    "cell.zoneout": 0.25,
    "cell.init_state": "learned",
    "cell.init_stddev": 0.25,
    "norm.epsilon": 0.5,
    "norm.gamma": 0.5,
    "norm.scale": "false",
    "norm.center": "true",
    "norm.groups": 2,
    "norm.alpha": 0.25,
    "norm.momentum": 0.5,
    "norm.max_steps": 3,
    "norm.statistics": "shared",
    "norm.input_statistics": "sequence",
    "norm.small_batch": "renorm",
    "norm.few": 3,
    "norm.min_count": 3,
    "norm.axis": 1,
    "norm.beta_initializer": "ones",
    "norm.gamma_initializer": "zeros",
    "norm.beta_regularizer": "l2",
    "norm.gamma_regularizer": "{class_name: L2, config: {l2: 0.5}}",
    "norm.beta_constraint": "non_neg",
    "norm.gamma_constraint": "non_neg",
    "norm.moving_mean_initializer": "ones",
    "norm.moving_variance_initializer": "zeros",
    "norm.renorm": "true",
    "norm.renorm_clipping": "{rmax: 3.0}",
    "norm.renorm_momentum": 0.5,
    "norm.synchronized": "true",
    "model.hidden": "[5]",
    "model.norm_position": "before",
    "model.activation": "tanh",
    "model.filters": 3,
    "model.kernel_size": 5,
    "model.embedding": 7,
    "model.embedding_dropout": 0.125,
    "model.depth": 2,
    "model.bidirectional": "true",
    "model.pooling": "mean",
    "model.dropout": 0.125,
}


# The same for choices with another value in conf/.
OTHER_OF = {
    "norm=keras_layer norm.center": "false",
    "norm=keras_batch norm.center": "false",
    "model=classifier model.bidirectional": "false",
    "model=convnet model.hidden": 5,
}
# What a choice asks for besides; without a model of its own it is looked at in the classifier.
WITH = {
    "norm=keras_layer": ("model=convnet", "data=mnist"),
    "norm=keras_batch": ("model=convnet", "data=mnist"),
    "model=convnet": ("data=mnist",),
    "norm.renorm_clipping": ("norm.renorm=true",),
}
ANY_DATA: Any = SimpleNamespace(words=SimpleNamespace(size=259), num_classes=3, features=0)


composed = cache(lambda *overrides: compose(overrides))  # Hydra takes longer than building does


@cache
def plain(*overrides: str) -> str:
    return description(composed(*overrides))


def description(config: RunConfig) -> str:
    keras.backend.clear_session(free_memory=False)  # names of layers count up otherwise
    model = build_model(config, ANY_DATA)
    return json.dumps(model.get_config(), sort_keys=True, default=str)


KEYS = [
    (f"{group}={choice}", f"{group}.{key.name}")
    for group in ("cell", "norm", "model")
    for choice, schema in SCHEMAS[group].items()
    for key in fields(schema)
    if choice not in ("none", *FLOORS) and key.name != "name"
]


@pytest.mark.parametrize(("choice", "key"), KEYS)
def test_every_key_reaches_the_model(choice, key):
    value = yaml.safe_load(str(OTHER_OF.get(f"{choice} {key}") or OTHER[key]))
    overrides = [choice, *WITH.get(choice, ()), *WITH.get(key, ())]
    config = composed(*overrides)
    group, _, name = key.partition(".")
    other = replace(config, **{group: replace(getattr(config, group), **{name: value})})
    assert description(other) != plain(*overrides)


def test_a_model_that_is_no_network_is_refused():
    config = compose(["model=bag_of_words"])
    with pytest.raises(ValueError, match="one of classifier, mlp, convnet, received name='bag_of"):
        build_model(config, ANY_DATA)
