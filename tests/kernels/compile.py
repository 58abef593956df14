"""Compiles every kernel once: python -m tests.kernels.compile, before workers each would do so.

One process for float32 and one for float64, side by side; a second call finds what the first kept.
"""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import numpy as np


def compile_for(dtype: str) -> None:
    """Run each entry function of the kernels once."""
    from seqnorm.kernels.host.rows import rows_of
    from seqnorm.kernels.host.scan import States, scan_backward, scan_forward
    from tests.kernels import loops

    rng = np.random.default_rng(0)
    spec = loops.spec("lstm", "layer", dtype=dtype)
    case = loops.cast(loops.case(spec, rng, [2, 1], steps=2, inputs=3, units=4), dtype)
    alive = np.arange(2) < case.lengths[:, None]
    record = scan_forward(spec, case.x, case.weights, rows_of(alive), case.initial, (None,) * 3)
    last = States(*np.zeros((2, 2, 4), dtype))
    scan_backward(record, case.x, case.weights, case.initial, np.zeros((2, 2, 4), dtype), last)


def main(dtypes: list[str]) -> int:
    """The worst exit code of the processes; with one dtype, compile here."""
    if find_spec("numba") is None:
        return 0
    if len(dtypes) == 1:
        compile_for(*dtypes)
        return 0
    command = [sys.executable, "-m", "tests.kernels.compile"]
    started = [subprocess.Popen([*command, dtype]) for dtype in dtypes]
    return max(process.wait() for process in started)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ["float32", "float64"]))
