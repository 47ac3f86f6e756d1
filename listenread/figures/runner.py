"""How figures are drawn: all that a task has of one place, from one cell."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from listenread.entries import resolve
from listenread.errors import Unavailable
from listenread.figures import style
from listenread.tasks.base import TASKS
from listenread.tasks.cell import Cell


def draw_figures(
    task: str,
    per: str,
    cell: Cell,
    settings: Mapping[str, Mapping[str, Any]],
    svgs: Mapping[str, Path],
) -> None:
    """Draw figures of a task; one that cannot be drawn says why.

    Args:
        task: name of a built-in task, or ``package.module:NAME``.
        per: which of its figures; see `listenread.figures.base.Figure.per`.
        cell: what they read.
        settings: name of the figure -> its settings.
        svgs: name of the figure -> the svg to write.
    """
    for figure in TASKS.find(task).figures:
        if figure.per != per:
            continue
        try:
            chosen = figure.settings(**settings[figure.name])
            resolve(figure.draw)(cell, svgs[figure.name], chosen)
        except Unavailable as error:
            style.save_reason(str(error), svgs[figure.name])
