"""Which runs belong together: one arm per question, cell, norm and differing setting."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from seqnorm.lab.config.models import FLOORS
from seqnorm.lab.report.arms.arms import (
    BASELINE,
    Arm,
    Comparison,
    as_text,
    is_setting,
    question,
    recipe_of,
    settings_of,
)
from seqnorm.lab.report.arms.labels import differing_keys, make_label, scope, told_apart
from seqnorm.lab.report.arms.trials import best_settings
from seqnorm.lab.runs.find import Ignored
from seqnorm.lab.runs.read import RunRecord
from seqnorm.lab.tasks.score import Scoring

# A named arm is told apart by these in the table already.
_MODEL = "model.name"
_NAMING_GROUPS = ("data", "cell", "norm", "task", "model")
_UNTESTED = (
    "an arm needs a run on the test set; received a run on validation data of an arm without one. "
    "Let seqnorm-compare end, or train with train.test=true."
)
_BEATEN = (
    "an arm has the setting that its trials chose; received a run with another one, which a later "
    "trial has beaten. It counts no more; delete it or leave it."
)
_OTHER_SCORES = (
    "a comparison is of runs with the same scores; received a run whose task measured others than "
    "most. Repeat it, or report on it alone."
)
REPEATED = "an arm needs one run per seed; received a second one with the same config and seed."
Setting = tuple[str, Any]


def _order(arm: Arm) -> tuple[Any, ...]:
    numbers = [
        (
            key,
            isinstance(value, str),
            value if isinstance(value, int | float) else 0,
            as_text(value),
        )
        for key, value in arm.settings
    ]
    name = str(arm.runs[0].config.get("arm") or "")
    return arm.cell in FLOORS, arm.cell, arm.norm != BASELINE, arm.norm, numbers, name


def _repeated(run: RunRecord, counted: RunRecord) -> Ignored:
    reason = f"{REPEATED} {counted.name} counts; delete it to count this one."
    if run.name == counted.name:
        places = ["/".join(each.folder.parts[-2:]) for each in (counted, run)]
        reason = (
            f"{REPEATED} {places[0]} counts, whose result differs from that of {places[1]}. "
            "Delete one of them."
        )
    return Ignored(run.folder, reason)


def _newest_per_seed(runs: Iterable[RunRecord]) -> tuple[list[RunRecord], list[Ignored]]:
    """One run per seed: a repetition with the same seed is no further sample, a copy no run."""
    newest: dict[int, RunRecord] = {}
    repeated: list[RunRecord] = []
    # Names end in the time of the start, or are the same for the same configuration.
    for run in sorted(runs, key=lambda run: (run.name, str(run.folder))):
        if run.result.seed in newest:
            repeated.append(newest[run.result.seed])
        newest[run.result.seed] = run
    ignored = [
        _repeated(run, newest[run.result.seed])
        for run in repeated
        if (run.name, run.result) != (newest[run.result.seed].name, newest[run.result.seed].result)
    ]
    return [newest[seed] for seed in sorted(newest)], ignored


def _once(trials: Iterable[RunRecord]) -> tuple[RunRecord, ...]:
    """One trial of each setting and seed; a copy of it in another folder is no further trial."""
    found = {(settings_of(run), run.result.seed): run for run in trials}
    return tuple(found.values())


def _named_settings(record: RunRecord) -> list[Setting]:
    """The settings that a named arm ("cell=lstm data.batch_size=8") is told apart by."""
    keys = [token.partition("=")[0] for token in str(record.config.get("arm") or "").split()]
    return [
        (key, record.config[key])
        for key in sorted(keys)
        if key not in _NAMING_GROUPS and key in record.config
    ]


def _cells_of_several_models(runs: Iterable[RunRecord]) -> set[str]:
    """Cells that stand in more than one model, which their names do not tell."""
    models: defaultdict[str, set[Any]] = defaultdict(set)
    for run in runs:
        models[run.result.cell].add(run.config.get(_MODEL))
    return {cell for cell, found in models.items() if len(found - {None}) > 1}


def _arms_of(data: str, runs: Sequence[RunRecord], several: Collection[str]) -> Iterator[Arm]:
    """The arms of one name, without a second run of a seed; more than one if settings differ.

    Args:
        data: The data set.
        runs: The runs of one name, or all that have none.
        several: The cells of `_cells_of_several_models`, whose arms say which one they are in.
    """
    differing = differing_keys([record.config for record in runs])
    groups: defaultdict[tuple[Any, ...], list[RunRecord]] = defaultdict(list)
    for record in runs:
        own = [
            (key, value)
            for key, value in sorted(record.config.items())
            if (key, scope(key, record.config)) in differing
        ]
        if record.result.cell in several and _MODEL in record.config:
            own.append((_MODEL, record.config[_MODEL]))
        settings = tuple(dict([*_named_settings(record), *own]).items())
        identity = tuple((key, as_text(value)) for key, value in settings)
        groups[record.result.cell, record.result.norm, identity].append(record)
    for (cell, norm, identity), members in groups.items():
        settings = tuple((key, members[0].config[key]) for key, _ in identity)
        yield Arm(data, cell, norm, settings, make_label(cell, norm, settings), tuple(members))


def _shared(runs: Sequence[RunRecord]) -> dict[str, Any]:
    configs = [run.config for run in runs]
    return {
        key: value
        for key, value in (configs[0] if configs else {}).items()
        if is_setting(key)
        and all(key in config and as_text(config[key]) == as_text(value) for config in configs)
    }


def _by_recipe(runs: Iterable[RunRecord]) -> dict[Any, list[RunRecord]]:
    found: defaultdict[Any, list[RunRecord]] = defaultdict(list)
    for run in runs:
        found[recipe_of(run)].append(run)
    return found


def _with_chosen_setting(
    tests: Sequence[RunRecord], trials: Mapping[Any, Sequence[RunRecord]]
) -> tuple[list[RunRecord], list[Ignored]]:
    """The runs with the setting that the trials of their recipe chose; all, if it was not run yet.

    A list of trials that is made longer can choose anew; the runs of the first choice remain in
    the folder, and are no arm of their own.
    """
    kept: list[RunRecord] = []
    beaten: list[Ignored] = []
    for recipe, own in _by_recipe(tests).items():
        best = best_settings(trials.get(recipe, ()))
        chosen = [run for run in own if settings_of(run) in best]
        kept += chosen or own
        if chosen:
            lost = [run for run in own if settings_of(run) not in best]
            beaten += [Ignored(run.folder, _BEATEN) for run in lost]
    return kept, beaten


def _measured_alike(
    records: Sequence[RunRecord],
) -> tuple[Scoring, list[RunRecord], list[Ignored]]:
    """What most runs were measured by, these runs, and those that were measured by other scores.

    A user's task may have got other scores since its first runs.
    """
    counts = Counter(record.result.task.comparable for record in records)
    usual = max(counts, key=lambda names: (counts[names], names))
    kept = [record for record in records if record.result.task.comparable == usual]
    others = [record for record in records if record.result.task.comparable != usual]
    newest = max(kept, key=lambda record: (record.name, str(record.folder)))
    return newest.result.task, kept, [Ignored(each.folder, _OTHER_SCORES) for each in others]


def _compare_one(
    key: tuple[str, str, str], members: Sequence[RunRecord]
) -> tuple[Comparison, list[Ignored]]:
    data, asked, _ = key
    task, records, ignored = _measured_alike(members)
    tests: defaultdict[str | None, list[RunRecord]] = defaultdict(list)
    trials: defaultdict[str | None, list[RunRecord]] = defaultdict(list)
    for record in records:
        (trials if record.result.trial else tests)[record.config.get("arm")].append(record)
    several = _cells_of_several_models(run for runs in tests.values() for run in runs)
    arms: list[Arm] = []
    tested: set[tuple[str | None, Any]] = set()
    for name, tested_runs in tests.items():
        tried = _by_recipe(_once(trials[name]) if name else ())
        kept, beaten = _with_chosen_setting(tested_runs, tried)
        ignored.extend(beaten)
        for arm in _arms_of(data, kept, several):
            tested.add((name, recipe_of(arm.runs[0])))
            runs, repeated = _newest_per_seed(arm.runs)
            ignored.extend(repeated)
            own = tried.get(recipe_of(runs[0]), ())
            arms.append(replace(arm, runs=tuple(runs), trials=tuple(own)))
    ignored.extend(
        Ignored(run.folder, _UNTESTED)
        for name, tries in trials.items()
        for run in tries
        if name is None or (name, recipe_of(run)) not in tested
    )
    ordered = tuple(sorted(told_apart(arms), key=_order))
    networks = [run for arm in ordered for run in arm.runs if arm.cell not in FLOORS]
    shared = _shared(networks or [run for arm in ordered for run in arm.runs])
    return Comparison(data, task, ordered, shared, asked), ignored


def compare(records: Iterable[RunRecord]) -> tuple[list[Comparison], list[Ignored]]:
    """Group finished runs by data set, question, task and arm.

    Comparisons of other names ask other questions, as compare_reuters_batch_size beside
    compare_reuters. Runs of `seqnorm-compare` carry the name of their arm
    ("cell=lstm norm=layer"), which also holds its trials; other runs are of one arm if they differ
    in nothing but the seed.

    Args:
        records: Finished runs.

    Returns:
        One comparison per data set, question and task with a run that was tested, by name, and the
        runs left out: those that others replace (newer ones with the same config and seed, or
        those of a better setting), those that other scores were measured of, and trials of an arm
        that has no run on the test set.
    """
    parts: defaultdict[tuple[str, str, str], list[RunRecord]] = defaultdict(list)
    for record in records:
        result = record.result
        parts[result.data, question(record), result.task.name].append(record)
    comparisons: list[Comparison] = []
    ignored: list[Ignored] = []
    for key in sorted(parts):
        comparison, left_out = _compare_one(key, parts[key])
        if comparison.arms:
            comparisons.append(comparison)
        ignored.extend(left_out)
    return comparisons, ignored
