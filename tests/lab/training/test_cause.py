"""A run that diverges because its inputs begin with zeros says so."""

from __future__ import annotations

import numpy as np
import pytest

from seqnorm.lab.models.build import build_model
from seqnorm.lab.training import run as run_module
from seqnorm.lab.training.cause import Silence, advice, leading_zeros, warning
from seqnorm.lab.training.run import run


@pytest.fixture
def silent(monkeypatch):
    """Word vectors of nothing but zeros."""

    def build(config, dataset):
        model = build_model(config, dataset)
        embedding = model.get_layer("embedding")
        embedding.set_weights([np.zeros(w.shape) for w in embedding.get_weights()])
        return model

    monkeypatch.setattr(run_module, "build_model", build)
    return build


def test_a_diverged_run_names_inputs_that_begin_with_zeros(small, silent):
    result = run(small("cell=lstm", "norm=layer", "cell.init_state=zeros", "data.max_length=30"))
    assert result.status == "diverged"
    assert "Rows begin with up to" in result.message
    assert "cell.init_state=rest or learned ends that" in result.message


def test_no_cause_is_named_where_it_is_none(small, silent):
    """Words that are not zero, a first state at rest, and a norm without that slope."""
    from seqnorm.lab import data

    config = small("cell=lstm", "norm=layer", "cell.init_state=zeros")
    dataset = data.load(config.data, config.seed)
    tokens = np.ones((2, 5), "int32")
    assert leading_zeros(silent(config, dataset), tokens) == Silence(5)
    assert leading_zeros(build_model(config, dataset), tokens) == Silence()
    for overrides in (("norm=layer",), ("norm=none", "cell.init_state=zeros")):
        model = silent(small("cell=lstm", *overrides), dataset)
        assert leading_zeros(model, tokens) == Silence()


def test_zeros_of_all_rows_are_named_for_a_norm_over_the_batch(small, silent):
    """There `rest` does not help: the rows stay the same after they have left zero."""
    from seqnorm.lab import data

    config = small("cell=lstm", "norm=batch")
    dataset = data.load(config.data, config.seed)
    found = leading_zeros(silent(config, dataset), np.ones((2, 5), "int32"))
    assert found == Silence(5, of_batch=True)
    assert "cell.init_state=noise ends that" in advice(found)
    assert warning(found).startswith("all rows of a batch begin with 5 steps of zeros")
    assert warning(Silence(5)) == warning(Silence()) == ""
    noisy = small("cell=lstm", "norm=batch", "cell.init_state=noise")
    assert leading_zeros(silent(noisy, dataset), np.ones((2, 5), "int32")) == Silence()


def test_a_run_of_batch_norm_on_silent_rows_is_told_of_noise_before_it_trains(
    small, silent, capsys
):
    run(small("cell=simple_rnn", "norm=batch", "train.epochs=1"))
    assert "cell.init_state=noise is advised" in capsys.readouterr().err
