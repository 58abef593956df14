"""The one place that seeds a run."""

from __future__ import annotations

import keras

from seqnorm.lab.training.backend import make_deterministic


def start_afresh(seed: int, deterministic: bool) -> None:
    """Makes a run independent of whatever ran before it in this process.

    Seeds Python, NumPy and TensorFlow (from which Keras seeds initial weights and dropout), and
    drops the graphs and layer names of an earlier job of the same process; Keras's dtype policy
    stays as it was set. The validation split and the order of batches have a generator of their own
    (`seqnorm.lab.data`), from the same seed.

    Args:
        seed: not negative.
        deterministic: also make TensorFlow's operations reproducible; cannot be undone within the
            process.
    """
    policy = keras.config.dtype_policy()
    # Which collects garbage, and would also put the policy back to float32.
    keras.backend.clear_session()
    keras.config.set_dtype_policy(policy)
    seed_all(seed)
    if deterministic:
        make_deterministic()


def seed_all(seed: int) -> None:
    """Seeds Python, NumPy and TensorFlow."""
    keras.utils.set_random_seed(seed)
