"""Results of a model in the shape of a Hugging Face model card's ``model-index``.

Source of the shape: https://huggingface.co/docs/hub/model-cards, "Evaluation results", and
`huggingface_hub.repocard_data`.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from listenread.metrics.base import Metric
from listenread.report.contents import MeasuredTask
from listenread.tasks.base import Task


def model_index(tidy: pd.DataFrame, model: str, tasks: Iterable[MeasuredTask]) -> dict[str, Any]:
    """Lay the results of one model out as a ``model-index``.

    Rows of unranked tables are not results of the model and are left out, as are undefined values:
    the hub has no NaN.

    Args:
        tidy: the tidy table of an experiment.
        model: its name.
        tasks: of the experiment.
    """
    of_row_task = {name: one for one in tasks for name in one.row_tasks_of_results}
    rows = tidy[(tidy["model"] == model) & tidy["value"].notna()]
    results = [
        {
            "task": _task(of_row_task[name].task, name),
            "dataset": {"name": dataset, "type": dataset},
            "metrics": [_metric(row, of_row_task[name].metrics) for row in part.itertuples()],
        }
        for (name, dataset), part in rows.groupby(["task", "dataset"], sort=False)
        if name in of_row_task
    ]
    return {"model-index": [{"name": model, "results": results}]}


def _task(task: Task, row_task: str) -> dict[str, str]:
    kind, name = task.hub_task or ("other", row_task.replace("_", " "))
    return {"type": kind, "name": name}


def _metric(row: Any, metrics: Mapping[str, Metric]) -> dict[str, Any]:
    settings = {
        name: getattr(row, name)
        for name in ("space", "prompt", "protocol")
        if isinstance(getattr(row, name), str)
    }
    ends = [row.ci_low, row.ci_high]
    if not pd.isna(ends).any():
        settings |= {"ci_low": row.ci_low, "ci_high": row.ci_high}
    described = ", ".join(v for k, v in settings.items() if isinstance(v, str))
    return {
        "type": metrics[row.metric].hub_name or row.metric,
        "name": f"{row.metric} ({described})" if described else row.metric,
        "value": row.value,
        "args": settings | {"n": int(row.n)},
    }
