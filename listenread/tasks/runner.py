"""How a task runs: its rows are checked, completed with the columns of the cell, and written."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from listenread.errors import ListenreadError, Unavailable
from listenread.files import tables
from listenread.metrics.base import Resampling
from listenread.tasks import tidy
from listenread.tasks.base import TASKS, Row, Task
from listenread.tasks.cell import Cell


def measure_cell(
    task: str,
    cell: Cell,
    settings: Mapping[str, Any],
    resampling: Mapping[str, Any],
    output: str | Path,
    per_class_output: str | Path | None = None,
) -> None:
    """Measure one cell and write its rows; where there is nothing to measure, the reason.

    Args:
        task: name of a built-in task, or ``package.module:NAME``.
        cell: what the task reads.
        settings: of the task.
        resampling: fields of `Resampling`.
        output: the tidy table to write.
        per_class_output: the table of classes or anchors, for a task that has one.

    Raises:
        ListenreadError: the task gives rows that it did not announce.
    """
    found = TASKS.find(task)
    facts: dict[str, Any] = {**cell.keys, "task": found.all_row_tasks[0]}
    outputs = [path for path in (output, per_class_output) if path is not None]
    try:
        rows = collect(found, cell, found.settings(**settings), Resampling(**resampling))
    except Unavailable as error:
        for path in outputs:
            tables.write_unavailable(path, str(error), **facts)
        return
    facts["missing_spaces"] = cell.missing
    whole = [row for row in rows if row["label"] is None]
    tidy.write(output, whole, **facts, **cell.facts)
    if per_class_output is not None:
        labelled = [row for row in rows if row["label"] is not None]
        tidy.write(per_class_output, labelled, tidy.PER_CLASS, **facts)


def collect(task: Task, cell: Cell, settings: Any, resampling: Resampling) -> list[dict[str, Any]]:
    """Run a task on a cell and give its rows, checked against what the task announces.

    Raises:
        ListenreadError: a row has a metric or a task that was not announced.
        Unavailable: there is nothing to measure.
    """
    metrics = {metric.name for metric in task.metrics(settings)}
    rows = []
    for row in task.measure(cell, settings, resampling):
        problem = _problem(task, row, metrics)
        if problem:
            raise ListenreadError(f"{task.measure.__module__}: the task `{task.name}` {problem}")
        one = row.measurement
        rows.append(
            {
                **{"dataset": None, "model": None, "prompt": None},
                **cell.keys,
                "task": row.task or task.all_row_tasks[0],
                "space": row.space,
                **({"prompt": row.prompt} if row.prompt is not None else {}),
                "protocol": row.protocol,
                "label": row.label,
                "metric": one.metric,
                "value": one.value,
                "ci_low": one.ci_low,
                "ci_high": one.ci_high,
                "n": one.n,
                "chance": one.chance,
                "n_groups": one.n_groups,
                "interval": one.interval or None,
                "p": one.p,
                tidy.REPLICATES: one.replicates,
            }
        )
    return rows


def _problem(task: Task, row: Row, metrics: set[str]) -> str | None:
    if row.measurement.metric not in metrics:
        return f"gives the metric `{row.measurement.metric}`, which its `metrics` does not list"
    if row.task is not None and row.task not in task.all_row_tasks:
        return f"gives rows of the task `{row.task}`, which its `row_tasks` does not list"
    if row.label is not None and not task.per_class:
        return "gives rows with a label, but `per_class` is not set"
    return None
