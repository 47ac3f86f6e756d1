"""Confusion matrices: which class a clip of each class was taken for."""

from pathlib import Path

import numpy as np

from listenread.figures import style
from listenread.metrics.classification import confusion_matrix
from listenread.settings import NoSettings
from listenread.tasks.cell import Cell

#: With more classes, the numbers in the cells would overlap, or the names next to them; a figure
#: that grew on would be metres wide. The csv has them all.
_MOST_NUMBERED, _MOST_NAMED = 30, 100
#: Inches of a cell next to names, and of the whole matrix where there are none.
_CELL, _UNNAMED = 0.3, 7.0


def cells(counts: np.ndarray, classes: list[str]) -> dict[str, np.ndarray]:
    """Write a confusion matrix as columns with one row per cell.

    Args:
        counts: clips by true class (rows) and predicted class (columns), shape (C, C).
        classes: the C class names.

    Returns:
        `label`, `predicted`, `clips`, and `share` of the label's clips (NaN without any), each of
        shape (C * C,).

    Example:
        >>> cells(np.array([[3, 1], [0, 0]]), ["a", "b"])["share"].tolist()
        [0.75, 0.25, nan, nan]
    """
    support = counts.sum(axis=1, keepdims=True)
    share = np.divide(counts, support, out=np.full(counts.shape, np.nan), where=support > 0)
    return {
        "label": np.repeat(classes, len(classes)),
        "predicted": np.tile(classes, len(classes)),
        "clips": counts.ravel(),
        "share": share.ravel(),
    }


def draw(cell: Cell, svg: Path, settings: NoSettings) -> None:
    """Draw the confusion matrix of one prompt; a prompt with variants is drawn by its first one."""
    scores = cell.scores()
    classes, labels = scores.classes, cell.target(scores.clip_ids).labels
    drawn = cells(confusion_matrix(scores.values[0], labels), classes)
    size = len(classes)
    side = max(2.4, _CELL * size) if size <= _MOST_NAMED else _UNNAMED
    figure, axes = style.new_figure(side + 1.6, side + 1.2)
    share = drawn["share"].reshape(size, size)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    if size <= _MOST_NUMBERED:
        for row, column in np.ndindex(size, size):
            value = share[row, column]
            if value >= 0.005:
                axes.text(
                    column,
                    row,
                    f"{100 * value:.0f}",
                    ha="center",
                    va="center",
                    fontsize=7,
                    color="white" if value > 0.5 else "black",
                )
    unit = "% of the class's clips"
    if size <= _MOST_NAMED:
        axes.set_xticks(range(size), classes, rotation=60, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(size), classes)
    else:
        unit += f"; {size} classes in the order of the csv, from 0"
    axes.grid(visible=False)
    style.label_axes(axes, "taken for", "true class", unit)
    style.save(figure, drawn, svg)
