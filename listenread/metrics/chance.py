"""Chance level by permutation: what the scores at hand earn when they belong to other clips.

Labels are permuted among clips. This keeps what a chance level by definition ignores: how often
each class occurs and how often each is predicted. The scores are ranked once, for all permutations.

Source: Ojala and Garriga, Journal of Machine Learning Research 11, 2010, test 1.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from listenread.metrics import zero_shot

#: Rows of scores that are copied at a time.
_ROWS = 65_536


def by_permutation(
    scores: np.ndarray,
    labels: np.ndarray,
    *,
    metrics: Sequence[str] = zero_shot.METRICS,
    permutations: int,
    seed: int,
    max_bytes: int = zero_shot.BLOCK_BYTES,
) -> dict[str, np.ndarray]:
    """Compute the named metrics for permuted labels.

    Args:
        scores: shape (n, C).
        labels: shape (n,).
        metrics: names.
        permutations: how many.
        seed: permutation `p` is drawn from a generator seeded with ``(seed, p)``.
        max_bytes: memory for one block of permutations.

    Returns:
        For each metric float64 of shape (permutations,). Their mean is the chance level, their
        upper quantiles are what luck alone can reach.

    Raises:
        DataError: see `zero_shot.check`.
        ConfigError: a name that no metric has.

    Example:
        >>> labels = np.repeat([0, 1], 50)
        >>> by_luck = by_permutation(np.eye(2)[labels], labels, permutations=200, seed=0)
        >>> round(by_luck["top_1"].mean(), 1), round(by_luck["roc_auc_macro"].mean(), 1)
        (np.float64(0.5), np.float64(0.5))
    """
    labels = zero_shot.check(scores, labels)
    zero_shot.check_metrics(metrics)
    # Class c gets the clips in its slice of the permutation, as many as it has.
    by_class = np.sort(labels)
    ends = np.searchsorted(by_class, np.arange(scores.shape[1] + 1))
    slices = [slice(a, b) for a, b in pairwise(ends)]
    results = {metric: np.empty(permutations) for metric in metrics}
    depths = [int(metric.removeprefix("top_")) for metric in metrics if metric.startswith("top_")]
    first = first_classes(scores, max(depths, default=0))
    size = int(np.clip(max_bytes // (48 * len(labels)), 1, max(permutations, 1)))
    for start in range(0, permutations, size):
        stop = min(start + size, permutations)
        shuffled = np.stack(
            [np.random.default_rng([seed, p]).permutation(len(labels)) for p in range(start, stop)]
        )
        values = _evaluate(scores, first, by_class, slices, shuffled, metrics)
        for metric in metrics:
            results[metric][start:stop] = values[metric]
    return results


def p_value(value: float, by_luck: np.ndarray) -> float:
    """Share of permutations, the real one included, that do at least as well as `value`.

    Example:
        >>> p_value(0.9, np.array([0.1, 0.2, 0.95]))
        0.5
    """
    return float((1 + np.sum(by_luck >= value)) / (1 + len(by_luck)))


def first_classes(scores: np.ndarray, depth: int) -> np.ndarray:
    """The classes with the largest scores of each clip, intp, shape (n, min(depth, C)).

    Equal scores rank by class index, as everywhere.

    Example:
        >>> first_classes(np.array([[0.1, 0.5, 0.5], [0.9, 0.2, 0.3]]), 2).tolist()
        [[1, 2], [0, 2]]
    """
    n, n_classes = scores.shape
    found = np.empty((n, min(depth, n_classes)), dtype=np.intp)
    for start in range(0, n, _ROWS):
        rows = np.array(scores[start : start + _ROWS])
        for position in range(found.shape[1]):
            best = rows.argmax(axis=1)
            found[start : start + _ROWS, position] = best
            np.put_along_axis(rows, best[:, None], -np.inf, axis=1)
    return found


def _evaluate(
    scores: np.ndarray,
    first: np.ndarray,
    labels: np.ndarray,
    slices: list[slice],
    shuffled: np.ndarray,
    metrics: Sequence[str],
) -> dict[str, np.ndarray]:
    """All metrics of a block; `labels` are sorted, `shuffled` (P, n) says which clip gets which."""
    results: dict[str, np.ndarray] = {}
    depths = [int(metric.removeprefix("top_")) for metric in metrics if metric.startswith("top_")]
    if depths:
        found = np.stack([(first[clips] == labels[:, None]).mean(axis=0) for clips in shuffled])
        up_to = found.cumsum(axis=1)
        results |= {f"top_{k}": up_to[:, min(k, first.shape[1]) - 1] for k in depths}
    if any(metric.startswith("f1_") for metric in metrics):
        results |= _f1(zero_shot.predictions(scores), slices, shuffled)
    if any("_auc_" in metric for metric in metrics):
        areas = [
            _areas(np.ascontiguousarray(scores[:, index]), shuffled[:, clips])
            for index, clips in enumerate(slices)
            if clips.start < clips.stop
        ]
        for position, metric in enumerate(("roc_auc_macro", "pr_auc_macro")):
            results[metric] = np.mean([area[position] for area in areas], axis=0)
    return {metric: results[metric] for metric in metrics}


def _f1(predicted: np.ndarray, slices: list[slice], shuffled: np.ndarray) -> dict[str, np.ndarray]:
    given = np.bincount(predicted, minlength=len(slices))
    support = np.array([clips.stop - clips.start for clips in slices])
    hits = np.stack(
        [(predicted[shuffled[:, c]] == index).sum(axis=1) for index, c in enumerate(slices)], axis=1
    )
    present = support > 0
    by_class = (2 * hits / np.maximum(given + support, 1))[:, present]
    return {
        "f1_weighted": np.average(by_class, axis=1, weights=support[present]),
        "f1_macro": by_class.mean(axis=1),
    }


def _areas(scores: np.ndarray, positives: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """ROC-AUC and average precision of one class, for the positives (P, m) of each permutation."""
    n, m = len(scores), positives.shape[1]
    ordered = np.sort(scores)
    below = np.searchsorted(ordered, scores, "left")
    up_to = np.searchsorted(ordered, scores, "right")
    average_rank = (below + up_to + 1) / 2
    pairs = m * (n - m)
    rank_sum = average_rank[positives].sum(axis=1)
    roc_auc = (rank_sum - m * (m + 1) / 2) / pairs if pairs else np.full(len(positives), np.nan)
    retrieved = np.sort((n - below)[positives], axis=1)
    # Positives with equal scores share a threshold: all of them count as found at the last one.
    found = np.broadcast_to(np.arange(1, m + 1), retrieved.shape)
    last = np.ones(retrieved.shape, dtype=bool)
    last[:, :-1] = retrieved[:, :-1] != retrieved[:, 1:]
    found = np.minimum.accumulate(np.where(last, found, m)[:, ::-1], axis=1)[:, ::-1]
    return roc_auc, (found / retrieved).mean(axis=1)
