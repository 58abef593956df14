"""Which charts a comparison gets: from arms and evidence to charts as data."""

from __future__ import annotations

from seqnorm.lab.report.arms.arms import Comparison
from seqnorm.lab.report.findings.evidence import Evidence
from seqnorm.lab.report.page.charts import Plate
from seqnorm.lab.report.page.drawn import drawn_arms
from seqnorm.lab.report.page.score_plates import (
    differences_plate,
    lengths_plate,
    scores_plate,
    setting_plates,
    trials_plate,
)
from seqnorm.lab.report.page.task_pages import page_of
from seqnorm.lab.report.page.time_plates import curves_plate, statistics_plates


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
        scores_plate(drawn),
        differences_plate(drawn),
        *setting_plates(drawn),
        curves_plate(drawn),
        trials_plate(drawn),
        lengths_plate(drawn),
        *page_of(comparison).plates(drawn),
        *statistics_plates(drawn),
    ]
    return [plate for plate in plates if plate is not None]
