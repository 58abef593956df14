"""What a run is called, by what decides its numbers."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict

from seqnorm.lab.config.former import FIRST_TASK, LATER, left_as_before
from seqnorm.lab.config.schema import RunConfig
from seqnorm.lab.flat import flatten

# Everything else enters the name of a run, also what only decides which records it keeps.
_NOT_HASHED = ("seed", "runs_dir", "tracking", "imports", "study", "arm", "resume")


def run_prefix(config: RunConfig) -> str:
    """Data, network, norm and seed."""
    return f"{config.data.name}-{config.network}-{config.norm.name}-s{config.seed}"


def lasting_name(config: RunConfig) -> str:
    """A name that says what is run and not when: the same run has the same name."""
    return f"{run_prefix(config)}-{config_hash(config)}"


def config_hash(config: RunConfig) -> str:
    """Twelve hexadecimal digits that are equal for runs which differ at most in their seed.

    Where data and results are kept, and who is told, does not enter either.
    """
    values = {key: value for key, value in asdict(config).items() if key not in _NOT_HASHED}
    del values["data"]["dir"]
    del values["train"]["save_every"]
    if not values["train"]["validate_every"]:  # as in the first runs, whose names last
        del values["train"]["validate_every"]
    if values["task"] == {"name": FIRST_TASK}:
        values["task"] = "train"  # likewise
    for name in left_as_before(flatten(asdict(config))):
        group, _, key = name.partition(".")
        del values[group][key]
    for group, keys in LATER.items():  # so set, they are as before and do not enter
        for key, before in keys.items():
            if values[group].get(key) == before:
                del values[group][key]
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:12]
