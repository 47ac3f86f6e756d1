"""Triplet accuracy by depth: how fine a relation of instruments the text vectors reproduce."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from listenread import tables
from listenread.report import drawing
from listenread.tidy import TIDY

_LEVEL = "accuracy_level_"
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
    frame = by_level([tables.read(path) for path in metrics_paths])
    if frame.empty:
        return drawing.save_reason("no triplets by level", svg)
    prompts = list(frame["prompt"].unique())[: len(drawing.SERIES)]
    frame = frame[frame["prompt"].isin(prompts)]
    spaces = [space for space in _PANELS if (frame["space"] == space).any()]
    figure, axes = drawing.new_figure(
        3.4 * len(spaces), 2.6, len(spaces), sharey=True, squeeze=False
    )
    for panel, space in zip(axes[0], spaces, strict=True):
        _draw(panel, frame[frame["space"] == space], prompts)
        drawing.label_axes(
            panel,
            "levels shared by anchor and negative",
            "accuracy" if panel is axes[0][0] else "",
            _PANELS[space],
        )
    if len(prompts) > 1:
        handles, names = axes[0][0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside upper left", ncols=min(len(prompts), 4))
    columns = ["space", "prompt", "level", "value", "ci_low", "ci_high", "n", "chance"]
    drawing.save(figure, frame[columns], svg)


def by_level(measured: Sequence[tables.Table]) -> pd.DataFrame:
    """Put the rows that are drawn together, with their `level`; tables may be unavailable."""
    frames = [one.data.to_pandas() for one in measured if not one.unavailable]
    rows = pd.concat(frames) if frames else TIDY.empty_table().to_pandas()
    rows = rows[
        (rows["protocol"] == "corrected")
        & rows["metric"].str.startswith(_LEVEL)
        & rows["value"].notna()
    ]
    return rows.assign(level=rows["metric"].str.removeprefix(_LEVEL).astype(int))


def _draw(axes: Axes, rows: pd.DataFrame, prompts: list[str]) -> None:
    offsets = (np.arange(len(prompts)) - (len(prompts) - 1) / 2) * 0.5 / len(prompts)
    for number, prompt in enumerate(prompts):
        own = rows[rows["prompt"] == prompt].sort_values("level")
        error = np.stack([own["value"] - own["ci_low"], own["ci_high"] - own["value"]])
        axes.errorbar(
            own["level"] + offsets[number],
            own["value"],
            yerr=None if np.isnan(error).any() else np.maximum(error, 0),
            color=drawing.SERIES[number],
            marker=drawing.MARKERS[number],
            markersize=4.5,
            markeredgecolor=drawing.INK,
            markeredgewidth=0.4,
            linewidth=1,
            label=prompt,
        )
    axes.axhline(0.5, color=drawing.INK, linestyle=":", linewidth=1)
    axes.annotate(
        "chance", (0, 0.5), (2, 1), xycoords=("axes fraction", "data"), fontsize=6,
        textcoords="offset points",
    )  # fmt: skip
    axes.set_xlim(left=rows["level"].min() - 0.6)
    axes.set_xticks(sorted(rows["level"].unique()))
    axes.set_ylim(-0.03, 1.03)
