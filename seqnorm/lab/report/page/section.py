"""What the report says about one comparison, on the page, in Markdown and on the terminal alike."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from seqnorm.lab.report.arms.arms import Comparison
from seqnorm.lab.report.arms.floors import floor_lines
from seqnorm.lab.report.arms.trials import tried_alike
from seqnorm.lab.report.findings.evidence import Evidence
from seqnorm.lab.report.page.charts import Plate
from seqnorm.lab.report.page.headline import cost_table, pairs_table, robust_table, tuning_table
from seqnorm.lab.report.page.plates import make_plates
from seqnorm.lab.report.page.short import sentences
from seqnorm.lab.report.page.tables import Table, settings_table

SCORES_NOTE = (
    "On the test set. IQM: mean of the middle half of the runs. 95 %: bootstrap interval over "
    "seeds, which never reaches beyond the runs themselves and so covers less of few: "
    "91 % at five runs, 94 % at ten (of normal scores); - for a single run. A diverged run counts "
    "with the scores of the majority class."
)
# Of one run each there is no interval to explain.
SINGLE_SCORES_NOTE = (
    "On the test set, one run of each arm: what other seeds would give is not known."
)
SINGLE_PAIRS_NOTE = (
    "Δ: difference of two single runs. Only right: test texts on which only the arm : only the "
    "other is right; p of McNemar's exact test on these."
)
PAIRS_NOTE = (
    "Δ: mean difference by seed with its bootstrap interval. P(better): probability that a run of "
    "the arm beats a run of the other, a tie counting half. Only right: test texts on which only "
    "the arm : only the other is right, the runs of each arm answering together; p of McNemar's "
    "exact test on these, where both arms have the same seeds. It is about the votes of these runs "
    "on other texts; what other seeds would give, the intervals of both Δ say (and P's, which has "
    "none where all pairs of runs agree). Of twenty intervals without an effect behind them one is "
    "expected to leave out 0."
)
COST_NOTE = (
    "Medians over completed runs, seconds and tokens/s with the lowest and the highest. Parameters "
    "include running statistics, which batch normalisation keeps for each step; trainable ones do "
    "not (- if not recorded). Reach: runs whose validation accuracy gets to the target, 97 % of "
    "the best arm's, which is known at the ends of epochs; steps and seconds to it are medians in "
    "which a run that never does is infinite. Seconds compare arms only on a machine that did "
    "nothing else."
)
ALIKE = "Every arm tried the same list of settings."
NOT_ALIKE = "Not all arms tried the same list of settings: the best of more is higher by chance."
UNTUNED = (
    "No arm was tuned here: learning rate, dropout and gain are as given, or as another comparison "
    "chose them for the cell and norm."
)
TUNING_NOTE = (
    "Chosen between by validation accuracy; the test set was read once per arm, seed and setting "
    "that was ever chosen; runs of an earlier choice are named under left out. A validation score "
    "p of n texts has a standard error of √(p (1 - p) / n): a best trial little above the second "
    "is as much luck as choice. Its runs: mean validation accuracy of the runs with the setting "
    "chosen, on splits of their own; where it is far below the best trial, another setting may do "
    "better, which finalists find out (compare.finalists)."
)
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
        tables: By the key of the plate they stand under.
        settings: The settings of each arm.
        plates: The charts.
    """

    comparison: Comparison
    sentences: Sequence[str]
    floors: Sequence[str]
    tables: Mapping[str, Explained]
    settings: Table
    plates: Sequence[Plate]


def make_section(comparison: Comparison, evidence: Evidence) -> Section:
    """Tables, sentences and charts of one comparison."""
    single = all(len(arm.runs) == 1 for arm in comparison.arms)
    scores_note = SINGLE_SCORES_NOTE if single else SCORES_NOTE
    pairs_note = SINGLE_PAIRS_NOTE if single else PAIRS_NOTE
    candidates = {
        "accuracy": ("Test scores", robust_table(comparison), scores_note),
        "differences": ("Against no normalisation", pairs_table(comparison, evidence), pairs_note),
        "curves": ("Cost", cost_table(comparison, evidence), COST_NOTE),
        "trials": (
            "Settings chosen on validation data",
            tuning_table(comparison),
            f"{ALIKE if tried_alike(comparison.arms) else NOT_ALIKE} {TUNING_NOTE}",
        ),
    }
    tuned = any(arm.trials for arm in comparison.arms)
    return Section(
        comparison,
        [*sentences(comparison, evidence), *([] if tuned else [UNTUNED])],
        floor_lines(comparison),
        {
            key: Explained(heading, table, note)
            for key, (heading, table, note) in candidates.items()
            if table is not None
        },
        settings_table(comparison),
        make_plates(comparison, evidence),
    )


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
