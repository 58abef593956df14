"""Compiles every kernel once: python -m tests.kernels.compile, before workers each would do so.

One process for float32 and one for float64, side by side; a second call finds what the first kept.
"""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from itertools import product


def main(dtypes: list[str]) -> int:
    """The worst exit code of the processes; with one dtype, compile here."""
    if find_spec("numba") is None:
        return 0
    if len(dtypes) == 1:
        from seqnorm.kernels.host.ahead import make_ready
        from seqnorm.kernels.host.compile import BACKWARD, FORWARD, Code

        for part, coupled in product((FORWARD, BACKWARD), (False, True)):
            make_ready(Code(part, *dtypes, coupled))
        return 0
    command = [sys.executable, "-m", "tests.kernels.compile"]
    started = [subprocess.Popen([*command, dtype]) for dtype in dtypes]
    return max(process.wait() for process in started)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ["float32", "float64"]))
