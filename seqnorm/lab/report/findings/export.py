"""One row per run, for every tool that reads CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from seqnorm.lab.durable import write_text
from seqnorm.lab.report.arms.arms import Arm, Comparison
from seqnorm.lab.report.arms.trials import varied_keys
from seqnorm.lab.runs.read import RunRecord

IDENTITY_COLUMNS = ("run", "comparison", "data", "cell", "norm", "seed", "arm", "commit")


def write_csv(path: Path, comparisons: Sequence[Comparison]) -> None:
    """Write run, arm, commit, the fields of result.json, and the settings in which runs differ.

    Args:
        path: The file.
        comparisons: All of them; the rows are in the order of the arms, then of the seeds. The
            trials of an arm, without test scores, follow its runs.
    """
    arms = [arm for comparison in comparisons for arm in comparison.arms]
    runs = [[*arm.runs, *arm.trials] for arm in arms]
    settings = [_settings(arm, members) for arm, members in zip(arms, runs, strict=True)]
    results = dict.fromkeys(key for members in runs for run in members for key in run.result.flat())
    keys = sorted({key for own in settings for key in own})
    columns = dict.fromkeys([*IDENTITY_COLUMNS, *results, *keys])
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, list(columns), restval="", extrasaction="ignore")
    writer.writeheader()
    written: set[tuple[str, Path]] = set()  # arms of one name have the same trials
    for arm, members, own in zip(arms, runs, settings, strict=True):
        for run in members:
            of = str(run.config.get("study") or "")  # other comparisons have other runs
            if (of, run.folder) in written:
                continue
            written.add((of, run.folder))
            values = {key: run.config[key] for key in own if key in run.config}
            identity = {"run": run.name, "comparison": of, "arm": arm.label}
            writer.writerow({**run.result.flat(), **values, **identity, "commit": _commit(run)})
    write_text(path, file.getvalue())


def _settings(arm: Arm, runs: Sequence[RunRecord]) -> list[str]:
    """What tells this arm from others, and what its trials tried."""
    return sorted({*dict(arm.settings), *varied_keys([run.config for run in runs])})


def _commit(run: RunRecord) -> str:
    git = run.environment.get("git")
    return str(git.get("commit", "")) if isinstance(git, dict) else ""
