"""The console commands, one file each, and the door that they are entered by."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec

# What the commands import first of what ``pip install '.[lab]'`` brings.
_LAB = ("hydra", "omegaconf", "tensorflow", "tensorflow_datasets", "sklearn", "matplotlib")


def _enter(name: str) -> int:
    missing = [package for package in _LAB if find_spec(package) is None]
    if missing:
        print(
            f"seqnorm-{name} belongs to the lab, which is not installed here (no "
            f"{', '.join(missing)}): pip install '.[lab]' in the folder of "
            "seqnorm's source brings it",
            file=sys.stderr,
        )
        return 1
    code: int = import_module(f"seqnorm.lab.commands.{name}").main()
    return code


def seqnorm_train() -> int:
    """Trains, one run or many."""
    return _enter("train")


def seqnorm_compare() -> int:
    """Makes the runs of a comparison."""
    return _enter("compare")


def seqnorm_report() -> int:
    """Turns run folders into a report."""
    return _enter("report")


def seqnorm_data() -> int:
    """Gets and describes data sets."""
    return _enter("data")


def seqnorm_predict() -> int:
    """Answers texts with the network of a run."""
    return _enter("predict")


def seqnorm_export() -> int:
    """Writes the network of a run in a format for elsewhere."""
    return _enter("export")


def seqnorm_check() -> int:
    """Checks what is claimed of the layers."""
    return _enter("check")


def seqnorm_bench() -> int:
    """Measures how fast the layers are."""
    return _enter("bench")
