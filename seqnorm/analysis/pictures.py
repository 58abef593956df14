"""From a comparison to its figures: reads the curves and probes of the runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from seqnorm.analysis.arms import Arm, Comparison
from seqnorm.analysis.figures import (
    ArmCurves,
    Panel,
    learning_curves,
    statistics_over_time,
)
from seqnorm.analysis.files import RunFolderError
from seqnorm.analysis.floors import BagOfWords
from seqnorm.analysis.profiles import arm_profiles
from seqnorm.analysis.records import Curve, RunRecord

# More lines than this cannot be told apart.
MAX_ARMS = 10


@dataclass(frozen=True)
class Picture:
    """A figure with the name of its file and the sentence below it."""

    file_name: str
    caption: str
    figure: Figure


def _drawn_arms(comparison: Comparison) -> tuple[list[Arm], str]:
    """At most `MAX_ARMS` arms, in table order, and the sentence that says so."""
    arms = list(comparison.arms)
    if len(arms) <= MAX_ARMS:
        return arms, ""
    accuracy = [float(np.mean(list(arm.values("accuracy").values()))) for arm in arms]
    best = sorted(np.argsort(accuracy, kind="stable")[-MAX_ARMS:])
    sentence = f" Of {len(arms)} arms, the {MAX_ARMS} with the highest accuracy are drawn."
    return [arms[index] for index in best], sentence


def _curves(runs: Sequence[RunRecord], metric: str, notes: dict[str, None]) -> list[Curve]:
    curves = []
    for run in runs:
        try:
            curve = run.curve(metric)
        except RunFolderError as error:
            notes[f"{run.name}: not in the learning curves: {error}"] = None
            continue
        if curve[0].size:
            curves.append(curve)
    return curves


def _arm_curves(arm: Arm, metric: str, notes: dict[str, None]) -> ArmCurves:
    completed = [run for run in arm.runs if not run.diverged]
    diverged = [run for run in arm.runs if run.diverged]
    return ArmCurves(arm.label, _curves(completed, metric, notes), _curves(diverged, metric, notes))


def _learning_picture(
    comparison: Comparison, floor: BagOfWords | None, notes: dict[str, None]
) -> Picture | None:
    arms, restriction = _drawn_arms(comparison)
    majority = float(np.mean([run.majority_accuracy for run in comparison.runs]))
    references = {"majority class (test)": majority}
    if floor is not None:
        references["bag of words (test)"] = floor.accuracy
    panels = [
        Panel(
            "validation accuracy (fraction)",
            [_arm_curves(arm, "val_accuracy", notes) for arm in arms],
            references,
        ),
        Panel("validation loss (nats)", [_arm_curves(arm, "val_loss", notes) for arm in arms], {}),
    ]
    if not any(arm.completed or arm.diverged for panel in panels for arm in panel.arms):
        return None
    return Picture(
        f"curves-{comparison.data}.png",
        "Validation accuracy and loss against the optimiser step. Line: mean over seeds; band: "
        "from the lowest to the highest seed, up to the step at which the first run stopped "
        "(longer runs go on as thin lines). Thin line with a cross: a run that diverged."
        + restriction,
        learning_curves(f"{comparison.data}: learning curves", panels),
    )


def _layer_title(index: int, depth: int, names: set[str]) -> str:
    """Which layer it is, unless there is only one; by name if all arms agree on it."""
    if depth == 1:
        return ""
    name = f" ({names.pop()})" if len(names) == 1 else ""
    return f", recurrent layer {index + 1}{name}"


def _statistics_pictures(comparison: Comparison, notes: dict[str, None]) -> Iterator[Picture]:
    arms, restriction = _drawn_arms(comparison)
    layers = [
        arm_profiles([run for run in arm.runs if _probes_readable(run, notes)]) for arm in arms
    ]
    depth = max(map(len, layers), default=0)
    for index in range(depth):
        # An arm keeps its place, and so its colour, also where it has nothing to show.
        here = [of_arm[index] if index < len(of_arm) else None for of_arm in layers]
        profiles = [layer.arrays if layer else {} for layer in here]
        title = _layer_title(index, depth, {layer.name for layer in here if layer})
        yield Picture(
            f"statistics-{comparison.data}-layer{index + 1}.png",
            f"Statistics of the last probe against the time step{title}; mean over seeds. Distance "
            "(batch normalisation only): norm of the difference between batch mean and running "
            "mean over the features, divided by the norm of the running standard deviations."
            + restriction,
            statistics_over_time(
                f"{comparison.data}: statistics over time{title}",
                [(arm.label, values) for arm, values in zip(arms, profiles, strict=True)],
            ),
        )


def _probes_readable(run: RunRecord, notes: dict[str, None]) -> bool:
    try:
        return bool(run.probes())
    except RunFolderError as error:
        notes[f"{run.name}: not in the statistics over time: {error}"] = None
        return False


def draw(comparison: Comparison, floor: BagOfWords | None) -> tuple[list[Picture], list[str]]:
    """Draw everything there is to draw about one data set.

    Args:
        comparison: The arms.
        floor: The bag-of-words baseline, if measured.

    Returns:
        The pictures, and one note for each run whose curves or probes could not be read.
    """
    notes: dict[str, None] = {}  # ordered, each note once
    learning = _learning_picture(comparison, floor, notes)
    pictures = [learning] if learning is not None else []
    pictures.extend(_statistics_pictures(comparison, notes))
    return pictures, list(notes)
