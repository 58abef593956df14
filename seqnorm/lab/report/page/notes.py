"""What stands under the tables: what their columns mean."""

from __future__ import annotations

from collections.abc import Iterable

from seqnorm.lab.report.arms.arms import Comparison
from seqnorm.lab.report.arms.trials import LEARNING_RATE
from seqnorm.lab.report.page.task_page import TaskPage
from seqnorm.lab.tasks.score import Scoring

ALIKE = "Every arm tried the same list of settings."
STOPPED_EARLY = (
    " Stopped early: settings that were behind after a few epochs, every arm by the same rule and "
    "with the same number of epochs (compare.prune=halving)."
)
NOT_ALIKE = "Not all arms tried the same list of settings: the best of more is {} by chance."
# What comparisons tune of themselves, in words.
_TUNED = {
    LEARNING_RATE: "learning rate",
    "model.embedding_dropout": "dropout",
    "model.dropout": "dropout",
    "norm.gamma": "gain",
}


def in_words(keys: Iterable[str]) -> list[str]:
    """Settings as a person calls them, each once: ["dropout", "gain"], others by their keys."""
    found = list(keys)
    known = [word for key, word in _TUNED.items() if key in found]
    return [*dict.fromkeys([*known, *(key for key in found if key not in _TUNED)])]


def listed(words: list[str]) -> str:
    """Words in a row: a; a and b; a, b and c."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def untuned_note(comparison: Comparison, varied: Iterable[str] = ()) -> str:
    """Of arms that tried nothing: of what comparisons tune, what these have and do not vary."""
    keys = {key for run in comparison.runs for key in run.config} & _TUNED.keys() - {*varied}
    words = listed(in_words(keys) or ["settings"])
    are, them = ("are", "them") if " and " in words else ("is", "it")
    return (
        f"No arm was tuned here: {words} {are} as given, or as another comparison chose {them} for "
        "the cell and norm."
    )


def scores_note(task: Scoring, single: bool) -> str:
    """Under the scores.

    Args:
        task: What was measured.
        single: Whether each arm has one run: then there is no interval to explain.
    """
    if single:
        return "On the test set, one run of each arm: what other seeds would give is not known."
    return (
        "On the test set. IQM: mean of the middle half of the runs. 95 %: bootstrap interval over "
        "seeds, which never reaches beyond the runs themselves and so covers less of few: "
        "75 % at three runs, 91 % at five, 94 % at ten (of normal scores); - for a single run. A "
        f"diverged run counts with the scores of the {task.baseline}."
    )


def pairs_note(own: TaskPage, single: bool) -> str:
    """Under the differences to no normalisation."""
    if single:
        return f"Δ: difference of two single runs. {own.single_pairs_note}".rstrip()
    return (
        "Δ: mean difference by seed with its bootstrap interval. P(better): probability that a run "
        f"of the arm beats a run of the other, a tie counting half. {own.pairs_note} Of twenty "
        "intervals without an effect behind them one is expected to leave out 0."
    )


def cost_note(task: Scoring) -> str:
    """Under the costs."""
    near = "97 % of" if task.score.higher_is_better else "within 3 % of"
    return (
        "Medians over completed runs, seconds and tokens/s with the lowest and the highest. "
        "Parameters include running statistics, which batch normalisation keeps for each step; "
        "trainable ones do not (- if not recorded). Reach: runs whose validation "
        f"{task.score.title} gets to the target, {near} the best arm's, which is known at the ends "
        "of epochs; steps and seconds to it are medians in which a run that never does is "
        "infinite. Seconds compare arms only on a machine that did nothing else."
    )


def tuning_note(task: Scoring, own: TaskPage, alike: bool, pruned: bool) -> str:
    """Under the settings that were chosen.

    Args:
        task: What was measured.
        own: What the page says of the task.
        alike: Whether all arms tried the same list.
        pruned: Whether settings were stopped early.
    """
    better, worse = ("higher", "below") if task.score.higher_is_better else ("lower", "above")
    return (
        f"{ALIKE if alike else NOT_ALIKE.format(better)} Chosen between by validation "
        f"{task.score.title}; the test set was read once per arm, seed and setting that was ever "
        f"chosen; runs of an earlier choice are named under left out. {own.tuning_note} Its runs: "
        f"mean validation {task.score.title} of the runs with the setting chosen, on splits of "
        f"their own; where it is far {worse} the best trial, another setting may do better, which "
        "finalists find out (compare.finalists)."
        f"{STOPPED_EARLY if pruned else ''}"
    )
