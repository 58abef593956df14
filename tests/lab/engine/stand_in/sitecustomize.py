"""Python imports this when it starts: a stand-in for training, in the processes of workers as well.

Tests of engines need no network, and TensorFlow takes longer to import than they take.
"""

import errno
import json
import os
import signal
import sys
import time
from pathlib import Path
from types import ModuleType

import deeds

EPOCH = {"event": "epoch", "step": 1, "seconds": 1.0, "val_loss": 0.5, "val_accuracy": 0.5}


def advance(config, name, until=None):
    print(f"seed {config.seed} with {os.environ['SEQNORM_THREADS']} threads", flush=True)
    folder = Path(config.runs_dir) / name
    folder.mkdir(parents=True, exist_ok=True)
    again = (folder / "begun").exists()
    (folder / "begun").touch()
    if config.seed == deeds.FAILS:
        raise ValueError("a fault of the run's own")
    if config.seed == deeds.WAITS:
        try:
            time.sleep(120)
        finally:
            (folder / "closed").touch()  # as a W&B run would be
    if config.seed == deeds.DIES or (config.seed == deeds.DIES_ONCE and not again):
        os.kill(os.getpid(), signal.SIGKILL)
    if config.seed == deeds.TAKES_ITS_WORKER_ALONG and not again:
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(120)
    if config.seed == deeds.FULL and "FULL" in os.environ:
        raise OSError(errno.ENOSPC, "No space left on device")
    (folder / "config.yaml").write_text(f"# of mine\nruns_dir: {config.runs_dir}\nseed: 1\n")
    (folder / "process").write_text(f"{os.getpid()} {os.getppid()}")
    if until is None:
        return (folder / "result.json").write_text("{}")
    with (folder / "metrics.jsonl").open("a") as records:
        print(json.dumps(EPOCH | {"epoch": until}), file=records)
    (folder / "checkpoint.npz").touch()


training, module = ModuleType("seqnorm.lab.training"), ModuleType("seqnorm.lab.training.run")
training.__dict__.update(__path__=[], require_tensorflow=lambda: None)
module.__dict__["advance"] = advance
if os.environ.get("SEQNORM_STAND_IN"):
    sys.modules |= {each.__name__: each for each in (training, module)}
