"""The tidy table, laid out for reading: one row per thing compared, one column per metric."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd

#: What identifies a value of the tidy table besides its metric.
KEYS = ("dataset", "model", "task", "space", "prompt", "protocol")
#: How a metric is called in a heading, in the order of the columns.
NAMES = {
    "f1_weighted": "F1, weighted",
    "f1_macro": "F1, macro",
    "roc_auc_macro": "ROC-AUC",
    "pr_auc_macro": "PR-AUC",
}
BEST, AMONG_BEST = "best", "among the best"


@dataclass(frozen=True)
class Cell:
    """One number of a table.

    Attributes:
        value: as in the tidy table; NaN where the metric is undefined.
        low: lower end of its interval, NaN without one.
        high: upper end.
        mark: `BEST`, `AMONG_BEST` or empty; see `mark_best`.
    """

    value: float
    low: float
    high: float
    mark: str = ""


@dataclass(frozen=True)
class Row:
    """What is compared, and its numbers.

    Attributes:
        keys: the text of the key columns.
        cells: one per metric; None where there is no such number.
        chance: True for the row that states the chance level.
    """

    keys: tuple[str, ...]
    cells: tuple[Cell | None, ...]
    chance: bool = False


@dataclass(frozen=True)
class WideTable:
    """A table for reading.

    Attributes:
        key_names: headings of the key columns.
        metrics: names of the metrics, as in the tidy table.
        rows: in the order of the experiment; chance rows first for each dataset.
    """

    key_names: tuple[str, ...]
    metrics: tuple[str, ...]
    rows: list[Row] = field(default_factory=list)

    @property
    def headings(self) -> list[str]:
        """Headings of the metric columns."""
        return [metric_name(metric) for metric in self.metrics]


def metric_name(metric: str) -> str:
    """Name a metric in a heading.

    >>> metric_name("top_5"), metric_name("pr_auc_macro"), metric_name("accuracy")
    ('top-5', 'PR-AUC', 'accuracy')
    """
    if re.fullmatch(r"top_\d+", metric):
        return metric.replace("_", "-")
    return NAMES.get(metric, metric.replace("_", " "))


def metrics_of(tidy: pd.DataFrame) -> tuple[str, ...]:
    """Metrics of a part of the tidy table: in the order of their first occurrence."""
    return tuple(tidy["metric"].unique())


def widen(
    tidy: pd.DataFrame, keys: Sequence[str], metrics: Sequence[str], comparable: Sequence[str]
) -> WideTable:
    """Lay a part of the tidy table out.

    Args:
        tidy: rows of one task, with the columns of the tidy table.
        keys: columns that tell the rows apart, e.g. ``("dataset", "model", "prompt")``.
        metrics: the metrics wanted, as columns.
        comparable: the keys within which values may be compared: the best is looked for, and
            chance is stated, among rows that agree in these.
    """
    columns = [name for name in keys if tidy[name].nunique(dropna=False) > 1 or name == keys[-1]]
    table = WideTable(tuple(columns), tuple(metrics))
    order = list(dict.fromkeys(tidy[list(comparable)].itertuples(index=False, name=None)))
    groups = dict(list(tidy.groupby(list(comparable), dropna=False, sort=False)))
    for group_key in order:
        group = groups[group_key]
        rows = _rows(group, keys, metrics)
        chance = _chance_row(group, columns, metrics, comparable)
        if chance is not None:
            table.rows.append(chance)
        marked = mark_best([cells for _, cells in rows])
        for (row_keys, _), cells in zip(rows, marked, strict=True):
            shown = tuple(row_keys[list(keys).index(name)] for name in columns)
            table.rows.append(Row(shown, cells))
    return table


def _rows(
    group: pd.DataFrame, keys: Sequence[str], metrics: Sequence[str]
) -> list[tuple[tuple[str, ...], tuple[Cell | None, ...]]]:
    position = {metric: index for index, metric in enumerate(metrics)}
    rows: dict[tuple[str, ...], list[Cell | None]] = {}
    texts = [group[name].fillna("").astype(str) for name in keys]
    numbers = (group[name] for name in ("metric", "value", "ci_low", "ci_high"))
    for row_keys, metric, value, low, high in zip(zip(*texts, strict=True), *numbers, strict=True):
        if metric in position:
            cells = rows.setdefault(row_keys, [None] * len(metrics))
            cells[position[metric]] = Cell(value, low, high)
    return [(row_keys, tuple(cells)) for row_keys, cells in rows.items()]


def _chance_row(
    group: pd.DataFrame, columns: Sequence[str], metrics: Sequence[str], comparable: Sequence[str]
) -> Row | None:
    """The chance level of each metric; none where it differs within the group or is undefined."""
    cells: list[Cell | None] = []
    for metric in metrics:
        levels = group.loc[group["metric"] == metric, "chance"].dropna().unique()
        nan = float("nan")
        cells.append(Cell(float(levels[0]), nan, nan) if len(levels) == 1 else None)
    if not any(cells):
        return None
    first = group.iloc[0]
    keys = [str(first[name] or "") if name in comparable else "" for name in columns]
    keys[-1] = "chance"
    return Row(tuple(keys), tuple(cells), chance=True)


def mark_best(rows: Sequence[tuple[Cell | None, ...]]) -> list[tuple[Cell | None, ...]]:
    """Mark the best value of each column, as far as the intervals tell.

    The largest value is `BEST` when its interval lies above every other's. Otherwise it and all
    whose interval overlaps its own are `AMONG_BEST`. Values without an interval are never marked,
    nor is a column with a single value. Intervals that overlap do not prove that two values are
    equal; the rule errs on the side of not naming a winner.

    Example:
        >>> rows = [(Cell(0.9, 0.85, 0.95),), (Cell(0.5, 0.45, 0.55),), (Cell(0.4, 0.3, 0.5),)]
        >>> [cells[0].mark for cells in mark_best(rows)]
        ['best', '', '']
    """
    marked = [list(cells) for cells in rows]
    for column in range(len(rows[0]) if rows else 0):
        bounded = [cells for cells in marked if _has_interval(cells[column])]
        if len(bounded) < 2:
            continue
        top = max((cells[column] for cells in bounded), key=lambda cell: (cell.value, cell.low))
        near = [cells for cells in bounded if cells[column].high >= top.low]
        mark = BEST if len(near) == 1 else AMONG_BEST
        for cells in near:
            cell = cells[column]
            cells[column] = Cell(cell.value, cell.low, cell.high, mark)
    return [tuple(cells) for cells in marked]


def _has_interval(cell: Cell | None) -> bool:
    return cell is not None and not math.isnan(cell.low)
