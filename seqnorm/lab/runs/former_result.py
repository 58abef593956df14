"""result.json of before there were tasks: one level of keys, of classification alone."""

from __future__ import annotations

from typing import Any

from seqnorm.lab.config.former import FIRST_TASK
from seqnorm.lab.tasks import TASKS

# Its keys in today's words; the others have kept theirs.
RENAMED = {
    "test_accuracy": "test.accuracy",
    "test_macro_f1": "test.macro_f1",
    "val_accuracy": "validation.accuracy",
    "majority_accuracy": "baseline.accuracy",
}


def modernised(stored: dict[str, Any]) -> dict[str, Any]:
    """Today's keys and values, on one level; what is missing stays so."""
    renamed = {RENAMED.get(key, key): value for key, value in stored.items()}
    return {**renamed, "task": TASKS[FIRST_TASK]().scoring.to_json()}
