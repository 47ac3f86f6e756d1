"""A map of the joint space: clips, class means and prompts on the first two principal axes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes

from listenread.figures import columns, style
from listenread.settings import NoSettings
from listenread.tasks.cell import Cell

#: From this many clips on, the dots of a vector figure are stored as a picture.
_RASTERISED_FROM = 800
#: The names of more classes would hide what they name; the csv has them all.
_MOST_NAMED = 60


class Projection(NamedTuple):
    """Points on the first two principal axes.

    Attributes:
        points: float64, shape (n, 2).
        explained: share of the variance along each of the two axes, shape (2,).
    """

    points: np.ndarray
    explained: np.ndarray


def principal_axes(vectors: np.ndarray) -> Projection:
    """Project vectors on their first two principal axes.

    The sign of an axis is arbitrary; it is chosen so that the component of largest absolute value
    in the axis is positive.

    Args:
        vectors: shape (n, d), n and d at least 2.

    Example:
        >>> principal_axes(np.array([[0.0, 0.0], [2.0, 0.0], [4.0, 0.0]])).points[:, 0].tolist()
        [-2.0, 0.0, 2.0]
    """
    centred = vectors - vectors.mean(axis=0)
    # of the (d, d) products, which are soon there; the (n, d) vectors themselves take much longer
    spread, axes = np.linalg.eigh(centred.T @ centred)
    spread, axes = np.maximum(spread[::-1], 0), axes[:, ::-1].T[:2]
    axes = axes * np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])[:, None]
    share = spread / max(spread.sum(), np.finfo(float).tiny)
    return Projection(centred @ axes.T, share[:2])


def draw(cell: Cell, svg: Path, settings: NoSettings) -> None:
    """Draw the map of one prompt; a prompt with variants is drawn by its first one.

    The left panel shows the joint space as it is, and so the gap between the modalities. In the
    right one each modality is centred on its own mean, so that the gap is gone and what is left is
    whether classes lie alike.
    """
    texts = cell.text("joint")
    target = cell.target(cell.clip_ids())
    clips, prompts = (
        part.astype(np.float64) for part in (cell.audio("joint"), texts.vectors[0])
    )  # (n, d), (C, d)
    names, labels = texts.labels, np.array(cell.classes)[target.labels]
    figure, axes = style.new_figure(7, 3.6, 2)
    gap = np.linalg.norm(clips.mean(axis=0) - prompts.mean(axis=0))
    centred = (clips - clips.mean(axis=0), prompts - prompts.mean(axis=0))
    panels = [
        _panel(axes[0], clips, prompts, labels, names, f"as it is: modality gap {gap:.2f}"),
        _panel(axes[1], *centred, labels, names, "each modality centred"),
    ]
    axes[0].legend(loc="best", fontsize=7)
    style.save(figure, columns.stacked(panels), svg)


def _panel(
    axes: Axes,
    clips: np.ndarray,
    prompts: np.ndarray,
    labels: np.ndarray,
    names: list[str],
    title: str,
) -> dict[str, Any]:
    heard = [name for name in names if (labels == name).any()]
    means = np.array([clips[labels == name].mean(axis=0) for name in heard])
    projection = principal_axes(np.concatenate([clips, means, prompts]))
    ends = [len(clips), len(clips) + len(means)]
    of_clips, of_means, of_prompts = np.split(projection.points, ends)
    _draw_points(
        axes,
        of_clips,
        dict(zip(heard, of_means, strict=True)),
        dict(zip(names, of_prompts, strict=True)),
    )
    x, y = (f"axis {axis + 1} ({share:.0%})" for axis, share in enumerate(projection.explained))
    style.label_axes(axes, x, y, title)
    kinds = ["clip"] * len(clips) + ["class mean"] * len(heard) + ["prompt"] * len(names)
    return {
        "panel": [title] * len(kinds),
        "kind": kinds,
        "label": [*labels, *heard, *names],
        "x": projection.points[:, 0],
        "y": projection.points[:, 1],
    }


def _draw_points(
    axes: Axes,
    clips: np.ndarray,
    means: Mapping[str, np.ndarray],
    prompts: Mapping[str, np.ndarray],
) -> None:
    axes.scatter(
        clips[:, 0],
        clips[:, 1],
        s=5,
        color=style.SKY,
        alpha=0.5,
        linewidths=0,
        label="clip",
        rasterized=len(clips) >= _RASTERISED_FROM,
    )
    for label, mean in means.items():
        axes.plot(
            *np.stack([mean, prompts[label]], axis=1), color=style.LINE, linewidth=0.8, zorder=1
        )
    of_means, of_prompts = (np.array([*points.values()]) for points in (means, prompts))
    axes.scatter(
        of_means[:, 0], of_means[:, 1], s=22, color=style.BLUE, label="class mean", zorder=3
    )
    axes.scatter(
        of_prompts[:, 0],
        of_prompts[:, 1],
        s=60,
        marker="*",
        color=style.VERMILLION,
        edgecolors=style.INK,
        linewidths=0.4,
        label="prompt",
        zorder=4,
    )
    for label, mean in means.items() if len(means) <= _MOST_NAMED else ():
        axes.annotate(
            label, (mean[0], mean[1]), (2.5, 2.5), textcoords="offset points", fontsize=6.5
        )
