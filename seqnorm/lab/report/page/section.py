"""What the report says about one comparison, on the page and on the terminal alike."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from seqnorm.lab.report.arms.arms import Comparison
from seqnorm.lab.report.arms.floors import floor_lines
from seqnorm.lab.report.arms.trials import tried_alike
from seqnorm.lab.report.findings.evidence import Evidence
from seqnorm.lab.report.page.along import NOTE as ALONG
from seqnorm.lab.report.page.along import along_table
from seqnorm.lab.report.page.by_length import KEY as LENGTHS
from seqnorm.lab.report.page.by_length import NOTE as BY_LENGTH
from seqnorm.lab.report.page.by_length import lengths_table
from seqnorm.lab.report.page.charts import Picture
from seqnorm.lab.report.page.comparison_tables import (
    cost_table,
    pairs_table,
    robust_table,
    tuning_table,
)
from seqnorm.lab.report.page.looks import Looks, arm_looks
from seqnorm.lab.report.page.notes import (
    cost_note,
    pairs_note,
    scores_note,
    tuning_note,
    untuned_note,
)
from seqnorm.lab.report.page.pictures import make_pictures
from seqnorm.lab.report.page.plateau_displays import NOTE, plateau_table
from seqnorm.lab.report.page.sentences import sentences
from seqnorm.lab.report.page.setting_pictures import setting_picture_key
from seqnorm.lab.report.page.tables import Table, settings_table
from seqnorm.lab.report.page.task_pages import page_of
from seqnorm.spelling import counted

MOST_COMMANDS = 40


@dataclass(frozen=True)
class Explained:
    """A table with its heading and what its columns mean."""

    heading: str
    table: Table
    note: str


@dataclass(frozen=True)
class Section:
    """What the report says about one comparison.

    Attributes:
        comparison: The arms.
        sentences: The result in short.
        floors: The floors as sentences.
        tables: By the key of the picture that they stand above.
        values: Scores at each value of a setting and by length, by the key of the picture that they
            stand below.
        settings: The settings of each arm.
        pictures: The charts.
    """

    comparison: Comparison
    sentences: Sequence[str]
    floors: Sequence[str]
    tables: Mapping[str, Explained]
    values: Mapping[str, Explained]
    settings: Table
    pictures: Sequence[Picture]


def make_section(comparison: Comparison, evidence: Evidence) -> Section:
    """Tables, sentences and charts of one comparison."""
    single = all(len(arm.runs) == 1 for arm in comparison.arms)
    task, own = comparison.task, page_of(comparison)
    looks = arm_looks(comparison, evidence)
    candidates = {
        **{
            setting_picture_key(looks, key): ("Plateaus", plateau_table(looks, key), NOTE)
            for key in looks.varied
        },
        task.score.name: ("Test scores", robust_table(comparison), scores_note(task, single)),
        "differences": (
            "Against no normalisation",
            pairs_table(comparison, evidence),
            pairs_note(own, single),
        ),
        "curves": ("Cost", cost_table(comparison, evidence), cost_note(task)),
        "trials": (
            "Settings chosen on validation data",
            tuning_table(comparison),
            tuning_note(task, own, tried_alike(comparison.arms), bool(comparison.pruned)),
        ),
    }
    tuned = any(arm.trials for arm in comparison.arms)
    return Section(
        comparison,
        [
            *sentences(looks),
            *([] if tuned else [untuned_note(comparison, looks.varied)]),
        ],
        floor_lines(comparison),
        {
            key: Explained(heading, table, note)
            for key, (heading, table, note) in candidates.items()
            if table is not None
        },
        _values(looks),
        settings_table(comparison),
        make_pictures(looks),
    )


def _values(looks: Looks) -> dict[str, Explained]:
    """Scores at each value of what pictures are drawn along, by the key of the picture."""
    found = {
        setting_picture_key(looks, key): Explained("Values", along_table(looks, key), ALONG)
        for key in looks.varied
    }
    lengths = lengths_table(looks)
    return found if lengths is None else {**found, LENGTHS: Explained("Values", lengths, BY_LENGTH)}


def effort(comparison: Comparison) -> str:
    """How many runs there are, of which seeds, and how long they trained altogether."""
    trials = len(comparison.everything) - len(comparison.runs)
    seeds = ", ".join(map(str, sorted({run.result.seed for run in comparison.runs})))
    seconds = sum(run.result.train_seconds for run in comparison.everything)
    hours = (seconds + sum(run.seconds for run in comparison.pruned)) / 3600
    tried = f", {counted(trials, 'trial')}" if trials else ""
    tried += f", {len(comparison.pruned)} more stopped early" if comparison.pruned else ""
    runs = counted(len(comparison.runs), "run")
    return f"{runs} on the test set{tried}; seeds {seeds}; {hours:.1f} hours of training, all added"


def remake_commands(comparison: Comparison) -> list[str]:
    """The commands that made the runs and trials, each once, and the one that makes the report."""
    commands = dict.fromkeys(run.environment.get("command") for run in comparison.everything)
    known = [command for command in commands if command]
    lines = known[:MOST_COMMANDS] or ["# the commands were not recorded"]
    if len(known) > MOST_COMMANDS:
        lines.append(f"# and {len(known) - MOST_COMMANDS} more; each run keeps its own")
    folders = dict.fromkeys(str(run.config.get("runs_dir", "runs")) for run in comparison.runs)
    return [*lines, f"seqnorm-report {' '.join(list(folders)[:MOST_COMMANDS])}"]


def provenance(comparison: Comparison) -> list[str]:
    """Which code made the runs, so that a mixture of versions is seen."""
    commits: Counter[str] = Counter()
    for run in comparison.runs:
        git = run.environment.get("git")
        commit = "unknown commit"
        if isinstance(git, dict) and git.get("commit"):
            commit = f"{git['commit']}{' with local changes' if git.get('dirty') else ''}"
        commits[commit] += 1
    return [f"code: {commit} (runs: {count})" for commit, count in sorted(commits.items())]


def config_text(comparison: Comparison) -> list[str]:
    """The settings that all runs share, as YAML."""
    return [f"{key}: {json.dumps(value)}" for key, value in sorted(comparison.shared.items())]
