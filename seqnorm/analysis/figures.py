"""The pictures of the report, drawn from plain arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from seqnorm.analysis.profiles import Profiles
from seqnorm.analysis.records import Curve
from seqnorm.analysis.statistics import common_band
from seqnorm.analysis.styles import REFERENCE, add_legend, arm_style, new_figure


@dataclass(frozen=True)
class ArmCurves:
    """What is drawn of one arm.

    Attributes:
        label: Text in the legend.
        completed: (steps, values) of each completed run.
        diverged: The same of each diverged run.
    """

    label: str
    completed: Sequence[Curve]
    diverged: Sequence[Curve]


@dataclass(frozen=True)
class Panel:
    """One panel of the learning curves.

    Attributes:
        title: What is shown.
        arms: The curves, in the order of the legend.
        references: Horizontal lines by name, for example the majority class.
        logarithmic: Whether the values are drawn on a logarithmic scale.
    """

    title: str
    arms: Sequence[ArmCurves]
    references: dict[str, float]
    logarithmic: bool = False


def _draw_arm(axes: Any, arm: ArmCurves, style: dict[str, Any]) -> None:
    band = common_band(arm.completed)
    if band.x.size:
        marker = "o" if band.x.size == 1 else None  # a line needs two points to be seen
        axes.plot(band.x, band.mean, linewidth=1.9, marker=marker, **style)
        axes.fill_between(
            band.x, band.low, band.high, color=style["color"], alpha=0.13, linewidth=0
        )
    last_common = band.x[-1] if band.x.size else -np.inf
    for steps, values in arm.completed:  # runs that went on after the shortest had stopped
        tail = steps >= last_common
        if tail.sum() > 1:
            axes.plot(steps[tail], values[tail], linewidth=0.7, alpha=0.7, **style)
    for steps, values in arm.diverged:
        axes.plot(steps, values, linewidth=0.9, alpha=0.8, **style)
        axes.plot(steps[-1:], values[-1:], marker="x", markersize=8, color=style["color"])


def _draw_references(axes: Any, references: dict[str, float]) -> None:
    """Lines where they are in view; arrows towards those that would squeeze the curves together."""
    low, high = axes.get_ylim()
    margin = 0.15 * (high - low)
    for name, value in references.items():
        below, above = value < low - margin, value > high + margin
        text = f"{name} {value:.3f}{' ↓' if below else ' ↑' if above else ''}"
        if not below and not above:
            axes.axhline(value, color=REFERENCE, linewidth=1.0, linestyle="dotted", zorder=0)
        axes.annotate(
            text,
            (1.0, 0.0 if below else 1.0) if below or above else (1.0, value),
            xycoords="axes fraction" if below or above else ("axes fraction", "data"),
            xytext=(0, -10 if above else 2),
            textcoords="offset points",
            ha="right",
            fontsize=8,
            color="#505050",
        )


def _draw_panel(axes: Any, panel: Panel) -> None:
    for index, arm in enumerate(panel.arms):
        _draw_arm(axes, arm, arm_style(index))
    _draw_references(axes, panel.references)
    axes.set_title(panel.title)
    axes.set_xlabel("optimiser steps")
    if panel.logarithmic:
        axes.set_yscale("log")


def _handles(count: int) -> list[Line2D]:
    return [Line2D([], [], linewidth=1.9, **arm_style(index)) for index in range(count)]


def learning_curves(title: str, panels: Sequence[Panel]) -> Figure:
    """Curves against the optimiser step: mean over seeds, with a band from lowest to highest.

    The band ends where the shortest completed run ends; longer runs go on as thin lines. Diverged
    runs are thin lines of their own that end in a cross.

    Args:
        title: Title of the figure.
        panels: What each panel shows; all with the same arms.

    Returns:
        The figure.
    """
    figure, axes = new_figure(1, len(panels), height=4.6)
    for place, panel in zip(axes, panels, strict=True):
        _draw_panel(place, panel)
    figure.suptitle(title, fontsize=13)
    labels = [arm.label for arm in panels[0].arms]
    add_legend(figure, _handles(len(labels)), labels)
    return figure


# Key of the profile, title, whether the values spread over orders of magnitude.
_PROFILE_PANELS = (
    ("mean", "mean of the recurrent pre-activation", False),
    ("spread", "spread of the recurrent pre-activation", False),
    ("gradient_norm", "gradient norm of the loss in the state", True),
    ("distance", "distance of batch mean from running mean", False),
    ("rows", "valid rows of the batch", False),
)


def statistics_over_time(title: str, arms: Sequence[tuple[str, Profiles]]) -> Figure:
    """Statistics of the last probe against the time step of the sequence, mean over seeds.

    Args:
        title: Title of the figure.
        arms: Label and profiles (float64 [T] by name, see `profiles.layer_profiles`) of each arm.

    Returns:
        The figure, with one panel per quantity that any arm has.
    """
    shown = [panel for panel in _PROFILE_PANELS if any(panel[0] in p for _, p in arms)]
    rows = -(-len(shown) // 2)
    figure, axes = new_figure(max(rows, 1), 2, height=3.1, share_x=True)
    for place, (name, heading, logarithmic) in zip(axes, shown, strict=False):
        for index, (_, profiles) in enumerate(arms):
            if name in profiles:
                profile = profiles[name]
                place.plot(np.arange(profile.size), profile, linewidth=1.6, **arm_style(index))
        place.set_title(heading)
        place.set_xlabel("time step")
        place.tick_params(labelbottom=True)
        values = [p[name][np.isfinite(p[name])] for _, p in arms if name in p]
        if logarithmic and any((v > 0).any() for v in values):
            place.set_yscale("log")
    for place in axes[len(shown) :]:
        figure.delaxes(place)
    figure.suptitle(title, fontsize=13)
    add_legend(figure, _handles(len(arms)), [label for label, _ in arms])
    return figure
