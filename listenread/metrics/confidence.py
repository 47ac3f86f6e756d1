"""Confidence: the difference of a clip's two largest similarities, and whether it means anything.

Source of the difference as confidence: Vasilakis, Bittner and Pauwels, ISMIR 2024, arXiv
2407.18058. Reliability curve in bins of equal size: Nguyen and O'Connor, EMNLP 2015, arXiv
1508.05154.
"""

from typing import NamedTuple

import numpy as np

from listenread.errors import DataError
from listenread.metrics import one_vs_rest, zero_shot
from listenread.metrics.blocks import row_blocks
from listenread.metrics.uncertainty import Measurement, bootstrap, over_variants, resample_blocks


class Reliability(NamedTuple):
    """Accuracy by confidence; each array has one entry a bin, from the least confident up.

    Attributes:
        margin_low: smallest margin in the bin.
        margin_high: largest margin in the bin.
        margin_mean: mean margin.
        n: clips, int64.
        top_1: share of them that is right.
        ci_low: lower end of its interval; NaN without resamples.
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
        raise DataError("confidence is the difference of two scores: two classes are needed")
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
    resamples: int,
    confidence: float,
    seed: int,
    max_bytes: int = 2**30,
) -> Reliability:
    """Compute top-1 accuracy in bins of equally many clips, sorted by margin.

    Clips with the same margin stay in one bin, so bins may be fewer and of unequal size.

    Args:
        scores: shape (n, C), C at least 2.
        labels: shape (n,).
        bins: at most this many.
        resamples: of the stratified bootstrap over clips; 0 for no interval.
        confidence: of the interval, e.g. 0.95.
        seed: of the bootstrap.
        max_bytes: memory for one block of resamples.

    Raises:
        DataError: see `zero_shot.check`.
    """
    labels = zero_shot.check(scores, labels)
    margin = margins(scores).astype(np.float64)
    right = zero_shot.predictions(scores) == labels
    inner = np.quantile(margin, np.arange(1, bins) / bins)
    _, bin_of = np.unique(np.searchsorted(inner, margin, "left"), return_inverse=True)
    member = bin_of == np.arange(bin_of.max() + 1)[:, None]
    replicates = np.full((len(member), resamples), np.nan)
    blocks = resample_blocks(
        labels,
        resamples=resamples,
        seed=seed,
        bytes_per_resample=16 * len(labels),
        max_bytes=max_bytes,
    )
    for block, counts in blocks:
        drawn, hits = member @ counts, (member & right) @ counts
        replicates[:, block] = zero_shot.divide(hits, drawn)
    ends = np.full((2, len(member)), np.nan)
    if resamples:
        tail = (1 - confidence) / 2
        ends = np.nanquantile(replicates, [tail, 1 - tail], axis=1)
    return Reliability(
        np.array([margin[m].min() for m in member]),
        np.array([margin[m].max() for m in member]),
        np.array([margin[m].mean() for m in member]),
        member.sum(axis=1),
        np.array([right[m].mean() for m in member]),
        *ends,
    )


def measure(
    scores: np.ndarray,
    labels: np.ndarray,
    *,
    resamples: int,
    confidence: float,
    seed: int,
    max_bytes: int = 2**30,
) -> list[Measurement]:
    """Measure the margin and its relation to being right.

    `margin_right` and `margin_wrong` are the mean margins of clips that are classified right and
    wrong; `margin_roc_auc` is the chance that of a right and a wrong clip the right one has the
    larger margin (0.5: confidence says nothing). NaN where no clip is right, or none wrong.

    Args:
        scores: shape (n, C), or (V, n, C) for variants of one prompt, whose values are averaged.
        labels: shape (n,).
        resamples: 0 for no interval.
        confidence: of the interval, e.g. 0.95.
        seed: of the bootstrap.
        max_bytes: memory for one block of resamples.

    Raises:
        DataError: see `zero_shot.check`; fewer than two classes.
    """
    scores = np.asarray(scores)

    def measure_one(variant: np.ndarray) -> list[Measurement]:
        classes = zero_shot.check(variant, labels)
        margin = margins(variant).astype(np.float64)
        right = zero_shot.predictions(variant) == classes
        return bootstrap(
            lambda counts: _statistics(margin, right, counts),
            classes,
            resamples=resamples,
            confidence=confidence,
            seed=seed,
            chance={"margin_roc_auc": 0.5},
            bytes_per_resample=64 * len(classes),
            max_bytes=max_bytes,
        )

    return over_variants(
        measure_one, scores if scores.ndim == 3 else scores[None], confidence=confidence
    )


def _statistics(margin: np.ndarray, right: np.ndarray, counts: np.ndarray) -> dict[str, np.ndarray]:
    by_outcome = np.stack([right, ~right]).astype(np.float64)
    number, total = by_outcome @ counts, (by_outcome * margin) @ counts
    return {
        "margin_right": zero_shot.divide(total[0], number[0]),
        "margin_wrong": zero_shot.divide(total[1], number[1]),
        "margin_roc_auc": one_vs_rest.areas(margin, right, counts).roc_auc,
    }
