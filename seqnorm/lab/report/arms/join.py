"""One comparison from several places: run folders, and what earlier reports have kept."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from seqnorm.lab.report.arms.arms import Arm, Comparison, settings_of
from seqnorm.lab.report.arms.grouping import compare
from seqnorm.lab.report.arms.pruned import with_pruned
from seqnorm.lab.report.findings.evidence import OTHER_TEXTS, ArmEvidence, Evidence, reader_of
from seqnorm.lab.runs.find import Ignored
from seqnorm.lab.runs.read import RunRecord

Part = tuple[Comparison, Evidence]
_ELSEWHERE = (
    "an arm is taken whole from the one place that has most of its runs; received a run of it from "
    "another place. To count all, report on the run folders of both, not on their findings."
)


@dataclass(frozen=True)
class _Held:
    """An arm as one place holds it, and the rank of that place."""

    arm: Arm
    found: ArmEvidence
    whole: Evidence
    place: tuple[int, str]

    @property
    def rank(self) -> tuple[int, tuple[int, str]]:
        """The more runs of the arm the better, then the better place: equal arms stay together."""
        return len(self.arm.runs), self.place


def _rank(comparison: Comparison) -> tuple[int, str]:
    """The more runs the better; of equal places any, whatever its scores, in whatever order.

    A digest decides: the results themselves would favour high or low scores.
    """
    runs = comparison.everything
    content = json.dumps([(run.name, run.result.to_json()) for run in runs], sort_keys=True)
    return len(runs), sha256(content.encode()).hexdigest()


def _choose_arms(parts: Sequence[Part]) -> tuple[list[_Held], list[Ignored]]:
    """Every arm from the place that has most of it, and the runs of others that are left out."""
    places: defaultdict[tuple[tuple[str, str], ...], list[_Held]] = defaultdict(list)
    for comparison, evidence in parts:
        place = _rank(comparison)
        for arm in comparison.arms:
            held = _Held(arm, evidence.arms[arm.label], evidence, place)
            places[settings_of(arm.runs[0])].append(held)
    chosen: list[_Held] = []
    left_out: list[Ignored] = []
    for key in sorted(places):
        best = max(places[key], key=lambda held: held.rank)
        names = {run.name for run in best.arm.runs}
        others = [run for held in places[key] for run in held.arm.runs if run.name not in names]
        left_out += [Ignored(run.folder, _ELSEWHERE) for run in others]
        chosen.append(best)
    return chosen, left_out


def _join_trials(parts: Sequence[Part]) -> list[RunRecord]:
    """All trials, each once: of one name that of the better place."""
    trials: dict[str, RunRecord] = {}
    for comparison in sorted((comparison for comparison, _ in parts), key=_rank):
        trials |= {run.name: run for arm in comparison.arms for run in arm.trials}
    return [trials[name] for name in sorted(trials)]


def _texts_of_most(chosen: Sequence[_Held]) -> Evidence:
    """The evidence whose test texts most arms were tested on."""
    counts: defaultdict[str, int] = defaultdict(int)
    for held in chosen:
        counts[held.whole.texts] += bool(held.found.answers)
    texts = max(counts, key=lambda text: (counts[text], text))
    return next(held.whole for held in chosen if held.whole.texts == texts)


def join(parts: Sequence[Part]) -> tuple[Comparison, Evidence, list[Ignored]]:
    """Join comparisons of the same data set, question and task, arm by arm.

    An arm that several places hold is taken whole from the one with the most runs, so that no run
    is counted twice; what only the others have of it is left out, and named.

    Args:
        parts: At least one; their order does not matter.

    Returns:
        The comparison, its evidence, and the runs left out.
    """
    chosen, left_out = _choose_arms(parts)
    runs = [run for held in chosen for run in held.arm.runs]
    ((joined,), replaced) = compare([*runs, *_join_trials(parts)])
    comparison = with_pruned(joined, (run for part, _ in parts for run in part.pruned))
    whole = _texts_of_most(chosen)
    notes = {note for held in chosen for note in held.whole.notes}
    found: dict[str, ArmEvidence] = {}
    by_settings = {settings_of(held.arm.runs[0]): held for held in chosen}
    for arm in comparison.arms:
        held = by_settings[settings_of(arm.runs[0])]
        found[arm.label] = held.found
        if held.found.answers and held.whole.texts != whole.texts:
            found[arm.label] = replace(held.found, answers={})
            place = reader_of(comparison).place
            notes.add(f"{comparison.title}, {arm.label}: not in {place}: {OTHER_TEXTS}")
    evidence = replace(whole, arms=found, notes=sorted(notes))
    return comparison, evidence, [*left_out, *replaced]


def join_all(parts: Iterable[Part]) -> tuple[list[Part], list[Ignored]]:
    """Join the comparisons that share data set, question and task.

    Returns:
        One comparison of each, by data set, question and task, and the runs left out.
    """
    places: defaultdict[tuple[str, str, str], list[Part]] = defaultdict(list)
    for part in parts:
        comparison = part[0]
        places[comparison.data, comparison.question, comparison.task.name].append(part)
    joined = [join(places[key]) for key in sorted(places)]
    ignored = [item for _, _, left_out in joined for item in left_out]
    return [(comparison, evidence) for comparison, evidence, _ in joined], ignored
