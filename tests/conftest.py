"""What every test gets: quiet TensorFlow, float64 in JAX, a generator, the folder of real data."""

import os
import signal
from pathlib import Path

# A shell starts what runs in its background with Ctrl-C ignored, and children inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# So does nohup with SIGHUP. What is caught here is as usual again in children, and this goes on.
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda number, frame: None)

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("WANDB_MODE", "offline")
# JAX otherwise turns float64 into float32, and the tolerances of most tests are those of float64.
os.environ.setdefault("JAX_ENABLE_X64", "1")
# JAX compiles each small operation once for every shape and dtype, which takes longer than the
# tests; the next run finds what was compiled. A folder for each process, since files are not
# written at once.
os.environ["JAX_COMPILATION_CACHE_DIR"] = str(
    Path(".pytest_cache", f"jax-{os.environ.get('PYTEST_XDIST_WORKER', 'gw0')}").absolute()
)
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")
# Words are cut once for all tests, and the user's own are left alone.
os.environ["SEQNORM_CACHE"] = str(Path(".pytest_cache", "seqnorm").absolute())

import numpy as np
import pytest

from tests import tiers

if os.environ.get("KERAS_BACKEND", "tensorflow") != "tensorflow":
    from keras.src.backend.common import dtypes

    # Beside TensorFlow, Keras computes tanh (JAX) or products (torch) of float64 in float32. The
    # tests want the digits of float64; `tests/conformance/test_backends.py` runs Keras as it is.
    dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"


@pytest.hookimpl(tryfirst=True)  # before pytest selects by marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put tests into tiers, and short ones last: no worker waits long for another's last file."""
    tiers.assign(items)
    items.sort(key=lambda item: "conformance" in item.location[0])


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
