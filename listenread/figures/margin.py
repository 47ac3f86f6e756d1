"""Margin: the difference of a clip's two largest similarities, and what it tells."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from listenread.errors import Unavailable
from listenread.figures import columns, style
from listenread.figures.columns import Columns
from listenread.figures.settings import MarginSettings
from listenread.metrics.base import Resampling
from listenread.metrics.margin import margins, reliability
from listenread.metrics.scored import predictions
from listenread.tasks.cell import Cell


def draw(cell: Cell, svg: Path, settings: MarginSettings) -> None:
    """Draw the margins of right and wrong decisions, and accuracy by margin with its interval.

    A prompt with variants is drawn by its first one.
    """
    scores = cell.scores()
    labels, groups = cell.target(scores.clip_ids).labels, cell.groups(scores.clip_ids)
    if len(scores.classes) < 2:
        raise Unavailable("there is a single class")
    shown = scores.values[0]  # (n, C)
    histogram = margin_histogram(
        margins(shown), predictions(shown) == labels, settings.histogram_bins
    )
    resampling = Resampling(settings.replicates, settings.confidence_level, settings.seed)
    curve = reliability(
        shown, labels, bins=settings.reliability_bins, groups=groups, resampling=resampling
    )._asdict()
    figure, axes = style.new_figure(6.8, 2.4, 2)
    _draw_histogram(axes[0], histogram)
    _draw_curve(axes[1], curve, 1 / len(scores.classes))
    panels = {"margins": histogram, "reliability": curve}
    drawn = columns.stacked([columns.named(part, panel=name) for name, part in panels.items()])
    style.save(figure, drawn, svg)


def margin_histogram(margins: np.ndarray, right: np.ndarray, bins: int) -> dict[str, np.ndarray]:
    """Count the margins of right and of wrong decisions.

    Args:
        margins: at least 0, shape (n,).
        right: bool, shape (n,).
        bins: of equal width from 0 to the largest margin.

    Returns:
        `low`, `high`, `right` and `wrong`, one value per bin.
    """
    edges = np.histogram_bin_edges(margins, bins=bins, range=(0, max(margins.max(), 1e-6)))
    return {
        "low": edges[:-1],
        "high": edges[1:],
        "right": np.histogram(margins[right], edges)[0],
        "wrong": np.histogram(margins[~right], edges)[0],
    }


def _draw_histogram(axes: Axes, histogram: Columns) -> None:
    edges = [*histogram["low"], histogram["high"][-1]]
    axes.stairs(
        histogram["wrong"],
        edges,
        fill=True,
        facecolor=style.ORANGE,
        edgecolor=style.INK,
        alpha=0.55,
        hatch="////",
        label="wrong",
    )
    axes.stairs(histogram["right"], edges, fill=True, color=style.BLUE, alpha=0.6, label="right")
    axes.grid(axis="x", visible=False)
    axes.legend()
    style.label_axes(axes, "difference of the two largest cosines", "clips", "decisions")


def _draw_curve(axes: Axes, curve: Columns, chance: float) -> None:
    axes.errorbar(
        curve["margin_mean"],
        curve["top_1"],
        yerr=style.error_bars(curve["top_1"], curve["ci_low"], curve["ci_high"]),
        color=style.BLUE,
        marker="o",
        capsize=2,
    )
    axes.axhline(chance, color=style.INK, linestyle=":", linewidth=1)
    axes.annotate(
        "chance", (1, chance), xycoords=("axes fraction", "data"), ha="right", va="bottom"
    )
    axes.set_ylim(-0.03, 1.05)
    style.label_axes(axes, "mean difference", "top-1", "share that is right")
