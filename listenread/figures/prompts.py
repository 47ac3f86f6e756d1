"""Prompts by systems: one metric of every prompt with its interval, a marker for each system."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from listenread.figures import columns, style
from listenread.files import tables
from listenread.report.naming import metric_name

#: Beyond these a figure cannot be read; the tables hold the rest.
MOST_PROMPTS, MOST_SYSTEMS = 40, len(style.SERIES)
_COLUMNS = ("model", "prompt", "metric", "value", "ci_low", "ci_high", "n", "chance")


def draw(
    metrics_paths: Sequence[str | Path], svg: str | Path, *, dataset: str, metric: str
) -> None:
    """Draw a dataset's zero-shot values of one metric.

    At most `MOST_PROMPTS` prompts and `MOST_SYSTEMS` systems are drawn, the first of the
    experiment; the csv holds exactly what is drawn.

    Args:
        metrics_paths: tidy tables of the task, one for each system and prompt, in the order of the
            experiment.
        svg: the figure.
        dataset: whose rows are drawn.
        metric: a metric of the task `zero_shot`.
    """
    rows = [row for path in metrics_paths for row in _measured(tables.read(path), metric)]
    if not rows:
        return style.save_reason(f"no zero-shot {metric_name(metric)} on {dataset}", svg)
    prompts = list(dict.fromkeys(row["prompt"] for row in rows))[:MOST_PROMPTS]
    models = list(dict.fromkeys(row["model"] for row in rows))[:MOST_SYSTEMS]
    rows = [row for row in rows if row["prompt"] in prompts and row["model"] in models]
    height = 1.0 + len(prompts) * max(0.26, 0.11 * len(models))
    figure, axes = style.new_figure(6.8, height)
    _draw(axes, rows, prompts, models)
    style.label_axes(axes, f"zero-shot {metric_name(metric)}", "")
    style.save(figure, columns.of_rows(rows, _COLUMNS), svg)


def _measured(table: tables.Table, metric: str) -> list[dict[str, Any]]:
    """Rows of a tidy table that are drawn; none where it is unavailable."""
    if table.unavailable:
        return []
    return [
        row
        for row in table.data.select(["task", *_COLUMNS]).to_pylist()
        if row["task"] == "zero_shot"
        and row["metric"] == metric
        and columns.is_number(row["value"])
    ]


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
