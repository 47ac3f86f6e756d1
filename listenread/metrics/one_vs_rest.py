"""Areas under the ROC and the precision-recall curve of one class against the rest."""

from typing import NamedTuple

import numpy as np

from listenread.metrics.uncertainty import sum_by_group


class Areas(NamedTuple):
    """Areas of one class, one value for each replicate.

    Attributes:
        roc_auc: float64 in [0, 1], shape (replicates,); NaN without positives or without negatives.
        pr_auc: float64 in [0, 1], shape (replicates,); NaN without positives, 1 without negatives.
    """

    roc_auc: np.ndarray
    pr_auc: np.ndarray


def areas(scores: np.ndarray, positive: np.ndarray, counts: np.ndarray) -> Areas:
    """Compute both areas on many replicates from one sort.

    ROC-AUC is the share of (positive, negative) pairs in the right order, a tie counting one half
    (Fawcett, Pattern Recognition Letters 27, 2006, section 7). PR-AUC is average precision, the sum
    over thresholds of precision times the gain in recall, without interpolation; equal scores share
    one threshold. Both are scikit-learn's `roc_auc_score` and `average_precision_score`, and the
    latter is what the released `PR-AUC` columns hold.

    The curves change only at the scores of positive clips, so the other clips are counted by the
    gap between two of these into which they fall: memory is that of the class, not of the dataset.

    Args:
        scores: float, shape (n,), finite.
        positive: bool, shape (n,): which clips are of the class.
        counts: shape (n, replicates): the weight of each clip, 0 where it is left out.

    Example:
        >>> scores = np.array([0.9, 0.8, 0.7, 0.6])
        >>> positive = np.array([True, False, True, False])
        >>> result = areas(scores, positive, np.ones((4, 1)))
        >>> result.roc_auc.tolist(), result.pr_auc.round(4).tolist()
        ([0.75], [0.8333])
    """
    replicates = counts.shape[1]
    if not positive.any():
        undefined = np.full(replicates, np.nan)
        return Areas(undefined, undefined.copy())
    thresholds, level = np.unique(scores[positive], return_inverse=True)
    # Even segments lie between two thresholds, odd ones on a threshold; positives come after them.
    n_segments = 2 * len(thresholds) + 1
    group = np.searchsorted(thresholds, scores, "left")
    group += np.searchsorted(thresholds, scores, "right")
    group[positive] = n_segments + level
    sums = sum_by_group(group, n_segments + len(thresholds), counts)
    misses, hits = sums[:n_segments], sums[n_segments:].astype(np.float64)
    below = np.cumsum(misses, axis=0, dtype=np.float64)
    return Areas(_roc_auc(hits, misses, below), _average_precision(hits, below))


def _roc_auc(hits: np.ndarray, misses: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Share of ordered pairs; `below` is the running sum of `misses` over segments."""
    ordered = np.einsum("tr,tr->r", hits, below[0:-1:2]) + 0.5 * np.einsum(
        "tr,tr->r", hits, misses[1::2]
    )
    pairs = hits.sum(axis=0) * below[-1]
    return np.divide(ordered, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0)


def _average_precision(hits: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Sum over thresholds of precision times the gain in recall."""
    true_positives = np.cumsum(hits[::-1], axis=0)[::-1]
    retrieved = below[-1] - below[0:-1:2]
    retrieved += true_positives
    # A threshold whose positives were not drawn gains no recall; 1 only avoids 0 / 0.
    np.maximum(retrieved, 1.0, out=retrieved)
    gained = np.einsum("tr,tr->r", hits, true_positives / retrieved)
    total = true_positives[0]
    return np.divide(gained, total, out=np.full(len(total), np.nan), where=total > 0)
