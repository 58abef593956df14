"""The file that a stopped run leaves."""

from __future__ import annotations

import numpy as np
import pytest

from seqnorm.lab.runs.checkpoint import pack, unpack
from seqnorm.lab.runs.files import RunFolderError


def test_plain_values_and_arrays_come_back_as_they_were(tmp_path, rng):
    weights = [rng.normal(size=(3, 2)).astype("float32"), np.array(7), np.array([], "int64")]
    state = {
        "epoch": 2,
        "loss": float("inf"),
        "third": 1 / 3,
        "single": np.float32(0.1),
        "none": None,
        "nested": {"weights": weights, "names": ["a", "ä"], "flag": True},
    }
    path = tmp_path / "state.npz"
    path.write_bytes(pack(state))
    found = unpack(path)
    kept = found["nested"].pop("weights")
    assert found["single"].dtype == np.float32
    assert found == {**state, "nested": {"names": ["a", "ä"], "flag": True}}
    for one, other in zip(kept, weights, strict=True):
        assert one.dtype == other.dtype and one.shape == other.shape
        assert one.tobytes() == other.tobytes()
    assert unpack(path, only="epoch") == {"epoch": 2}


@pytest.mark.parametrize("content", [b"", b"no archive", pack({"epoch": 1})[:-30]])
def test_a_damaged_file_is_one_message(content, tmp_path):
    path = tmp_path / "checkpoint.npz"
    path.write_bytes(content)
    with pytest.raises(RunFolderError, match=r"checkpoint\.npz must be .*resume=never"):
        unpack(path)
