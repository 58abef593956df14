"""A trained network with what stands around it: numbers scaled before, answers named after."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from seqnorm.lab.data.spec import Scale
from seqnorm.lab.trained import Trained


def answering(trained: Trained) -> keras.Model:
    """The network of a run as its user sees it.

    Returns:
        int32[batch, time] or, as they were before scaling, float32[batch, time, features] -> the
        tensors of `Task.exported`, by name. The input keeps its name.
    """
    network: Any = trained.model
    given = network.inputs[0]
    rows = keras.Input(given.shape[1:], dtype=given.dtype, name=given.name)
    output = network(rows if trained.scale is None else _scaled(rows, trained.scale))
    return keras.Model(rows, trained.task.exported(output), name="answers")


def _scaled(rows: Any, scale: Scale) -> Any:
    """As `Scale.apply`, in float32: what a float32 cannot say of the mean is taken off after it."""
    mean = np.array(scale.mean)
    near = mean.astype(np.float32)
    rest, spread = (mean - near).astype(np.float32), np.array(scale.spread, np.float32)
    return (rows - near - rest) / spread
