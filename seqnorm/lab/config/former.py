"""The keys of runs of before, which today's commands and reports still read.

Apart from the schema, because a report reads runs and must not wait for Hydra.
"""

from __future__ import annotations

# Those that had one value in all runs and are gone, those that had another name, and those that
# came later, with what runs did before. `task` was a text once, and is a group today.
GONE = ("task",)
FIRST_TASK = "classification"  # of all runs before there were others
RENAMED = {"tracking.group": "study", "tracking.arm": "arm"}
LATER = {"cell": {"init_state": "rest", "init_stddev": 0.1}}
