"""What a figure draws: columns by name, of equal length, as in a data frame.

Plain sequences and arrays, for pandas takes longer to import than most figures take to draw.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from listenread.files.spreadsheets import literal

#: Column names -> values, all of one length.
Columns = Mapping[str, Sequence[Any] | np.ndarray]


def of_rows(rows: Iterable[Mapping[str, Any]], names: Iterable[str]) -> dict[str, list]:
    """Turn rows into the columns of these names.

    >>> of_rows([{"x": 1, "y": 2}, {"x": 3, "y": 4}], ["y"])
    {'y': [2, 4]}
    """
    rows = list(rows)
    return {name: [row[name] for row in rows] for name in names}


def is_number(value: float | None) -> bool:
    """Whether a cell of a table holds a number.

    >>> is_number(0.5), is_number(None), is_number(float("nan"))
    (True, False, False)
    """
    return value is not None and not np.isnan(value)


def named(part: Columns, **constants: str) -> dict[str, Any]:
    """Add columns that are the same in every row.

    >>> named({"x": [1, 2]}, panel="left")
    {'x': [1, 2], 'panel': ['left', 'left']}
    """
    return {**part, **{name: [text] * _length(part) for name, text in constants.items()}}


def stacked(parts: Sequence[Columns]) -> dict[str, list]:
    """Put columns one below the other; what a part does not have is None.

    >>> stacked([{"x": [1, 2]}, {"x": [3], "y": ["a"]}])
    {'x': [1, 2, 3], 'y': [None, None, 'a']}
    """
    names = dict.fromkeys(name for part in parts for name in part)
    return {
        name: [value for part in parts for value in part.get(name, [None] * _length(part))]
        for name in names
    }


def write_csv(path: Path, data: Columns) -> None:
    """Write columns as csv: numbers to six digits, and nothing where there is no number."""
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(map(_cell, data))
        lines.writerows(zip(*(map(_cell, column) for column in data.values()), strict=True))


def _cell(value: Any) -> Any:
    if isinstance(value, (float, np.floating)):
        return "" if np.isnan(value) else f"{value:.6g}"
    return literal(value)


def _length(part: Columns) -> int:
    return len(next(iter(part.values()), ()))
