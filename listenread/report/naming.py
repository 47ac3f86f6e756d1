"""How metrics are called on the page and in figures."""

import re

#: How a metric is called in a heading, where its own name will not do.
_HEADINGS = {
    "f1_weighted": "F1, weighted",
    "f1_macro": "F1, macro",
    "roc_auc_macro": "ROC-AUC",
    "pr_auc_macro": "PR-AUC",
    "d_prime": "d\u2032",
}


def metric_name(metric: str) -> str:
    """Name a metric in a heading.

    >>> metric_name("top_5"), metric_name("pr_auc_macro"), metric_name("rank_correlation")
    ('top-5', 'PR-AUC', 'rank correlation')
    """
    if metric.endswith("_difference"):
        return f"Δ {metric_name(metric.removesuffix('_difference'))}"
    known = re.sub(r"^top_(\d+)", r"top-\1", metric)
    return _HEADINGS.get(metric, known.replace("_", " "))
