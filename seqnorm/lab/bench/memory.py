"""Peak memory of a step, taken in a process of its own (Linux)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from seqnorm.lab.bench.subjects import Shape, subject
from seqnorm.lab.errors import UserError

_STEPS = 5
_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def peak(name: str, cell: str, shape: Shape, mode: str = "fit") -> float:
    """MiB that a step of a subject takes beyond what its process held before the first one."""
    task = json.dumps([name, cell, list(shape), mode])
    done = subprocess.run(
        [sys.executable, "-m", "seqnorm.lab.bench.memory", task],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise UserError(
            f"peak memory needs Linux and a step that runs; received {name!r}, which ended with "
            f"{done.stderr.strip().splitlines()[-1:]}. Leave --memory out."
        )
    return float(done.stdout.split()[-1])


def _mebibytes(field: str) -> float:
    """VmRSS (held now) or VmHWM (the most since the last reset)."""
    (line,) = (line for line in _STATUS.read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) / 1024


def main() -> None:
    """Measure the subject given as JSON, and print the number."""
    name, cell, shape, mode = json.loads(sys.argv[1])
    # What compilers and libraries take once shall not count: a first step on one row sees to it.
    subject(name, cell, Shape(1, *shape[1:]), mode)()
    step = subject(name, cell, Shape(*shape), mode)
    _RESET.write_text("5")
    before = _mebibytes("VmRSS")
    for _ in range(_STEPS):
        step()
    print(_mebibytes("VmHWM") - before)


if __name__ == "__main__":
    main()
