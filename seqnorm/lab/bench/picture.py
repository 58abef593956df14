"""The ratios of a benchmark as a picture."""

from __future__ import annotations

from pathlib import Path

from seqnorm.lab.bench.measure import Summary


def draw(found: dict[str, dict[str, Summary]], path: Path) -> None:
    """One row of bars for each shape: time over that of Keras's layer without a norm."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 0.5 + sum(0.35 + 0.24 * len(rows) for rows in found.values())))
    heights = [len(rows) for rows in found.values()]
    grid = figure.subplots(len(found), 1, squeeze=False, sharex=True, height_ratios=heights)
    for axes, (title, rows) in zip(grid[:, 0], found.items(), strict=True):
        ratios = [row.ratio for row in rows.values()]
        names = list(rows)
        shades = ["0.25" if name.startswith("fused") else "0.7" for name in names]
        bars = axes.barh(names, ratios, color=shades, height=0.7)
        axes.bar_label(bars, [f"{ratio:.2f}" for ratio in ratios], padding=3, fontsize=8)
        axes.axvline(1, color="0.4", linewidth=0.8, linestyle=":")
        axes.invert_yaxis()
        axes.set_title(title, loc="left", fontsize=9)
        axes.tick_params(labelsize=8, length=0)
        axes.spines[["top", "right", "bottom"]].set_visible(False)
        axes.set_xticks([])
        axes.margins(x=0.1)
    figure.suptitle("time of a step over that of Keras's layer without a norm", fontsize=9, x=0.5)
    figure.tight_layout()
    figure.savefig(path, dpi=150)
