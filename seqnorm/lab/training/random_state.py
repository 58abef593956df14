"""Every random generator of a process that a run may draw from, as it stands."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
from keras.src.backend.common import global_state  # Keras has no other door to its generator


def random_state() -> dict[str, Any]:
    """Python's, NumPy's and Keras's own generator; those of layers are among their variables."""
    version, words, gauss = random.getstate()
    shared = global_state.get_global_attribute("global_seed_generator")
    return {
        "python": [version, list(words), gauss],
        "numpy": np.random.get_state(legacy=False),
        "keras": None if shared is None else np.asarray(shared.state),
    }


def set_random_state(state: dict[str, Any]) -> None:
    """Has the generators go on from what `random_state` gave."""
    version, words, gauss = state["python"]
    random.setstate((version, tuple(words), gauss))
    np.random.set_state(state["numpy"])
    if state["keras"] is not None:
        from keras.src.random.seed_generator import global_seed_generator

        global_seed_generator().state.assign(state["keras"])
