"""Confidence: the paper's top-2 difference of a clip, and whether it tells right from wrong."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from listenread.figures import columns, style
from listenread.figures.columns import Columns
from listenread.metrics import confidence as confidence_metrics
from listenread.metrics.zero_shot import predictions
from listenread.scores import read_scores


def draw(
    scores_path: str | Path,
    svg: str | Path,
    *,
    histogram_bins: int,
    reliability_bins: int,
    resamples: int,
    confidence: float,
    seed: int,
) -> None:
    """Draw the margins of right and wrong decisions, and accuracy by margin with its interval.

    A prompt with variants is drawn by its first one.

    Args:
        scores_path: scores of one prompt.
        svg: the figure.
        histogram_bins: of the left panel.
        reliability_bins: of the right panel, with about equally many clips each.
        resamples: of the bootstrap behind the intervals; 0 for none.
        confidence: of the intervals.
        seed: of the bootstrap.
    """
    loaded = read_scores(scores_path)
    if isinstance(loaded, str):
        return style.save_reason(loaded, svg)
    scores, labels, classes = loaded
    if len(classes) < 2:
        return style.save_reason("there is a single class", svg)
    shown = scores[0]
    histogram = margin_histogram(
        confidence_metrics.margins(shown), predictions(shown) == labels, histogram_bins
    )
    curve = confidence_metrics.reliability(
        shown,
        labels,
        bins=reliability_bins,
        resamples=resamples,
        confidence=confidence,
        seed=seed,
    )._asdict()
    figure, axes = style.new_figure(6.8, 2.4, 2)
    _draw_histogram(axes[0], histogram)
    _draw_curve(axes[1], curve, 1 / len(classes))
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
