"""Similarity histograms: pairs that belong together against pairs that do not.

These are the paper's Figure 3 (arXiv 2407.18058).
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from listenread import tables
from listenread.datasets.base import read_manifest
from listenread.metrics import prototypes
from listenread.report import drawing
from listenread.scores import class_indices, read_scores

_TITLES = {"joint": "joint space", "pre_joint": "before the projection"}


def histogram(scores: np.ndarray, labels: np.ndarray, bins: int) -> pd.DataFrame:
    """Count similarities of clips with their own class and with the others.

    Args:
        scores: cosines, shape (n, C), C at least 1.
        labels: class indices, shape (n,).
        bins: of equal width from the smallest to the largest similarity.

    Returns:
        One row per bin: `low`, `high`, the counts `positive` and `negative`, and as densities (area
        1 each) `positive_density` and `negative_density`.

    Example:
        >>> frame = histogram(np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([0, 1]), bins=2)
        >>> frame[["positive", "negative"]].values.tolist()
        [[0, 2], [2, 0]]
    """
    own = np.zeros(scores.shape, dtype=bool)
    own[np.arange(len(labels)), labels] = True
    edges = np.histogram_bin_edges(scores, bins=bins)
    frame = pd.DataFrame({"low": edges[:-1], "high": edges[1:]})
    for name, values in (("positive", scores[own]), ("negative", scores[~own])):
        counts, _ = np.histogram(values, bins=edges)
        frame[name] = counts
        frame[f"{name}_density"] = counts / max(counts.sum(), 1) / np.diff(edges)
    return frame


def draw_text_audio(scores_path: str | Path, svg: str | Path, *, bins: int) -> None:
    """Draw the histogram of one prompt: cosine of every clip with every class's text.

    A prompt with variants is drawn by its first one.
    """
    loaded = read_scores(scores_path)
    if isinstance(loaded, str):
        return drawing.save_reason(loaded, svg)
    scores, labels, _ = loaded
    _draw({None: histogram(scores[0], labels, bins)}, svg, "cosine of clip and prompt")


def draw_audio_only(
    embeddings_path: str | Path, manifest_path: str | Path, svg: str | Path, *, bins: int
) -> None:
    """Draw one panel per space: cosine of every clip with every class's mean vector.

    The prototypes are the paper's: they contain the clip under test (protocol `published`).
    """
    vectors = tables.read(embeddings_path, ["label"])
    if vectors.unavailable:
        return drawing.save_reason(vectors.unavailable, svg)
    vocabulary = read_manifest(manifest_path).vocabulary
    labels = class_indices(vectors.data["label"].to_pylist(), vocabulary)
    panels = {}
    for space, title in _TITLES.items():
        if space in vectors.data.column_names:
            values = tables.to_numpy(vectors.data[space])
            scores = prototypes.scores(values, labels, len(vocabulary), protocol="published")
            panels[title] = histogram(scores, labels, bins)
    _draw(panels, svg, "cosine of clip and class mean")


def _draw(panels: Mapping[str | None, pd.DataFrame], svg: str | Path, x: str) -> None:
    figure, axes = drawing.new_figure(
        3.4 * len(panels), 2.3, len(panels), squeeze=False, sharey=len(panels) > 1
    )
    for panel, (title, frame) in zip(axes[0], panels.items(), strict=True):
        _draw_panel(panel, frame)
        drawing.label_axes(panel, x, "density" if panel is axes[0][0] else "", title)
    axes[0][0].legend()
    named = [frame.assign(panel=title) if title else frame for title, frame in panels.items()]
    drawing.save(figure, pd.concat(named, ignore_index=True), svg)


def _draw_panel(axes: Axes, frame: pd.DataFrame) -> None:
    edges = [*frame["low"], frame["high"].iloc[-1]]
    axes.stairs(
        frame["negative_density"],
        edges,
        fill=True,
        facecolor=drawing.ORANGE,
        edgecolor=drawing.INK,
        alpha=0.55,
        hatch="////",
        label="another class",
    )
    axes.stairs(
        frame["positive_density"],
        edges,
        fill=True,
        color=drawing.BLUE,
        alpha=0.6,
        label="its own class",
    )
    axes.stairs(frame["positive_density"], edges, color=drawing.BLUE)
    axes.grid(axis="x", visible=False)
