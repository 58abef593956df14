"""What the page says of a classification beside its scores: McNemar's test, F1 by class."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from seqnorm.lab.report.classes.statistics import mcnemar
from seqnorm.lab.report.page.charts import Dot, DotChart, Picture, Row
from seqnorm.lab.report.page.looks import Looks
from seqnorm.lab.report.page.tables import NOT_AVAILABLE
from seqnorm.lab.report.page.task_page import TaskPage
from seqnorm.lab.runs.read import Arrays

MAX_CLASSES = 60


class ClassesPage(TaskPage):
    """Which test texts only one of two arms gets right, and how well each class is found."""

    pair_headings = ("only right", "McNemar p")
    pairs_note = (
        "Only right: test texts on which only the arm : only the other is right, the runs of each "
        "arm answering together; p of McNemar's exact test on these, where both arms have the same "
        "seeds. It is about the votes of these runs on other texts; what other seeds would give, "
        "the intervals of both Δ say (and P's, which has none where all pairs of runs agree)."
    )
    single_pairs_note = (
        "Only right: test texts on which only the arm : only the other is right; p of McNemar's "
        "exact test on these."
    )
    tuning_note = (
        "A validation score p of n texts has a standard error of √(p (1 - p) / n): a best trial "
        "little above the second is as much luck as choice."
    )

    def pair(self, ours: Arrays, theirs: Arrays, *, alike: bool) -> tuple[str, ...]:
        """McNemar's test of what the runs of both answer together."""
        if not alike or "right" not in ours or "right" not in theirs:
            return NOT_AVAILABLE, NOT_AVAILABLE
        test = mcnemar(ours["right"], theirs["right"])
        return f"{test.only_first} : {test.only_second}", _p_value(test.p_value)

    def pictures(self, looks: Looks) -> Iterator[Picture]:
        """F1 of every class, where there are more than two."""
        picture = classes_picture(looks)
        if picture is not None:
            yield picture


def _p_value(value: float) -> str:
    return "< 0.0001" if value < 1e-4 else f"{value:.4f}"


def classes_picture(looks: Looks) -> Picture | None:
    """F1 of every class, where there are more than two."""
    names, support = (looks.evidence.common.get(key, ()) for key in ("classes", "support"))
    if len(names) <= 2:
        return None
    bounds = looks.comparison.task.score.bounds
    order = [index for index in np.argsort(-np.asarray(support), kind="stable") if support[index]]
    charts = []
    for panel in looks.panels:
        of_panel = [arm for arm in looks.arms if looks.panel(arm) == panel]
        arms = [arm for arm in of_panel if "by_class" in looks.of(arm).answers]
        rows = []
        for index in order[:MAX_CLASSES]:
            means = [float(looks.of(arm).answers["by_class"][:, index].mean()) for arm in arms]
            dots = [
                Dot(looks.variant(arm), looks.look(arm), mean)
                for arm, mean in zip(arms, means, strict=True)
            ]
            rows.append(Row(f"{names[index]} ({support[index]})", dots))
        if arms:
            charts.append(DotChart(f"F1, {panel}" if panel else "F1", rows, bounds=bounds))
    if not charts:
        return None
    caption = (
        "F1 of each class on the test set, mean over seeds; in brackets the number of test texts. "
        "From the largest class to the smallest. A diverged run answers with the majority class."
        + looks.restriction
    )
    return Picture("classes", "F1 by class", caption, charts, looks.legend)
