"""Prompts by systems: one metric of every prompt with its interval, a marker for each system."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from matplotlib.axes import Axes

from listenread import tables
from listenread.report import drawing
from listenread.report.wide import metric_name
from listenread.tidy import TIDY

#: Beyond these a figure cannot be read; the tables hold the rest.
MOST_PROMPTS, MOST_SYSTEMS = 40, len(drawing.SERIES)


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
    read = [tables.read(path) for path in metrics_paths]
    parts = [one.data.select(TIDY.names) for one in read if not one.unavailable]
    rows = pa.concat_tables([TIDY.empty_table(), *parts]).to_pandas()
    rows = rows[(rows["task"] == "zero_shot") & (rows["metric"] == metric) & rows["value"].notna()]
    if rows.empty:
        return drawing.save_reason(f"no zero-shot {metric_name(metric)} on {dataset}", svg)
    prompts = list(rows["prompt"].unique())[:MOST_PROMPTS]
    models = list(rows["model"].unique())[:MOST_SYSTEMS]
    rows = rows[rows["prompt"].isin(prompts) & rows["model"].isin(models)]
    height = 1.0 + len(prompts) * max(0.26, 0.11 * len(models))
    figure, axes = drawing.new_figure(6.8, height)
    _draw(axes, rows, prompts, models)
    drawing.label_axes(axes, f"zero-shot {metric_name(metric)}", "")
    columns = ["model", "prompt", "metric", "value", "ci_low", "ci_high", "n", "chance"]
    drawing.save(figure, rows[columns], svg)


def _draw(axes: Axes, rows: pd.DataFrame, prompts: list[str], models: list[str]) -> None:
    offsets = (np.arange(len(models)) - (len(models) - 1) / 2) * 0.7 / max(len(models), 1)
    for number, model in enumerate(models):
        own = rows[rows["model"] == model]
        y = np.array([prompts.index(name) for name in own["prompt"]]) + offsets[number]
        error = np.stack([own["value"] - own["ci_low"], own["ci_high"] - own["value"]])
        axes.errorbar(
            own["value"],
            y,
            xerr=None if np.isnan(error).any() else np.maximum(error, 0),
            fmt=drawing.MARKERS[number],
            markersize=4.5,
            color=drawing.SERIES[number],
            markeredgecolor=drawing.INK,
            markeredgewidth=0.4,
            label=model,
        )
    for level in rows["chance"].dropna().unique():
        axes.axvline(level, color=drawing.INK, linestyle=":", linewidth=1)
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
