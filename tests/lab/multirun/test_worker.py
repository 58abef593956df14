"""What a job's process tells the batch system that started it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

JOB = """
import sys
from pathlib import Path
from seqnorm.lab.multirun.ledger import Job, Ledger
from seqnorm.lab.multirun.worker import in_a_process_of_its_own

try:
    with in_a_process_of_its_own(Job(0, []), Ledger(Path(sys.argv[1]))):
        1 / int(sys.argv[2])
except ZeroDivisionError:
    print("noted, as a launcher does with what a job returns")
"""


@pytest.mark.parametrize(("divisor", "code"), [("0", 1), ("1", 0)])
def test_a_job_that_fails_in_a_queue_is_no_completed_one(tmp_path: Path, divisor: str, code: int):
    done = subprocess.run(
        [sys.executable, "-c", JOB, str(tmp_path), divisor],
        env={**os.environ, "SUBMITIT_EXECUTOR": "slurm", "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert done.returncode == code and done.stdout.startswith("noted" if code else "")
