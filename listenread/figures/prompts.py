"""Prompts by models: one metric of every prompt with its interval, a marker for each model."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from listenread.errors import Unavailable
from listenread.figures import columns, style
from listenread.figures.settings import IntervalSettings
from listenread.metrics.classification import top
from listenread.tasks.cell import Cell

#: Beyond these a figure cannot be read; the tables hold the rest.
MOST_PROMPTS, MOST_MODELS = 40, len(style.SERIES)
_COLUMNS = ("model", "prompt", "metric", "value", "ci_low", "ci_high", "n", "chance")


def draw(cell: Cell, svg: Path, settings: IntervalSettings) -> None:
    """Draw a dataset's zero-shot top-k accuracy, for the smallest k.

    At most `MOST_PROMPTS` prompts and `MOST_MODELS` models are drawn, the first of the
    experiment; the csv holds exactly what is drawn.
    """
    metric = top(min(settings.top_k))
    rows = [
        row
        for row in cell.rows("zero_shot")
        if row["metric"] == metric.name and columns.is_number(row["value"])
    ]
    if not rows:
        raise Unavailable(f"no zero-shot {metric.title} on {cell.keys['dataset']}")
    prompts = list(dict.fromkeys(row["prompt"] for row in rows))[:MOST_PROMPTS]
    models = list(dict.fromkeys(row["model"] for row in rows))[:MOST_MODELS]
    rows = [row for row in rows if row["prompt"] in prompts and row["model"] in models]
    height = 1.0 + len(prompts) * max(0.26, 0.11 * len(models))
    figure, axes = style.new_figure(6.8, height)
    _draw(axes, rows, prompts, models)
    style.label_axes(axes, f"zero-shot {metric.title}", "")
    style.save(figure, columns.of_rows(rows, _COLUMNS), svg)


def _draw(axes: Axes, rows: list[dict[str, Any]], prompts: list[str], models: list[str]) -> None:
    offsets = (np.arange(len(models)) - (len(models) - 1) / 2) * 0.7 / max(len(models), 1)
    for number, model in enumerate(models):
        own = columns.of_rows([row for row in rows if row["model"] == model], _COLUMNS)
        y = np.array([prompts.index(name) for name in own["prompt"]]) + offsets[number]
        axes.errorbar(
            own["value"],
            y,
            xerr=style.error_bars(own["value"], own["ci_low"], own["ci_high"]),
            fmt=style.MARKERS[number],
            markersize=4.5,
            color=style.SERIES[number],
            markeredgecolor=style.INK,
            markeredgewidth=0.4,
            label=model,
        )
    for level in dict.fromkeys(row["chance"] for row in rows if columns.is_number(row["chance"])):
        axes.axvline(level, color=style.INK, linestyle=":", linewidth=1)
        axes.annotate(
            "chance",
            (level, 1),
            (2, -2),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            va="top",
            fontsize=7,
        )
    axes.set_yticks(range(len(prompts)), prompts)
    axes.set_ylim(len(prompts) - 0.4, -0.6)
    axes.set_xlim(left=min(0.0, axes.get_xlim()[0]))
    if len(models) > 1:
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=min(len(models), 3))
