"""The keys of runs of before, which today's commands and reports still read.

Apart from the schema, because a report reads runs and must not wait for Hydra.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Those that had one value in all runs and are gone, those that had another name, and those that
# came later, with what runs did before. `task` was a text once, and is a group today.
GONE = ("task",)
FIRST_TASK = "classification"  # of all runs before there were others
RENAMED = {"tracking.group": "study", "tracking.arm": "arm"}
LATER = {"cell": {"init_state": "rest", "init_stddev": 0.1}}


def left_as_before(config: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a flat config that came later, where they are set to what all runs did before.

    They are left out wherever runs are named or compared, so that runs of today and of before are
    of one arm.
    """
    later: dict[str, Any] = {"train.strategy": "none", "train.replicas": None}
    if config.get("norm.name") == "batch":  # Keras's own has had the key from the first
        later["norm.synchronized"] = False
    return {key: value for key, value in later.items() if config.get(key, ...) == value}


def in_words_of_today(config: Mapping[str, Any]) -> dict[str, Any]:
    """A flat config of a run of whatever time: "optim.learning_rate" -> value.

    What came later has the value that stands for what runs did before, where the run has that
    group, or is left out (`left_as_before`), and the task is the first there was; `study` and `arm`
    are looked for under their old names where there is none.
    """
    later = {
        f"{group}.{key}": value
        for group, keys in LATER.items()
        if any(key.startswith(f"{group}.") and key != f"{group}.name" for key in config)
        for key, value in keys.items()
    }
    found = {"task.name": FIRST_TASK, **later, **config}
    if "study" not in found:
        found |= {new: found.pop(old) for old, new in RENAMED.items() if old in found}
    left_out = {*GONE, *left_as_before(found)}
    return {key: value for key, value in found.items() if key not in left_out}
