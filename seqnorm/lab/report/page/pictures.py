"""Which charts a comparison gets: from arms and evidence to charts as data."""

from __future__ import annotations

from seqnorm.lab.report.arms.arms import Comparison
from seqnorm.lab.report.page.by_length import lengths_picture
from seqnorm.lab.report.page.charts import Picture
from seqnorm.lab.report.page.looks import Looks
from seqnorm.lab.report.page.score_pictures import (
    differences_picture,
    scores_picture,
    trials_picture,
)
from seqnorm.lab.report.page.setting_pictures import setting_pictures
from seqnorm.lab.report.page.task_pages import page_of
from seqnorm.lab.report.page.time_pictures import curves_picture, statistics_pictures


def make_pictures(looks: Looks) -> list[Picture]:
    """Everything there is to draw about one comparison.

    Args:
        looks: The arms and what there is of each.

    Returns:
        The pictures that have something to show.
    """
    pictures = [
        *setting_pictures(looks),  # what such a comparison asks
        scores_picture(looks),
        differences_picture(looks),
        curves_picture(looks),
        trials_picture(looks),
        lengths_picture(looks),
        *page_of(looks.comparison).pictures(looks),
        *statistics_pictures(looks),
    ]
    return [picture for picture in pictures if picture is not None]


def picture_name(picture: Picture, comparison: Comparison) -> str:
    """File name of a picture, without its ending."""
    before, _, after = picture.key.partition("-")
    return "-".join(part for part in (before, comparison.slug, after) if part)


def picture_heading(picture: Picture, comparison: Comparison) -> str:
    """Text above a picture: the data set, the question unless the title says it, and the title."""
    title = picture.title.lower().replace("f1 ", "F1 ")
    asked = "" if comparison.question in title else comparison.question
    return f"{', '.join(filter(None, (comparison.subject, asked)))}: {title}"
