"""What zero-shot, audio-only and probes share: classification measured in one way."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from listenread.metrics import zero_shot
from listenread.metrics.uncertainty import Measurement

SPACES = ("joint", "pre_joint")


def metric_names(top_k: Sequence[int]) -> list[str]:
    """Names of the metrics that every classification is measured with.

    >>> metric_names([1, 5])
    ['top_1', 'top_5', 'f1_weighted', 'f1_macro', 'roc_auc_macro', 'pr_auc_macro']
    """
    rest = [name for name in zero_shot.METRICS if not name.startswith("top_")]
    return [f"top_{k}" for k in top_k] + rest


def measure(
    scores: np.ndarray,
    labels: np.ndarray,
    *,
    top_k: Sequence[int],
    resamples: int,
    confidence: float,
    seed: int,
) -> list[Measurement]:
    """Measure scores of shape (n, C), or (V, n, C), with every metric of a classification."""
    return zero_shot.measure(
        scores,
        labels,
        metrics=metric_names(top_k),
        resamples=resamples,
        confidence=confidence,
        seed=seed,
    )


def folds_of(column: pa.ChunkedArray) -> np.ndarray | None:
    """A manifest's folds, int; None where there are fewer than two, or a clip has none."""
    if column.null_count:
        return None
    folds = column.to_numpy()
    return folds if len(np.unique(folds)) > 1 else None
