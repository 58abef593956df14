"""What the runs of one comparison have in common, however often it is started."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from seqnorm.lab.comparison.choice import naming
from seqnorm.lab.comparison.plan import Plan
from seqnorm.lab.durable import write_text
from seqnorm.lab.engine.job import Job
from seqnorm.lab.errors import UserError
from seqnorm.lab.runs.code import warn_of_other_code
from seqnorm.lab.runs.files import read_object
from seqnorm.lab.runs.read import read_config, read_environment

SETTINGS = "settings.json"
NAMED_BY = {"arm": "the arm", "study": "compare.name"}


def keep_settings(plan: Plan) -> None:
    """What was taken from another comparison stays: that one may have grown and chosen anew.

    Raises:
        UserError: If it has.
    """
    if not plan.compare.settings_of:
        return
    path = plan.folder / SETTINGS
    kept: dict[str, Any] = read_object(path) if path.exists() else {}
    settings = {arm: plan.untuned(arm) for arm in plan.arms}
    changed = [arm for arm in settings if settings[arm] != kept.get(arm, settings[arm])]
    if changed:
        arm = changed[0]
        raise UserError(
            f"all runs of a comparison need the settings of its first start; received "
            f"compare.settings_of={plan.compare.settings_of}, which has chosen "
            f"{settings[arm]} for '{arm}' now, and {kept[arm]} before ({path}). Set another "
            "compare.name, or another runs_dir."
        )
    write_text(path, json.dumps(kept | settings, indent=1, sort_keys=True) + "\n")


def refuse_other_names(made: Iterable[Job], study: str) -> None:
    """The report tells arms by the names they were given: another spelling is another arm.

    Args:
        made: Runs that were begun before, paused ones among them.
        study: The comparison's name.

    Raises:
        UserError: If one was begun under other names.
    """
    for job in made:
        with naming(job):
            found = read_config(job.folder)
        for key, name in (("arm", job.arm), ("study", study)):
            if found.get(key) != name:
                raise UserError(
                    f"the runs of a comparison keep the names they were begun with; received "
                    f"{NAMED_BY[key]} '{name}', and {job.name} was made as "
                    f"'{found.get(key)}'. Spell it as before, or set another "
                    "runs_dir."
                )


def warn_of_other_parts(made: Iterable[Job]) -> None:
    """Says so where the code of a part of one's own has changed since runs were made.

    Args:
        made: Runs that were begun before, paused ones among them.
    """
    warn_of_other_code((job.folder, _environment(job)) for job in made)


def _environment(job: Job) -> dict[str, Any]:
    with naming(job):
        return read_environment(job.folder)


def refuse_other_threads(made: Iterable[Job], wanted: int) -> None:
    """Numbers differ by rounding with the threads, and so must be those of all runs.

    Args:
        made: Runs that were begun before, paused ones among them.
        wanted: Threads of the others.

    Raises:
        UserError: If one was begun with another number.
    """
    for job in made:
        found = _environment(job).get("machine", {}).get("threads", wanted)
        if found != wanted:
            raise UserError(
                f"all runs of a comparison need the same threads; received compare.threads="
                f"{wanted}, and {job.name} was made with {found}. Go on with compare.threads="
                f"{found}, or set another runs_dir."
            )
