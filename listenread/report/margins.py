"""Confidence: the paper's top-2 difference of a clip, and whether it tells right from wrong."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from listenread.metrics import confidence as confidence_metrics
from listenread.metrics.zero_shot import predictions
from listenread.report import drawing
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
        return drawing.save_reason(loaded, svg)
    scores, labels, classes = loaded
    if len(classes) < 2:
        return drawing.save_reason("there is a single class", svg)
    shown = scores[0]
    histogram = margin_histogram(
        confidence_metrics.margins(shown), predictions(shown) == labels, histogram_bins
    )
    curve = reliability_curve(
        shown,
        labels,
        bins=reliability_bins,
        resamples=resamples,
        confidence=confidence,
        seed=seed,
    )
    figure, axes = drawing.new_figure(6.8, 2.4, 2)
    _draw_histogram(axes[0], histogram)
    _draw_curve(axes[1], curve, 1 / len(classes))
    frame = pd.concat([histogram.assign(panel="margins"), curve.assign(panel="reliability")])
    drawing.save(figure, frame, svg)


def margin_histogram(margins: np.ndarray, right: np.ndarray, bins: int) -> pd.DataFrame:
    """Count the margins of right and of wrong decisions.

    Args:
        margins: at least 0, shape (n,).
        right: bool, shape (n,).
        bins: of equal width from 0 to the largest margin.

    Returns:
        One row per bin: `low`, `high`, `right`, `wrong`.
    """
    edges = np.histogram_bin_edges(margins, bins=bins, range=(0, max(margins.max(), 1e-6)))
    frame = pd.DataFrame({"low": edges[:-1], "high": edges[1:]})
    frame["right"] = np.histogram(margins[right], edges)[0]
    frame["wrong"] = np.histogram(margins[~right], edges)[0]
    return frame


def reliability_curve(scores: np.ndarray, labels: np.ndarray, **settings: float) -> pd.DataFrame:
    """Put `listenread.metrics.confidence.reliability` into a table, one row per bin."""
    found = confidence_metrics.reliability(scores, labels, **settings)
    return pd.DataFrame(found._asdict())


def _draw_histogram(axes: Axes, frame: pd.DataFrame) -> None:
    edges = [*frame["low"], frame["high"].iloc[-1]]
    axes.stairs(
        frame["wrong"],
        edges,
        fill=True,
        facecolor=drawing.ORANGE,
        edgecolor=drawing.INK,
        alpha=0.55,
        hatch="////",
        label="wrong",
    )
    axes.stairs(frame["right"], edges, fill=True, color=drawing.BLUE, alpha=0.6, label="right")
    axes.grid(axis="x", visible=False)
    axes.legend()
    drawing.label_axes(axes, "difference of the two largest cosines", "clips", "decisions")


def _draw_curve(axes: Axes, frame: pd.DataFrame, chance: float) -> None:
    error = np.stack([frame["top_1"] - frame["ci_low"], frame["ci_high"] - frame["top_1"]])
    error = None if np.isnan(error).any() else np.maximum(error, 0)
    axes.errorbar(
        frame["margin_mean"], frame["top_1"], yerr=error, color=drawing.BLUE, marker="o", capsize=2
    )
    axes.axhline(chance, color=drawing.INK, linestyle=":", linewidth=1)
    axes.annotate(
        "chance", (1, chance), xycoords=("axes fraction", "data"), ha="right", va="bottom"
    )
    axes.set_ylim(-0.03, 1.05)
    drawing.label_axes(axes, "mean difference", "top-1", "share that is right")
