"""The pictures of a data card, drawn from its numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from seqnorm.lab.cards.measure import PARTS
from seqnorm.lab.report.page.styles import REFERENCE, add_legend, new_figure, other_style

# Classes whose names fit under their bars; of more, the largest are shown.
SHOWN_CLASSES = 12
WINDOWS = 30  # of time steps, which are looked at together


def draw_rows(card: dict[str, Any]) -> Figure:
    """Labels, if there are any, and lengths of each part."""
    panels = 1 if card["labelled"] == "nothing" else 2
    figure, drawn = new_figure([3.6], panels)
    *labels, lengths = np.ravel(drawn)
    for panel in labels:
        (_draw_numbers if card["labelled"] == "numbers" else _draw_classes)(panel, card)
    lines = []
    for index, part in enumerate(PARTS):
        percentiles = card["parts"][part]["length_percentiles"]
        lines += lengths.plot(percentiles, range(101), linewidth=1.9, **other_style(index))
    lengths.set_title("Lengths, as they are cut")
    lengths.set_xlabel("steps" if "features" in card else "tokens, start token included")
    lengths.set_ylabel("examples no longer (%)")
    lengths.set_xlim(left=0)
    add_legend(figure, lines, PARTS)
    return figure


def _draw_numbers(panel: Any, card: dict[str, Any]) -> None:
    """How the labels of each part are spread."""
    for index, part in enumerate(PARTS):
        numbers = card["parts"][part]
        shares = 100 * np.array(numbers["label_shares"])
        panel.stairs(shares, numbers["label_edges"], linewidth=1.9, **other_style(index))
    panel.set_title("Labels")
    panel.set_xlabel("label")
    panel.set_ylabel("examples (%)")
    panel.set_ylim(bottom=0)


def _draw_classes(classes: Any, card: dict[str, Any]) -> None:
    """How often each class occurs in each part."""
    counts = np.array([card["parts"][part]["class_counts"] for part in PARTS], float)
    largest = np.argsort(-counts[0], kind="stable")[:SHOWN_CLASSES]
    examples = np.array([card["parts"][part]["examples"] for part in PARTS], float)
    whole = examples if card["labelled"] == "several" else counts.sum(axis=1)
    shares = 100 * counts / whole[:, None]
    for index in range(len(PARTS)):
        style = other_style(index)
        places = np.arange(len(largest)) + 0.27 * (index - 1)
        classes.bar(places, shares[index, largest], width=0.25, color=style["color"])
    names = [card["labels"][number] for number in largest]
    turned = sum(map(len, names)) > 40
    classes.set_xticks(
        range(len(names)), names, rotation=40 if turned else 0, ha="right" if turned else "center"
    )
    some = (
        f", the {len(names)} largest of {card['classes']}" if card["classes"] > len(names) else ""
    )
    classes.set_title(f"Class balance{some}")
    classes.set_ylabel(f"{'steps' if card['labelled'] == 'steps' else 'examples'} (%)")
    classes.grid(axis="x", visible=False)
    classes.set_axisbelow(True)


def smoothed(values: NDArray[np.float64], how: Callable[..., Any]) -> NDArray[np.float64]:
    """Each value and those beside it, a thirtieth of all, summed up.

    Batches of like length end all at once, so from one step to the next other batches are seen,
    and their quantiles alone would be a comb. Of fewer than sixty steps each stays as it is.

    Args:
        values: float [steps].
        how: `np.min`, `np.median` or `np.max`.
    """
    half = len(values) // (2 * WINDOWS)
    padded = np.pad(values, half, mode="edge")
    return how(sliding_window_view(padded, 2 * half + 1), axis=-1)


def draw_batches(card: dict[str, Any]) -> Figure:
    """Rows alive at each step, and the share of padding, before and after bucketing."""
    figure, (steps, padding) = new_figure([3.6], 2)
    kinds = list(card["batches"])
    lines = []
    for index, kind in enumerate(kinds):
        style, rows = other_style(index), card["batches"][kind]["alive"]
        time = np.arange(1, len(rows["median"]) + 1)
        low, middle, high = (
            smoothed(np.array(rows[name]), how)
            for name, how in (("low", np.min), ("median", np.median), ("high", np.max))
        )
        lines += steps.plot(time, middle, linewidth=1.9, **style)
        steps.fill_between(time, low, high, color=style["color"], alpha=0.13, linewidth=0)
        share = 100 * card["batches"][kind]["padding_share"]
        padding.barh(index, share, height=0.5, color=style["color"])
        padding.annotate(
            f"{share:.1f} %", (share, index), (4, 0), textcoords="offset points", va="center"
        )
    steps.axhline(1, color=REFERENCE, linewidth=1.0, linestyle="dotted", zorder=0)
    steps.set_title("Rows alive in the batches that reach a step")
    steps.set_xlabel("time step")
    steps.set_ylabel("rows (median, 5 to 95 % nearby)")
    steps.set_ylim(bottom=0)
    padding.set_yticks(range(len(kinds)), kinds)
    padding.invert_yaxis()
    largest = max(100 * numbers["padding_share"] for numbers in card["batches"].values())
    padding.set_xlim(0, max(1.18 * largest, 1.0))  # a data set may have no padding at all
    padding.set_title("Padding")
    padding.set_xlabel("cells of the batches (%)")
    padding.grid(axis="y", visible=False)
    padding.set_axisbelow(True)
    add_legend(figure, lines, kinds)
    return figure
