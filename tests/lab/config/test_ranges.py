"""Ranges stand beside the fields that they are for."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import pytest
from omegaconf import MISSING, OmegaConf

from seqnorm.lab.config import ranges
from seqnorm.lab.config.parts import NormConfig
from seqnorm.lab.config.ranges import at_least, one_of, out_of_range, ranged


@dataclass
class OwnConfig(NormConfig):
    power: float = ranged(2.0, ranges.POSITIVE)
    side: str = ranged("left", one_of("left", "right"))
    widths: list[int] = ranged(list, ranges.Range("must not be empty", len))
    rows: int | None = ranged(None, at_least(1))
    steps: int = ranged(MISSING, at_least(2))
    free: float = 0.0


@dataclass
class Outer:
    norm: OwnConfig = field(default_factory=OwnConfig)


def test_each_value_out_of_range_is_named_with_its_key_and_what_it_must_be():
    config = OwnConfig(power=-1.0, side="", widths=[], rows=0, steps=1, free=-math.inf)
    assert [*out_of_range(config, "norm.")] == [
        "norm.power must be a positive number; received norm.power=-1.0.",
        "norm.side must be one of left, right; received norm.side=''.",
        "norm.widths must not be empty; received norm.widths=[].",
        "norm.rows must be at least 1; received norm.rows=0.",
        "norm.steps must be at least 2; received norm.steps=1.",
    ]
    assert [*out_of_range(Outer(config))] == [*out_of_range(config, "norm.")]


def test_what_is_not_set_is_not_checked():
    assert not [*out_of_range(OwnConfig(widths=[1]))]


def test_a_list_is_a_new_one_for_each_configuration():
    assert OwnConfig().widths is not OwnConfig().widths


def test_a_field_with_a_range_is_typed_as_any():
    own = OmegaConf.structured(OwnConfig)
    with pytest.raises(Exception, match="power"):
        own.power = "much"


@pytest.mark.parametrize(
    ("allowed", "inside", "outside"),
    [
        (ranges.POSITIVE, [1e-9, 3], [0, -1.0, math.inf, math.nan]),
        (ranges.FINITE, [-2.0, 0], [math.inf, math.nan]),
        (ranges.RATE, [0, 0.99], [1, -0.1, math.nan]),
        (ranges.SHARE, [0.01, 0.99], [0, 1, math.nan]),
        (ranges.WEIGHT, [0, 1], [-0.1, 1.1, math.nan]),
        (ranges.FOLDER, ["data"], [""]),
    ],
)
def test_the_ends_of_each_range(allowed, inside, outside):
    assert all(allowed.holds(value) for value in inside)
    assert not any(allowed.holds(value) for value in outside)
