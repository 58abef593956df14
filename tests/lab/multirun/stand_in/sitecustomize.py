"""Python imports this when it starts: a stand-in for training, in a launcher's processes as well.

Tests of launchers need no network, and TensorFlow takes longer to import than they take. What a run
does is said by its seed; all others are made at once.
"""

import os
import signal
import sys
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace

from seeds import BREAKS, DIES, DIVERGES, FAILS, WAITS


def run(config, name=None):
    print("begins", flush=True)
    folder = Path(config.runs_dir) / f"seed{config.seed}"
    folder.mkdir(parents=True, exist_ok=True)  # a search may come back
    if config.seed == FAILS:
        from seqnorm.lab.errors import UserError

        raise UserError("no such data")
    if config.seed == BREAKS:
        raise ZeroDivisionError("a fault")
    if config.seed == WAITS:
        try:
            (folder / "waits").touch()
            time.sleep(120)
        finally:
            (folder / "closed").touch()  # as a W&B run would be
    if config.seed == DIES:
        time.sleep(1)  # until the other worker has begun
        os.kill(os.getpid(), signal.SIGKILL)
    (folder / "result.json").write_text("{}")
    diverged = config.seed == DIVERGES
    return SimpleNamespace(objective=None if diverged else config.seed / 100)


module = ModuleType("seqnorm.lab.training.run")
module.__dict__["run"] = run
sys.modules["seqnorm.lab.training.run"] = module
