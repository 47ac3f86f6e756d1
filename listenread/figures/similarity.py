"""Similarity histograms: pairs that belong together against pairs that do not.

These are the paper's Figure 3 (arXiv 2407.18058); the pairs are counted by
`listenread.metrics.separation`.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from listenread.figures import columns, style
from listenread.figures.columns import Columns
from listenread.figures.settings import AudioHistogramSettings, HistogramSettings
from listenread.metrics import separation
from listenread.tasks.cell import Cell

#: Fine bins that are counted first; those of the figure are unions of these.
_FINE_BINS = 4000
_SPACES = {"joint": "joint space", "pre_joint": "before the projection"}


def histogram(profile: separation.Profile, bins: int) -> dict[str, np.ndarray]:
    """Lay the counts of a profile out for drawing, over the range that is occupied.

    Args:
        profile: with any number of bins.
        bins: wanted in the occupied range; it becomes a few fewer or more.

    Returns:
        One value per bin: `low`, `high`, the counts `positive` and `negative`, and as densities
        (area 1 each) `positive_density` and `negative_density`.
    """
    counts = np.stack([profile.positive.sum(axis=0), profile.negative.sum(axis=0)])
    occupied = np.flatnonzero(counts.any(axis=0))
    first, last = occupied[0], occupied[-1] + 1
    step = max(1, round((last - first) / bins))
    starts = np.arange(first, last, step)
    ends = np.minimum(starts + step, counts.shape[1])
    totals = np.cumsum(np.pad(counts, ((0, 0), (1, 0))), axis=1)
    low, high = profile.edges[starts], profile.edges[ends]
    found = {"low": low, "high": high}
    for name, total in zip(("positive", "negative"), totals, strict=True):
        found[name] = total[ends] - total[starts]
        found[f"{name}_density"] = found[name] / max(found[name].sum(), 1) / (high - low)
    return found


def draw(cell: Cell, svg: Path, settings: HistogramSettings) -> None:
    """Draw one prompt: cosines of every clip with the texts of its class and of the others.

    The variants of a prompt are pooled.
    """
    scores = cell.scores()
    labels = cell.target(scores.clip_ids).labels
    profile = separation.text_audio_profile(scores.values, labels, bins=_FINE_BINS, summed=True)
    _draw({None: histogram(profile, settings.histogram_bins)}, svg, "cosine of clip and prompt")


def draw_audio(cell: Cell, svg: Path, settings: AudioHistogramSettings) -> None:
    """Draw one panel per space: cosines of clips with clips of their class and of others."""
    clip_ids = cell.clip_ids()
    labels, groups = cell.target(clip_ids).labels, cell.groups(clip_ids)
    panels: dict[str | None, Columns] = {}
    for space, vectors in cell.spaces(cell.audio):
        profile = separation.clip_pair_profile(
            vectors,
            labels,
            bins=_FINE_BINS,
            max_others=settings.max_others,
            seed=settings.seed,
            groups=groups,
            summed=True,
        )
        panels[_SPACES[space]] = histogram(profile, settings.histogram_bins)
    _draw(panels, svg, "cosine of two clips")


def _draw(panels: Mapping[str | None, Columns], svg: str | Path, x: str) -> None:
    figure, axes = style.new_figure(3.4 * len(panels), 2.3, len(panels), squeeze=False)
    for panel, (title, counted) in zip(axes[0], panels.items(), strict=True):
        _draw_panel(panel, counted)
        style.label_axes(panel, x, "density" if panel is axes[0][0] else "", title)
    axes[0][0].legend()
    parts = [columns.named(part, panel=name) if name else part for name, part in panels.items()]
    style.save(figure, columns.stacked(parts), svg)


def _draw_panel(axes: Axes, counted: Columns) -> None:
    edges = [*counted["low"], counted["high"][-1]]
    axes.stairs(
        counted["negative_density"],
        edges,
        fill=True,
        facecolor=style.ORANGE,
        edgecolor=style.INK,
        alpha=0.55,
        hatch="////",
        label="another class",
    )
    axes.stairs(
        counted["positive_density"],
        edges,
        fill=True,
        color=style.BLUE,
        alpha=0.6,
        label="the same class",
    )
    axes.stairs(counted["positive_density"], edges, color=style.BLUE)
    axes.grid(axis="x", visible=False)
    axes.xaxis.set_major_locator(MaxNLocator(5))
