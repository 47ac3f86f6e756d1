"""Triplet accuracy by depth: how fine a relation of instruments the text vectors reproduce."""

from collections.abc import Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from listenread.figures import columns, style
from listenread.files import tables

_LEVEL = "accuracy_level_"
_COLUMNS = ("space", "prompt", "level", "value", "ci_low", "ci_high", "n", "chance")
_PANELS = {"joint": "joint space", "pre_joint": "before the projection"}


def draw(metrics_paths: Sequence[str | Path], svg: str | Path) -> None:
    """Draw the accuracy of triplets by the levels of the tree that anchor and negative share.

    At level 0 the negative is of another family than the anchor; the deeper the level, the finer
    the distinction that is asked for. Protocol `corrected`, a panel for each space, a marker for
    each prompt, of which the first `len(drawing.SERIES)` are drawn.

    Args:
        metrics_paths: tidy tables with triplets of one system, one for each prompt.
        svg: the figure.
    """
    rows = [row for path in metrics_paths for row in by_level(tables.read(path))]
    if not rows:
        return style.save_reason("no triplets by level", svg)
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


def by_level(measured: tables.Table) -> list[dict[str, Any]]:
    """Rows of a tidy table that are drawn, with their `level`; none where it is unavailable."""
    if measured.unavailable:
        return []
    return [
        {**row, "level": int(row["metric"].removeprefix(_LEVEL))}
        for row in measured.data.to_pylist()
        if row["protocol"] == "corrected"
        and row["metric"].startswith(_LEVEL)
        and columns.is_number(row["value"])
    ]


def _draw(axes: Axes, rows: list[dict[str, Any]], prompts: list[str]) -> None:
    offsets = (np.arange(len(prompts)) - (len(prompts) - 1) / 2) * 0.5 / len(prompts)
    for number, prompt in enumerate(prompts):
        own = sorted((row for row in rows if row["prompt"] == prompt), key=itemgetter("level"))
        own = columns.of_rows(own, _COLUMNS)
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
