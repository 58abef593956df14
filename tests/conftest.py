"""What every test gets: quiet TensorFlow, a generator, the folder of real data."""

import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("WANDB_MODE", "offline")

import numpy as np
import pytest


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20161107)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder that holds IMDB and Reuters as published."""
    folder = os.environ.get("SEQNORM_DATA")
    if not folder:
        pytest.skip("needs the real data sets: set SEQNORM_DATA to the folder that holds them")
    if not Path(folder).is_dir():
        pytest.fail(f"SEQNORM_DATA={folder} is not a folder")
    return Path(folder).resolve()
