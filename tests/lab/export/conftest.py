"""A small trained run, and small networks with random weights."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from seqnorm.checks.layers import randomize
from seqnorm.lab import data, load
from seqnorm.lab.config.compose import compose
from seqnorm.lab.trained import Trained
from seqnorm.lab.training import require_tensorflow

SMALL = ("experiment=smoke", "data.max_length=8", "data.truncate=head", "train.probe_every=0")
# Short and long, with a sign that is composed of two, capitals, a mark out of ten and a break.
TEXTS = [
    "good",
    "A GOOD film, <br/>dull cafe\u0301? 7/10!",
    "bad bad bad film " * 4,
    "never\u2019seen caf\xe9 dull",
]


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """Of texts cut by `unicode`, with the tables of batch normalisation."""
    require_tensorflow()
    from seqnorm.lab.training.run import run

    folder, rng = tmp_path_factory.mktemp("run"), random.Random(0)
    rows = [
        f'{number},"{" ".join(rng.choices(TEXTS[1].split() + TEXTS[2].split(), k=9))}",{number % 3}'
        for number in range(60)
    ]
    (folder / "texts.csv").write_text("\n".join(["id,text,label", *rows]), encoding="utf-8")
    own = ("data=files", f"data.train={folder}/texts.csv", "norm=batch", f"runs_dir={folder}")
    overrides = [word for word in SMALL if word != "experiment=smoke"]
    small = ("cell.units=4", "model.embedding=6", "model.bidirectional=false", "train.epochs=1")
    result = run(compose([*own, *overrides, *small, "data.batch_size=16"]))
    return folder / str(result.run)


@pytest.fixture(scope="module")
def trained(run) -> Trained:
    return load(run)


@pytest.fixture
def untrained(rng) -> Callable[..., Trained]:
    """A network with random weights in the place of trained ones."""

    def make(*overrides: str) -> Trained:
        require_tensorflow()
        from seqnorm.lab.models.build import build_model
        from seqnorm.lab.tasks import make_task

        config = compose([*SMALL, "cell.units=4", *overrides])
        task = make_task(config.task)
        dataset = task.prepare(data.load(config.data, 0, config.task.LABELS))
        model = build_model(config, dataset)
        randomize(model, np.random.default_rng(0))
        kept = (dataset.vocabulary, dataset.scale, dataset.label_names)
        return Trained(config, task, model, *kept)

    return make
