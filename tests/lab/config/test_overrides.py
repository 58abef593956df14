"""Overrides as people type them: what to write instead, in one line."""

from __future__ import annotations

import re

import pytest

from seqnorm.lab.config.compose import compose
from seqnorm.lab.config.overrides import refuse_unreadable
from seqnorm.lab.config.rules import ConfigError


@pytest.mark.parametrize(
    ("typed", "advice"),
    [
        ("layer", "Write norm=layer."),
        ("none", "Write cell=none or norm=none."),
        ("norm = layer", "Write norm=layer."),
        ("data.dir=~/data", "or data.dir=$HOME/data."),
        ("data.dir=/home/jürgen", "Write 'data.dir=\"/home/jürgen\"'"),
        ("norm=null", "Write norm=none."),
        ("cell=", "Write cell=none."),
        ("data=null", "Write data= one of adding, copy_memory, files, imdb, imdb_ids, mnist, "),
        ("norm=[none,layer]", "Write -m norm=none,layer for one run of each."),
        ("+experiment=smoke", "Write experiment=smoke."),
        ("++norm=batch", "Write norm=batch."),
        ("optim.clipnorm=None", "Write optim.clipnorm=null."),
        ("data.dir=None", "Write data.dir=null."),
        ("seed=0,1", "Add -m (--multirun)"),
        ("cell.sites=[input", "Write it as in 'cell.sites=[a,b]'"),
        ("data=../my.csv", "data=../my.csv is not one of the choices of data. The choices are"),
        ("data=../my.csv", "To read that file write data=files data.train=../my.csv."),
        ("data=my.v2/vowels.ts", "To read that file write data=series data.train=my.v2/vowels.ts."),
        ("epochs=3", "no key 'epochs'. Did you mean train.epochs?"),
        ("units=3", "no key 'units'. Did you mean cell.units?"),
        ("dropout=0.1", "Did you mean cell.dropout or model.dropout?"),
        ("cell.epochs=3", "cell has no key 'epochs'. Did you mean train.epochs?"),
    ],
)
def test_what_to_write_instead(typed, advice):
    with pytest.raises(ConfigError, match=re.escape(advice)) as caught:
        compose(typed.split())
    assert "\n" not in str(caught.value)


def test_what_is_meant_is_let_through():
    quoted = ["data.dir='~/däta'", 'study="None"', "experiment=null", "~experiment"]
    refuse_unreadable([*quoted, "cell.sites=[input]", "norm.gamma_initializer={class_name: ones}"])
    refuse_unreadable(["seed=0,1", "norm=none,layer"], several=True)
