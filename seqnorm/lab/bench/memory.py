"""Peak memory of a step, taken in a process of its own (Linux)."""

from __future__ import annotations

import json
import subprocess
import sys

from seqnorm.lab.bench.held import mebibytes, reset_peak
from seqnorm.lab.bench.shapes import Shape
from seqnorm.lab.bench.subjects import subject
from seqnorm.lab.errors import UserError

_STEPS = 5


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


def main() -> None:
    """Measure the subject given as JSON, and print the number."""
    name, cell, shape, mode = json.loads(sys.argv[1])
    # What compilers and libraries take once shall not count: a first step on one row sees to it.
    subject(name, cell, Shape(1, *shape[1:]), mode)()
    step = subject(name, cell, Shape(*shape), mode)
    reset_peak()
    before = mebibytes("VmRSS")
    for _ in range(_STEPS):
        step()
    print(mebibytes("VmHWM") - before)


if __name__ == "__main__":
    main()
