"""Which tasks have a page of their own."""

from __future__ import annotations

from seqnorm.lab.report.arms.arms import Comparison
from seqnorm.lab.report.classes.page import ClassesPage
from seqnorm.lab.report.page.task_page import TaskPage

PAGES: dict[str, type[TaskPage]] = {"classification": ClassesPage}


def page_of(comparison: Comparison) -> TaskPage:
    """What is said of the task of a comparison."""
    return PAGES.get(comparison.task.name, TaskPage)()
