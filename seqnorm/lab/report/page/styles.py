"""One look per arm: told apart by colour, by line style and in grey."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

# Okabe and Ito's palette (2008), made for every kind of colour vision, without its yellow, which is
# too pale for a line on white.
COLOURS = ("#000000", "#D55E00", "#0072B2", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
DASHES: tuple[Any, ...] = (
    "solid",
    (0, (5, 1.5)),
    (0, (1.2, 1.2)),
    (0, (6, 1.5, 1.2, 1.5)),
    (0, (8, 2, 1.2, 1.5, 1.2, 1.5)),
)
# Shapes tell the dots of arms apart where there is no line: one fewer than colours, so that the
# pairs repeat late.
MARKERS = ("o", "s", "D", "^", "v", "P")
REFERENCE = "#808080"


def arm_style(index: int) -> dict[str, Any]:
    """Line style of the arm at this position; 35 arms get 35 different pairs of colour and dash."""
    return {"color": COLOURS[index % len(COLOURS)], "linestyle": DASHES[index % len(DASHES)]}


def new_figure(rows: int, columns: int, height: float) -> tuple[Figure, list[Any]]:
    """A figure of its own canvas (no global state of pyplot) with a grid of plain panels.

    Args:
        rows: Rows of panels.
        columns: Columns of panels.
        height: Height of one row in inches.

    Returns:
        The figure and its panels, row by row.
    """
    figure = Figure(figsize=(10, height * rows), dpi=120, layout="constrained")
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    for panel in panels:
        panel.spines[["top", "right"]].set_visible(False)
        panel.grid(alpha=0.25, linewidth=0.6)
        panel.title.set_fontsize(11)
    return figure, panels


def add_legend(figure: Figure, handles: Sequence[Any], labels: Sequence[str]) -> None:
    """One legend below all panels, where it covers no data."""
    longest = max((len(label) for label in labels), default=1)
    columns = max(1, min(len(labels), 110 // (longest + 8)))
    figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=columns,
        frameon=False,
        handlelength=4,
        fontsize=9,
    )
