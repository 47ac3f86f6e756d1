"""How figures look and how they are saved: svg, pdf, and the csv that they draw.

Matplotlib is imported here and in the modules that draw, never by the page, which takes finished
files. The same data give the same bytes on every run.
"""

import textwrap
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from listenread.figures import columns
from listenread.figures.columns import Columns
from listenread.files import atomic
from listenread.files.tables import UNAVAILABLE

#: Colour-blind safe and apart in grey, too (Okabe and Ito, Color Universal Design, 2008).
BLUE, ORANGE, VERMILLION, GREEN, SKY, PURPLE = (
    "#0072b2",
    "#e69f00",
    "#d55e00",
    "#009e73",
    "#56b4e9",
    "#cc79a7",
)
SERIES = (BLUE, ORANGE, GREEN, PURPLE, VERMILLION, SKY)
#: One marker for each of `SERIES`, so that colour is never alone in telling models apart.
MARKERS = ("o", "s", "^", "D", "v", "P")
#: The page replaces these two by its own colours, so that figures follow light and dark.
INK, LINE = "#1f2328", "#d0d4d9"
#: Characters of a line, in a figure of one column that only says why it is empty.
_REASON_WIDTH = 44

_STYLE: dict[Any, Any] = {
    "text.parse_math": False,  # labels and prompts are shown as they are written
    "svg.fonttype": "none",  # text stays text: it can be read aloud, searched and edited
    "svg.hashsalt": "listenread",
    "pdf.fonttype": 42,
    "font.family": "sans-serif",
    "font.sans-serif": ["Helvetica", "Arial", "DejaVu Sans"],
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "figure.facecolor": "none",
    "figure.constrained_layout.use": True,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "lines.linewidth": 1.4,
    "hatch.linewidth": 0.6,
}


def new_figure(
    width: float, height: float, columns: int = 1, **keywords: Any
) -> tuple[Figure, Any]:
    """Make a figure in the house style without touching pyplot's global state.

    Args:
        width: in inches; 3.4 is one column of a two-column paper, 7 both.
        height: in inches.
        columns: panels next to one another.
        **keywords: for `Figure.subplots`.

    Returns:
        The figure and its axes: one, or an array of them.
    """
    matplotlib.rcParams.update(_STYLE)
    figure = Figure(figsize=(width, height))
    return figure, figure.subplots(1, columns, **keywords)


def save(figure: Figure, data: Columns, svg: str | Path) -> None:
    """Write a figure as svg and pdf, and as csv the numbers that it draws, next to one another.

    Args:
        figure: from `new_figure`.
        data: what is drawn, one value per mark in each column; numbers are written to six digits,
            and what is not a number is left empty.
        svg: path of the svg; the others differ in the suffix.
    """
    svg = Path(svg)
    matplotlib.rcParams.update(_STYLE)
    # Dates would give other bytes on every run.
    with (
        atomic.replacing(svg) as drawing,
        atomic.replacing(svg.with_suffix(".pdf")) as page,
        atomic.replacing(svg.with_suffix(".csv")) as numbers,
    ):
        figure.savefig(drawing, format="svg", metadata={"Date": None})
        figure.set_layout_engine("none")  # what was laid out stays, and the pdf is drawn once
        figure.savefig(page, format="pdf", metadata={"CreationDate": None})
        columns.write_csv(numbers, data)


def save_reason(reason: str, svg: str | Path) -> None:
    """Write a figure that says why there is nothing to draw."""
    # matplotlib wraps at blanks alone, and reasons have long paths in them
    lines = textwrap.wrap(f"Nothing to draw: {reason}", _REASON_WIDTH)
    figure, axes = new_figure(3.4, 0.3 + 0.17 * len(lines))
    axes.remove()
    figure.set_layout_engine("none")  # there is nothing to lay out, and it would complain
    figure.text(0.02, 0.5, "\n".join(lines), va="center")
    save(figure, {UNAVAILABLE: [reason]}, svg)


def error_bars(value: npt.ArrayLike, low: npt.ArrayLike, high: npt.ArrayLike) -> np.ndarray | None:
    """Lengths of error bars to both sides, as matplotlib takes them.

    Returns:
        float64, shape (2, n), at least 0; None where an end is not a number.
    """
    middle, lower, upper = (np.asarray(numbers, dtype=float) for numbers in (value, low, high))
    lengths = np.stack([middle - lower, upper - middle])  # (2, n)
    return None if np.isnan(lengths).any() else np.maximum(lengths, 0)


def label_axes(axes: Axes, x: str, y: str, title: str | None = None) -> None:
    """Name both axes and, where there are several panels, the panel."""
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    if title:
        axes.set_title(title)
