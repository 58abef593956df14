"""Which charts a comparison gets: from arms and evidence to charts as data."""

from __future__ import annotations

from seqnorm.analysis.arms import Comparison
from seqnorm.analysis.charts import Plate
from seqnorm.analysis.drawn import drawn_arms
from seqnorm.analysis.evidence import Evidence
from seqnorm.analysis.score_plates import (
    accuracy_plate,
    classes_plate,
    differences_plate,
    lengths_plate,
    setting_plates,
    trials_plate,
)
from seqnorm.analysis.time_plates import curves_plate, statistics_plates


def make_plates(comparison: Comparison, evidence: Evidence) -> list[Plate]:
    """Everything there is to draw about one comparison.

    Args:
        comparison: The arms.
        evidence: What there is of each.

    Returns:
        The plates that have something to show.
    """
    drawn = drawn_arms(comparison, evidence)
    plates = [
        accuracy_plate(drawn),
        differences_plate(drawn),
        *setting_plates(drawn),
        curves_plate(drawn),
        trials_plate(drawn),
        lengths_plate(drawn),
        classes_plate(drawn),
        *statistics_plates(drawn),
    ]
    return [plate for plate in plates if plate is not None]
