"""A step that is left out is to a network as if it were masked."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from seqnorm.lab.config.compose import compose
from seqnorm.lab.data.own.series.recording import whole_steps
from seqnorm.lab.data.spec import Sequences
from seqnorm.lab.models.classifier import build_classifier


@pytest.mark.parametrize("norm", ["none", "layer"])
@pytest.mark.parametrize("pooling", ["max", "last"])
def test_a_step_left_out_is_as_a_masked_one(norm, pooling, rng):
    rows = [rng.normal(size=(steps, 2)).astype(np.float32) for steps in (7, 6, 3)]
    rows[1][3, 0] = rows[2][:2] = rows[0][6, 1] = np.nan
    masked = Sequences.from_rows(rows)
    left_out, _ = whole_steps(masked)
    assert left_out.lengths.tolist() == [6, 5, 1]
    config = compose(
        ["data=mnist_rows", f"norm={norm}", f"model.pooling={pooling}", "cell.units=4"]
    )
    model = build_classifier(config, 0, lambda: keras.layers.Dense(3), features=2)
    found, expected = (np.array(model(each.padded([0, 1, 2]))) for each in (left_out, masked))
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert np.isfinite(found).all()
