"""Triplet accuracy by depth: how fine a relation of instruments the text vectors reproduce."""

from collections.abc import Iterable
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from listenread.errors import Unavailable
from listenread.figures import columns, style
from listenread.metrics.triplets import levels_of_accuracy
from listenread.settings import NoSettings
from listenread.tasks.cell import Cell

_COLUMNS = ("space", "prompt", "level", "value", "ci_low", "ci_high", "n", "chance")
_PANELS = {"joint": "joint space", "pre_joint": "before the projection"}


def draw(cell: Cell, svg: Path, settings: NoSettings) -> None:
    """Draw the accuracy of triplets by the levels of the tree that anchor and negative share.

    At level 0 the negative is of another family than the anchor; the deeper the level, the finer
    the distinction that is asked for. Protocol `corrected`, a panel for each space, a marker for
    each prompt, of which the first `len(style.SERIES)` are drawn.
    """
    rows = by_level(cell.rows())
    if not rows:
        raise Unavailable("no triplets by level")
    prompts = list(dict.fromkeys(row["prompt"] for row in rows))[: len(style.SERIES)]
    rows = [row for row in rows if row["prompt"] in prompts]
    spaces = [space for space in _PANELS if any(row["space"] == space for row in rows)]
    figure, axes = style.new_figure(3.4 * len(spaces), 2.6, len(spaces), sharey=True, squeeze=False)
    for panel, space in zip(axes[0], spaces, strict=True):
        _draw(panel, [row for row in rows if row["space"] == space], prompts)
        style.label_axes(
            panel,
            "levels shared by anchor and negative",
            "accuracy" if panel is axes[0][0] else "",
            _PANELS[space],
        )
    if len(prompts) > 1:
        handles, names = axes[0][0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside upper left", ncols=min(len(prompts), 4))
    style.save(figure, columns.of_rows(rows, _COLUMNS), svg)


def by_level(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of a tidy table that are drawn, with their `level`."""
    level_of = {metric.name: level for level, metric in enumerate(levels_of_accuracy())}
    return [
        {**row, "level": level_of[row["metric"]]}
        for row in rows
        if row["protocol"] == "corrected"
        and row["metric"] in level_of
        and columns.is_number(row["value"])
    ]


def _draw(axes: Axes, rows: list[dict[str, Any]], prompts: list[str]) -> None:
    offsets = (np.arange(len(prompts)) - (len(prompts) - 1) / 2) * 0.5 / len(prompts)
    for number, prompt in enumerate(prompts):
        of_prompt = (row for row in rows if row["prompt"] == prompt)
        own = columns.of_rows(sorted(of_prompt, key=itemgetter("level")), _COLUMNS)
        axes.errorbar(
            np.array(own["level"]) + offsets[number],
            own["value"],
            yerr=style.error_bars(own["value"], own["ci_low"], own["ci_high"]),
            color=style.SERIES[number],
            marker=style.MARKERS[number],
            markersize=4.5,
            markeredgecolor=style.INK,
            markeredgewidth=0.4,
            linewidth=1,
            label=prompt,
        )
    axes.axhline(0.5, color=style.INK, linestyle=":", linewidth=1)
    axes.annotate(
        "chance", (0, 0.5), (2, 1), xycoords=("axes fraction", "data"), fontsize=6,
        textcoords="offset points",
    )  # fmt: skip
    levels = sorted({row["level"] for row in rows})
    axes.set_xlim(left=levels[0] - 0.6)
    axes.set_xticks(levels)
    axes.set_ylim(-0.03, 1.03)
