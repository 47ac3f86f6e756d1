"""The tidy table, laid out for reading: one row per thing compared, one column per metric."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from listenread.metrics.base import Metric
from listenread.metrics.uncertainty import FEW_GROUPS
from listenread.tasks.claims import all_pairs, benjamini_hochberg, one_against_all
from listenread.tasks.tidy import REPLICATES

#: How a value is marked, by the number in `WideTable.mark`.
MARKS = ("", "among the best", "best")
_AMONG_BEST, _BEST = 1, 2
#: Rows that are compared pair by pair; of more only the best is with the others.
_ALL_PAIRS = 300
#: Added to it where the interval rests on few groups.
FEW = 4


@dataclass(frozen=True)
class WideTable:
    """A table for reading.

    Attributes:
        key_names: headings of the key columns.
        metrics: names of the m value columns: metrics, as in the tidy table.
        headings: of these.
        keys: the text of the key columns of each of the n rows.
        value: float64, shape (n, m); NaN where there is no such number.
        low: lower ends of the intervals, float64, shape (n, m); NaN where there is none.
        high: upper ends, of the same shape.
        mark: int8, shape (n, m), an index of `MARKS`, see `mark_best`, plus `FEW` where an interval
            rests on few groups.
        chance: bool, shape (n,): the rows that state a chance level.
    """

    key_names: tuple[str, ...]
    metrics: tuple[str, ...]
    headings: tuple[str, ...]
    keys: list[tuple[str, ...]]
    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    mark: np.ndarray
    chance: np.ndarray

    def __len__(self) -> int:
        """Count the rows, those of chance included."""
        return len(self.keys)

    def rows(self, most: int | None = None) -> Iterator[dict[str, Any]]:
        """Yield the first rows: their `keys`, whether they are `chance`, and their `cells`."""
        for row in range(len(self) if most is None else min(most, len(self))):
            cells = [
                {
                    "value": float(self.value[row, column]),
                    "low": float(self.low[row, column]),
                    "high": float(self.high[row, column]),
                    "mark": MARKS[self.mark[row, column] % FEW],
                    "few": bool(self.mark[row, column] >= FEW),
                }
                for column in range(len(self.metrics))
            ]
            yield {"keys": self.keys[row], "chance": bool(self.chance[row]), "cells": cells}


def widen(
    tidy: pd.DataFrame,
    keys: Sequence[str],
    comparable: Sequence[str],
    metrics: Sequence[Metric],
    *,
    ranked: bool = True,
    level_of_tests: float = 0.05,
) -> WideTable:
    """Lay a part of the tidy table out.

    Key columns in which all rows agree are left out, but for the last.

    Args:
        tidy: rows with the columns of the tidy table.
        keys: columns that identify a row, e.g. ``("dataset", "model", "prompt")``.
        comparable: some of the keys; the best is looked for, and chance is stated, among rows that
            agree in these.
        metrics: all that rows can have, in the order of the columns.
        ranked: whether the best values are marked.
        level_of_tests: see `mark_best`.
    """
    tidy = tidy.assign(**{name: tidy[name].fillna("").astype(str) for name in keys})
    there = set(tidy["metric"])
    metrics = [metric for metric in metrics if metric.name in there]
    row_of = tidy.groupby(list(keys), sort=False).ngroup().to_numpy()
    group_of = tidy.groupby(list(comparable), sort=False).ngroup().to_numpy()
    firsts = np.unique(row_of, return_index=True)[1]
    shape = (len(firsts), len(metrics))
    place = (
        row_of,
        tidy["metric"].map({metric.name: i for i, metric in enumerate(metrics)}).to_numpy(int),
    )
    value, low, high = (np.full(shape, np.nan) for _ in range(3))
    for array, name in ((value, "value"), (low, "ci_low"), (high, "ci_high")):
        array[place] = tidy[name]
    chance, groups = np.full(shape, np.nan), np.full(shape, np.nan)
    chance[place], groups[place] = tidy["chance"], tidy["n_groups"]
    replicates = np.full(shape, None, dtype=object)
    if REPLICATES in tidy:
        for row, column, cell in zip(*place, tidy[REPLICATES], strict=True):
            replicates[row, column] = cell
    few = np.zeros(shape, dtype=np.int8)
    few[place] = np.where(tidy["interval"] == FEW_GROUPS, FEW, 0)
    shown = [name for name in keys if tidy[name].nunique() > 1 or name == keys[-1]]
    row_keys = list(tidy.iloc[firsts][shown].itertuples(index=False, name=None))
    parts = []
    for group in range(group_of.max() + 1 if len(group_of) else 0):
        rows = np.flatnonzero(group_of[firsts] == group)
        level = _common(chance[rows])
        if not np.isnan(level).all():
            example = dict(zip(shown, row_keys[rows[0]], strict=True))
            labels = [example[name] if name in comparable else "" for name in shown[:-1]]
            nothing = np.full((1, len(metrics)), np.nan)
            parts.append(([(*labels, "chance")], level[None], nothing, nothing, 0 * nothing, True))
        better = [metric.better if ranked else None for metric in metrics]
        mark = mark_best(value[rows], replicates[rows], groups[rows], better, level_of_tests)
        mark |= few[rows]
        parts.append(([row_keys[r] for r in rows], value[rows], low[rows], high[rows], mark, False))
    return _joined(tuple(shown), metrics, parts)


def _joined(key_names: tuple[str, ...], metrics: Sequence[Metric], parts: list[tuple]) -> WideTable:
    empty = np.empty((0, len(metrics)))
    value, low, high, mark = (
        np.concatenate([empty, *(part[index] for part in parts)]) for index in (1, 2, 3, 4)
    )
    return WideTable(
        key_names,
        tuple(metric.name for metric in metrics),
        tuple(metric.title for metric in metrics),
        [key for part in parts for key in part[0]],
        value,
        low,
        high,
        np.nan_to_num(mark).astype(np.int8),
        np.array([part[5] for part in parts for _ in part[0]], dtype=bool),
    )


def _common(levels: np.ndarray) -> np.ndarray:
    """The value that all rows of a column agree in, ignoring NaN; NaN where they do not."""
    low = np.fmin.reduce(levels, axis=0)
    return np.where(low == np.fmax.reduce(levels, axis=0), low, np.nan)


def compared_with_paper(paper: pd.DataFrame) -> WideTable:
    """Lay the comparison with published numbers out, computed ones first; nothing is marked.

    Args:
        paper: `system, task, space, prompt, metric, published, ours, ci_low, ci_high, delta,
            verdict`, one row for each published number; reasons follow a colon in the verdict.
    """
    paper = paper.sort_values("ours", key=pd.isna, kind="stable")
    keys = ["system", "task", "space", "prompt", "verdict", "metric"]
    texts = paper.assign(verdict=paper["verdict"].str.partition(":")[0])[keys].fillna("")
    value = paper[["published", "ours", "delta"]].to_numpy(dtype=float)
    low, high = np.full(value.shape, np.nan), np.full(value.shape, np.nan)
    low[:, 1], high[:, 1] = paper["ci_low"], paper["ci_high"]
    return WideTable(
        tuple(keys),
        ("published", "ours", "delta"),
        ("published", "ours", "delta"),
        list(texts.itertuples(index=False, name=None)),
        value,
        low,
        high,
        np.zeros(value.shape, dtype=np.int8),
        np.zeros(len(paper), dtype=bool),
    )


def mark_best(
    value: np.ndarray,
    replicates: np.ndarray,
    groups: np.ndarray,
    better: Sequence[Literal["larger", "smaller"] | None],
    level: float,
) -> np.ndarray:
    """Mark the best value of each column, as far as paired differences tell.

    The best value is marked alone where its difference from every other is beyond chance.
    Otherwise it is marked together with those from which it cannot be told, unless these are all.
    All pairs of a column are one family of tests: the best was chosen among them. Values without
    replicates are never marked, nor a column whose values do not rest on the same clips.

    Args:
        value: shape (n, m).
        replicates: object array of the same shape: float64 of shape (R,), or None.
        groups: how many groups of clips the values rest on, shape (n, m).
        better: which direction is better, for each of the m metrics; None for neither.
        level: of the tests, which are corrected by the method of Benjamini and Hochberg; by
            Bonferroni's where there are more than some hundred values.

    Returns:
        int8, shape (n, m), indices of `MARKS`.

    Example:
        >>> replicates = np.empty((2, 1), dtype=object)
        >>> replicates[:, 0] = [np.array([0.90, 0.91, 0.92]), np.array([0.51, 0.52, 0.53])]
        >>> value, groups = np.array([[0.91], [0.52]]), np.array([[3], [3]])
        >>> mark_best(value, replicates, groups, ["larger"], 0.05).tolist()
        [[2], [0]]
    """
    mark = np.zeros(value.shape, dtype=np.int8)
    for column, direction in enumerate(better):
        bounded = np.flatnonzero([_varies(cell) for cell in replicates[:, column]])
        bounded = bounded[~np.isnan(value[bounded, column])]
        sizes = {(len(replicates[row, column]), int(groups[row, column])) for row in bounded}
        if len(bounded) < 2 or len(sizes) != 1 or direction is None:
            continue
        numbers, samples = value[bounded, column], np.stack(replicates[bounded, column])
        freedom = min(*sizes.pop()) - 1
        best = int((numbers * (-1 if direction == "smaller" else 1)).argmax())
        near = _adjusted(numbers, samples, freedom, best) > level
        near[best] = True
        if near.sum() == 1:
            mark[bounded[best], column] = _BEST
        elif not near.all():
            mark[bounded[near], column] = _AMONG_BEST
    return mark


def _adjusted(values: np.ndarray, replicates: np.ndarray, freedom: int, best: int) -> np.ndarray:
    """p of each value against the best one, corrected for all pairs, shape (k,)."""
    k = len(values)
    if k > _ALL_PAIRS:  # Bonferroni's bound is on the safe side
        p = one_against_all(values, replicates, freedom, best)
        return np.minimum(p * k * (k - 1) / 2, 1)
    p = all_pairs(values, replicates, freedom)  # (k, k)
    upper = np.triu_indices(k, 1)
    p[upper] = benjamini_hochberg(p[upper])
    return np.where(np.arange(k) > best, p[best], p[:, best])


def _varies(replicates: np.ndarray | None) -> bool:
    return replicates is not None and len(replicates) > 1 and not np.isnan(replicates).any()
