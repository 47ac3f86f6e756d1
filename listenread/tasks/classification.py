"""What zero-shot, audio-only and probes share: classification measured in one way."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from listenread.datasets.manifest import Manifest
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


def folds_of(manifest: Manifest, clip_ids: pa.ChunkedArray) -> np.ndarray | None:
    """Folds of some clips, int; None where there are fewer than two, or a clip has none.

    Released vectors may stand in another order than the manifest, hence by `clip_id`.
    """
    table = manifest.table.select(["clip_id", "fold"]).to_pylist()
    fold_of = {row["clip_id"]: row["fold"] for row in table}
    folds = [fold_of[clip_id] for clip_id in clip_ids.to_pylist()]
    if None in folds or len(set(folds)) < 2:
        return None
    return np.array(folds)
