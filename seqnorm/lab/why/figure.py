"""The figure of ``seqnorm-data why`` and its numbers, from plain arrays."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator, NullLocator

from seqnorm.lab.durable import write_text
from seqnorm.lab.report.page.paper import write_figure
from seqnorm.lab.report.page.styles import OTHER_COLOURS, norm_colour
from seqnorm.lab.report.page.tables import Table
from seqnorm.lab.why.moments import ALIVE, ALL_ROWS, LEVELS, MEAN, PER_SAMPLE, SPREAD, WAYS, Curve

# The two that are norms here have their colours; in grey the ways are told apart by their panels.
STYLE = {
    ALL_ROWS: OTHER_COLOURS[0],
    ALIVE: norm_colour("batch"),
    PER_SAMPLE: norm_colour("layer"),
}
TITLES = {
    ALL_ROWS: "Batch norm, padding counted",
    ALIVE: "Batch norm, living rows only",
    PER_SAMPLE: "Layer norm, each sample",
}


class Axis(NamedTuple):
    """What a row of panels shows: its label, the true value, the limits, and between ticks."""

    label: str
    truth: float
    limits: tuple[float, float]
    tick: float


ROWS = {
    MEAN: Axis("error of the mean\n(in standard deviations)", 0.0, (-2.4, 2.4), 1.0),
    SPREAD: Axis("standard deviation\n(true value = 1)", 1.0, (0.0, 1.5), 0.5),
}
# What to see in a panel: text, and where its middle is in fractions of the panel.
REMARKS = {
    (ALL_ROWS, MEAN): ("drawn to what padding holds", 0.5, 0.06),
    (ALL_ROWS, SPREAD): ("padding varies little,\nso the spread shrinks", 0.66, 0.84),
    (ALIVE, MEAN): ("noise of 1/√n", 0.5, 0.06),
    (ALIVE, SPREAD): ("alone, a row has no\nspread: it is erased", 0.4, 0.1),
    (PER_SAMPLE, MEAN): ("the row's own, whatever the batch", 0.5, 0.06),
    (PER_SAMPLE, SPREAD): ("the same at every step,\nto the last row", 0.5, 0.1),
}
INK = "#404040"


@dataclass(frozen=True)
class Why:
    """What was measured.

    Attributes:
        data: name of the data set.
        network: name of the cell.
        batches, rows: how many batches of how many rows at most.
        curves: way -> moment -> curve.
        command: what makes the same figure again.
    """

    data: str
    network: str
    batches: int
    rows: int
    curves: dict[str, dict[str, Curve]]
    command: str

    @property
    def caption(self) -> str:
        """What is seen, and how to see it again."""
        return (
            f"Moments of the pre-activation x W + h U of a recurrent layer ({self.network}) "
            f"without a norm, with initial weights, on {self.batches} batches of {self.rows} rows "
            f"of {self.data}, by the number of sequences still alive at the step. Line: median; "
            "dark band: half of all values; light band: nine tenths; one value per batch, step and "
            "feature (layer norm: per row and step). True moments: those over the rows alive at "
            "the same step in all batches; for layer norm, those of the mean row. Made with: "
            + self.command
        )


def draw(why: Why) -> Figure:
    """Two rows of panels (mean, spread), one column for each way; shared axes in a row."""
    figure = Figure(figsize=(9.2, 5.2), dpi=120, layout="constrained")
    panels = figure.subplots(2, len(WAYS), sharex=True, sharey="row")
    for row, moment in zip(panels, ROWS, strict=True):
        for panel, way in zip(row, WAYS, strict=True):
            _draw_panel(panel, why.curves[way][moment], moment, STYLE[way])
            panel.text(
                *REMARKS[way, moment][1:],
                REMARKS[way, moment][0],
                transform=panel.transAxes,
                ha="center",
                va="center",
                fontsize=9.5,
                color=INK,
            )
        row[0].set_ylabel(ROWS[moment].label, color=INK)
    _name_bands(panels[0][0], why.curves[ALL_ROWS][MEAN])
    for panel, way in zip(panels[0], WAYS, strict=True):
        panel.set_title(TITLES[way], color=STYLE[way], fontsize=11, fontweight="bold", pad=8)
    _set_steps(panels[1][0], why.rows)
    figure.supxlabel(
        f"sequences of the batch (of {why.rows}) that are still alive at the step; time runs to "
        "the right",
        color=INK,
        fontsize=10.5,
    )
    return figure


def _draw_panel(panel: Any, curve: Curve, moment: str, colour: str) -> None:
    low, first, median, third, high = curve.quantiles.T
    axis = ROWS[moment]
    panel.axhline(axis.truth, color=INK, linewidth=0.9, linestyle=(0, (4, 2)), zorder=3)
    panel.fill_between(curve.alive, low, high, color=colour, alpha=0.22, linewidth=0)
    panel.fill_between(curve.alive, first, third, color=colour, alpha=0.38, linewidth=0)
    panel.plot(curve.alive, median, color=colour, linewidth=2.0)
    panel.set_ylim(*axis.limits)
    panel.yaxis.set_major_locator(MultipleLocator(axis.tick))
    panel.spines[["top", "right"]].set_visible(False)
    panel.tick_params(colors=INK)
    panel.grid(axis="y", alpha=0.2, linewidth=0.6)


def _name_bands(panel: Any, curve: Curve) -> None:
    """Says at the fewest rows, where the bands are widest, what they are."""
    _, _, median, third, high = curve.quantiles[0]
    for height, text in (
        (median, "median"),
        (third, "half of the values"),
        (high, "nine tenths of them"),
    ):
        panel.annotate(
            text,
            (curve.alive[0], height),
            xytext=(-4, -3),
            textcoords="offset points",
            ha="right",
            va="top",
            fontsize=8.5,
            color=INK,
        )


def _set_steps(panel: Any, rows: int) -> None:
    panel.set_xscale("log", base=2)
    ticks = 2 ** np.arange(int(np.log2(rows)) + 1)
    panel.set_xticks(ticks, [str(tick) for tick in ticks])
    panel.xaxis.set_minor_locator(NullLocator())
    panel.set_xlim(rows, 0.97)  # time runs to the right: sequences end


def table(why: Why) -> Table:
    """Median and the middle nine tenths at powers of two, one row per way and moment."""
    alive = sorted(
        {int(n) for way in why.curves.values() for c in way.values() for n in c.alive}
        & set((2 ** np.arange(20)).tolist()),
        reverse=True,
    )
    rows = []
    for way in WAYS:
        for moment, curve in why.curves[way].items():
            cells = [TITLES[way], moment]
            for number in alive:
                found = np.flatnonzero(curve.alive == number)
                cells.append(_interval(curve.quantiles[found[0]]) if found.size else "-")
            rows.append(tuple(cells))
    return Table(("norm", "moment", *map(str, alive)), tuple(rows), words=2)


def _interval(quantiles: np.ndarray) -> str:
    return f"{quantiles[2]:.2f} [{quantiles[0]:.2f}, {quantiles[-1]:.2f}]"


def write_why(why: Why, folder: Path) -> list[Path]:
    """Writes why.png, why.pdf, why.csv (every number of rows alive) and why.md (a table)."""
    folder.mkdir(parents=True, exist_ok=True)
    figure = draw(why)
    paths = [*write_figure(figure, folder / "why"), folder / "why.csv", folder / "why.md"]
    rows = io.StringIO(newline="")
    writer = csv.writer(rows)
    writer.writerow(["way", "moment", "alive", "values", *(f"q{q:g}" for q in LEVELS)])
    for way, moments in why.curves.items():
        for moment, curve in moments.items():
            for alive, count, quantiles in zip(*curve, strict=True):
                writer.writerow([way, moment, alive, count, *(f"{q:.5g}" for q in quantiles)])
    write_text(paths[2], rows.getvalue())
    text = (
        f"# What ending sequences do to batch statistics: {why.data}\n\n"
        f"![]({paths[0].name})\n\n{why.caption}\n\n"
        "Median [5 %, 95 %] by the number of sequences alive:\n\n"
    )
    write_text(paths[3], text + table(why).markdown() + "\n")
    return paths
