"""Results of a system in the shape of a Hugging Face model card's ``model-index``.

Source of the shape: https://huggingface.co/docs/hub/model-cards, "Evaluation results", and
`huggingface_hub.repocard_data`.
"""

from typing import Any

import pandas as pd

_TASKS = {
    "zero_shot": ("zero-shot-audio-classification", "Zero-shot audio classification"),
    "audio_only": ("audio-classification", "Audio-only classification by class prototypes"),
}
#: Metrics under the names by which the hub knows them.
_HUB_NAMES = {
    "top_1": "accuracy",
    "f1_weighted": "f1",
    "f1_macro": "f1",
    "roc_auc_macro": "roc_auc",
    "pr_auc_macro": "average_precision",
}


def model_index(tidy: pd.DataFrame, model: str) -> dict[str, Any]:
    """Lay the results of one system out as a ``model-index``.

    Args:
        tidy: the tidy table of an experiment.
        model: whose rows are taken; undefined values are left out, the hub knows no NaN.
    """
    rows = tidy[(tidy["model"] == model) & tidy["value"].notna()]
    rows = rows[rows["task"] != "chance_by_permutation"]  # no result of the system
    results = [
        {
            "task": _task(task),
            "dataset": {"name": dataset, "type": dataset},
            "metrics": [_metric(row) for row in part.itertuples()],
        }
        for (task, dataset), part in rows.groupby(["task", "dataset"], sort=False)
    ]
    return {"model-index": [{"name": model, "results": results}]}


def _task(task: str) -> dict[str, str]:
    kind, name = _TASKS.get(task, ("other", task.replace("_", " ")))
    return {"type": kind, "name": name}


def _metric(row: Any) -> dict[str, Any]:
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
        "type": _HUB_NAMES.get(row.metric, row.metric),
        "name": f"{row.metric} ({described})" if described else row.metric,
        "value": row.value,
        "args": settings | {"n": int(row.n)},
    }
