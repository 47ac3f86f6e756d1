"""Margin: the difference of a clip's two largest similarities, and whether it means anything.

Source of the margin as a measure of confidence: Vasilakis, Bittner and Pauwels, ISMIR 2024, arXiv
2407.18058. Reliability curve in bins of equal size: Nguyen and O'Connor, EMNLP 2015, arXiv
1508.05154.
"""

from typing import NamedTuple

import numpy as np

from listenread.errors import DataError
from listenread.metrics import one_vs_rest
from listenread.metrics.base import NO_CHANCE, Measurement, Metric, Resampling, Scale
from listenread.metrics.blocks import row_blocks
from listenread.metrics.scored import as_target, check, divide, predictions
from listenread.metrics.uncertainty import (
    deal,
    interval,
    jackknife,
    over_variants,
    replicate_blocks,
)

_REFERENCE = "this module: means and ROC-AUC (scikit-learn's roc_auc_score) of the margins"
MARGIN_RIGHT = Metric("margin_right", "margin right", None, 0.0, 2.0, NO_CHANCE, _REFERENCE)
MARGIN_WRONG = Metric("margin_wrong", "margin wrong", None, 0.0, 2.0, NO_CHANCE, _REFERENCE)
MARGIN_ROC_AUC = Metric("margin_roc_auc", "margin roc auc", "larger", 0.0, 1.0, 0.5, _REFERENCE)
ALL = (MARGIN_RIGHT, MARGIN_WRONG, MARGIN_ROC_AUC)


class Reliability(NamedTuple):
    """Accuracy by margin; each array has one entry a bin, from the smallest margin up.

    Attributes:
        margin_low: smallest margin in the bin.
        margin_high: largest margin in the bin.
        margin_mean: mean margin.
        n: clips, int64.
        top_1: share of them that is right.
        ci_low: lower end of its interval; NaN where there is none.
        ci_high: upper end.
    """

    margin_low: np.ndarray
    margin_high: np.ndarray
    margin_mean: np.ndarray
    n: np.ndarray
    top_1: np.ndarray
    ci_low: np.ndarray
    ci_high: np.ndarray


def margins(scores: np.ndarray) -> np.ndarray:
    """Difference of the two largest scores of each clip, shape (n,), at least 0.

    Raises:
        DataError: there are fewer than two classes.

    Example:
        >>> margins(np.array([[0.75, 0.25, 0.5]])).tolist()
        [0.25]
    """
    if scores.shape[1] < 2:
        raise DataError("a margin is the difference of two scores: two classes are needed")
    found = np.empty(len(scores), dtype=scores.dtype)
    for block in row_blocks(*scores.shape):
        second, first = np.partition(scores[block], -2, axis=1)[:, -2:].T
        found[block] = first - second
    return found


def reliability(
    scores: np.ndarray,
    labels: np.ndarray,
    *,
    bins: int,
    groups: np.ndarray,
    resampling: Resampling,
) -> Reliability:
    """Compute top-1 accuracy in bins of equally many clips, sorted by margin.

    Clips with the same margin stay in one bin, so bins may be fewer and of unequal size.

    Args:
        scores: shape (n, C), C at least 2.
        labels: shape (n,).
        bins: at most this many.
        groups: int, shape (n,): clips that are not independent share one.
        resampling: of the jackknife over groups of clips.

    Raises:
        DataError: see `scored.check`.
    """
    labels = check(scores, as_target(labels, scores.shape[1])).target.labels
    margin = margins(scores).astype(np.float64)  # (n,)
    right = predictions(scores) == labels  # (n,)
    inner = np.quantile(margin, np.arange(1, bins) / bins)
    _, bin_of = np.unique(np.searchsorted(inner, margin, "left"), return_inverse=True)
    member = bin_of == np.arange(bin_of.max() + 1)[:, None]  # (bins, n)
    sets, n_sets = deal(groups, resampling)
    replicates = np.empty((len(member), n_sets))
    for block, weights in replicate_blocks(
        sets, n_sets, resampling, bytes_per_replicate=16 * len(labels)
    ):
        replicates[:, block] = divide((member & right) @ weights, member @ weights)
    top_1 = np.array([right[m].mean() for m in member])
    ends = np.array(
        [
            interval(
                value,
                row,
                Scale(0, 1, share=True),
                len(np.unique(groups[m])),
                resampling.confidence_level,
            )[:2]
            for value, row, m in zip(top_1, replicates, member, strict=True)
        ]
    ).T  # (2, bins)
    return Reliability(
        np.array([margin[m].min() for m in member]),
        np.array([margin[m].max() for m in member]),
        np.array([margin[m].mean() for m in member]),
        member.sum(axis=1),
        top_1,
        *ends,
    )


def measure(
    scores: np.ndarray,
    labels: np.ndarray,
    groups: np.ndarray,
    resampling: Resampling,
) -> list[Measurement]:
    """Measure the margin and its relation to being right.

    `margin_right` and `margin_wrong` are the mean margins of clips that are classified right and
    wrong; `margin_roc_auc` is the chance that of a right and a wrong clip the right one has the
    larger margin (0.5: the margin says nothing). NaN where no clip is right, or none wrong.

    Args:
        scores: shape (n, C), or (V, n, C) for variants of one prompt, whose values are averaged.
        labels: shape (n,).
        groups: int, shape (n,): clips that are not independent share one.
        resampling: of the jackknife over groups of clips.

    Raises:
        DataError: see `scored.check`; fewer than two classes.
    """
    scores = np.asarray(scores)

    def measure_one(variant: np.ndarray) -> list[Measurement]:
        classes = check(variant, as_target(labels, variant.shape[1])).target.labels
        margin = margins(variant).astype(np.float64)
        right = predictions(variant) == classes
        return jackknife(
            lambda counts: _statistics(margin, right, counts),
            groups,
            ALL,
            resampling,
            chance={MARGIN_ROC_AUC.name: 0.5},
            bytes_per_replicate=64 * len(classes),
        )

    return over_variants(
        measure_one,
        scores if scores.ndim == 3 else scores[None],
        confidence_level=resampling.confidence_level,
    )


def _statistics(margin: np.ndarray, right: np.ndarray, counts: np.ndarray) -> dict[str, np.ndarray]:
    by_outcome = np.stack([right, ~right]).astype(np.float64)  # (2, n)
    number, total = by_outcome @ counts, (by_outcome * margin) @ counts
    return {
        MARGIN_RIGHT.name: divide(total[0], number[0]),
        MARGIN_WRONG.name: divide(total[1], number[1]),
        MARGIN_ROC_AUC.name: one_vs_rest.areas(margin, right, counts).roc_auc,
    }
