"""How arms look: colour and shape say the norm, shade and dash what else tells arms apart.

A norm looks the same in every report, picture and page, whatever stands beside it.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

# Okabe and Ito's palette (2008), made for every kind of colour vision, without its yellow, which is
# too pale for a line on white.
NORM_COLOURS = {
    "none": "#000000",
    "layer": "#0072B2",
    "batch": "#D55E00",
    "rms": "#009E73",
    "group": "#CC79A7",
    "dyt": "#56B4E9",
    "keras_layer": "#0072B2",  # the same two norms, in networks without recurrence
    "keras_batch": "#D55E00",
}
# For a norm that is not in the table, chosen by its name alone, and for what is no norm.
OTHER_COLOURS = ("#882255", "#7A7A00", "#332288", "#8C510A", "#E69F00")
DASHES: tuple[Any, ...] = (
    "solid",
    (0, (5, 1.5)),
    (0, (1.2, 1.2)),
    (0, (6, 1.5, 1.2, 1.5)),
    (0, (8, 2, 1.2, 1.5, 1.2, 1.5)),
)
# Arms of one norm: towards white above 0, towards black below.
SHADES = (0.0, -0.5, 0.45, -0.25, 0.25)
# Shapes tell norms apart where colours do not, as in grey.
NORM_SHAPES = {"none": 0, "layer": 2, "batch": 1, "rms": 3, "group": 4, "dyt": 5}
MARKERS = ("o", "s", "D", "^", "v", "P")
REFERENCE = "#808080"
REFERENCE_DASHES: tuple[Any, ...] = ((0, (1, 1.5)), (0, (4, 1.2, 1, 1.2)))


def norm_colour(norm: str) -> str:
    """The colour of a norm; one that nobody here has heard of always gets the same as well."""
    found = NORM_COLOURS.get(norm)
    return found or OTHER_COLOURS[zlib.crc32(norm.encode()) % len(OTHER_COLOURS)]


def _norm_shape(norm: str) -> int:
    known = NORM_SHAPES.get(norm.removeprefix("keras_"))
    return zlib.crc32(norm.encode()) % len(MARKERS) if known is None else known


def _shaded(colour: str, shade: float) -> str:
    if not shade:
        return colour
    if colour == NORM_COLOURS["none"]:
        shade = abs(shade)  # nothing is darker than black
    towards = 1.0 if shade > 0 else 0.0
    red, green, blue = (c + abs(shade) * (towards - c) for c in to_rgb(colour))
    return to_hex((red, green, blue))


@dataclass(frozen=True)
class Look:
    """The look of an arm.

    Attributes:
        name: Text in the legend; what has one name is one look.
        norm: Decides colour and shape; empty for what is common to all norms.
        variant: Which of the looks of this colour: decides shade and dash, and of many the shape.
    """

    name: str
    norm: str = ""
    variant: int = 0

    @property
    def colour(self) -> str:
        """As "#rrggbb"."""
        own = norm_colour(self.norm) if self.norm else REFERENCE
        return _shaded(own, SHADES[self.variant % len(SHADES)])

    @property
    def dash(self) -> Any:
        """As matplotlib has it."""
        return DASHES[self.variant % len(DASHES)]

    @property
    def shape(self) -> int:
        """Position in `MARKERS`."""
        return (_norm_shape(self.norm) + self.variant // len(DASHES)) % len(MARKERS)

    @property
    def line(self) -> dict[str, Any]:
        """Arguments of matplotlib's lines."""
        return {"color": self.colour, "linestyle": self.dash}

    @property
    def marker(self) -> str:
        """As matplotlib has it."""
        return MARKERS[self.shape]


def make_looks(names: Iterable[tuple[str, str]]) -> list[Look]:
    """A look for each (name, norm), each name once: those of one colour differ in the variant."""
    seen: Counter[str] = Counter()
    looks = []
    for name, norm in dict.fromkeys(names):
        colour = norm_colour(norm)
        looks.append(Look(name, norm, seen[colour]))
        seen[colour] += 1
    return looks


def other_style(index: int) -> dict[str, Any]:
    """Line style of something that is no norm, as a part of a data set."""
    colour = OTHER_COLOURS[index % len(OTHER_COLOURS)]
    return {"color": colour, "linestyle": DASHES[index % len(DASHES)]}


def new_figure(heights: Sequence[float], columns: int) -> tuple[Figure, list[Any]]:
    """A figure of its own canvas (no global state of pyplot) with a grid of plain panels.

    Args:
        heights: Of each row of panels, in inches.
        columns: Columns of panels.

    Returns:
        The figure and its panels, row by row.
    """
    figure = Figure(figsize=(10, sum(heights)), dpi=120, layout="constrained")
    grid = figure.subplots(len(heights), columns, squeeze=False, height_ratios=heights)
    panels = list(grid.flat)
    for panel in panels:
        panel.spines[["top", "right"]].set_visible(False)
        panel.grid(alpha=0.25, linewidth=0.6)
        panel.title.set_fontsize(11)
    return figure, panels


def legend_handle(look: Look, dotted: bool) -> Line2D:
    """A piece of line with its shape, or the shape alone."""
    if dotted:
        return Line2D([], [], color=look.colour, marker=look.marker, linestyle="none")
    return Line2D([], [], linewidth=1.9, marker=look.marker, markersize=5, **look.line)


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
