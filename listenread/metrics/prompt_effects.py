"""Prompt effects: what a change of wording does to the vectors, to the ranking and to the metrics.

A text tower that reads moves its vectors when a prompt is negated, and moves the ranking with them;
one that reacts to single words moves neither.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from listenread.errors import DataError
from listenread.metrics import zero_shot
from listenread.metrics.blocks import row_blocks
from listenread.metrics.uncertainty import Measurement, bootstrap, paired_difference


def measure_vectors(
    first: np.ndarray,
    second: np.ndarray,
    *,
    resamples: int,
    confidence: float,
    seed: int,
    max_bytes: int = 2**30,
) -> list[Measurement]:
    """Measure how far the text vectors of two prompts lie apart, label by label.

    `pair_cosine` is the mean cosine between the two texts of a label; `label_cosine`, the mean
    cosine between the first prompt's texts of different labels, is what to hold it against: if
    changing the wording moves a vector less than changing the instrument, `pair_cosine` is the
    larger of the two. The bootstrap draws labels.

    Args:
        first: vectors of one prompt, joint or pre-joint, shape (L, d), of any length but zero.
        second: vectors of the other, same labels in the same order.
        resamples: 0 for no interval.
        confidence: of the interval, e.g. 0.95.
        seed: of the bootstrap.
        max_bytes: memory for one block of resamples.

    Raises:
        DataError: different shapes, or vectors that are zero, NaN or infinite.

    Example:
        >>> vectors = np.eye(3)
        >>> found = measure_vectors(vectors, vectors, resamples=0, confidence=0.95, seed=0)
        >>> [(one.metric, one.value) for one in found]
        [('pair_cosine', 1.0), ('label_cosine', 0.0)]
    """
    first, second = _unit(first), _unit(second)
    if first.shape != second.shape:
        raise DataError(f"the prompts' vectors have shapes {first.shape} and {second.shape}")
    n = len(first)
    pair = np.einsum("ld,ld->l", first, second)
    others = (first @ first.T).sum(axis=1) - 1
    by_label = others / (n - 1) if n > 1 else np.full(n, np.nan)
    return bootstrap(
        lambda counts: {
            "pair_cosine": pair @ counts / counts.sum(axis=0),
            "label_cosine": by_label @ counts / counts.sum(axis=0),
        },
        np.zeros(n, dtype=np.int64),
        resamples=resamples,
        confidence=confidence,
        seed=seed,
        chance={},
        bytes_per_resample=16 * n,
        max_bytes=max_bytes,
    )


def measure_ranking(
    first: np.ndarray,
    second: np.ndarray,
    labels: np.ndarray,
    *,
    resamples: int,
    confidence: float,
    seed: int,
    max_bytes: int = 2**30,
) -> list[Measurement]:
    """Measure how alike two prompts rank the classes, clip by clip.

    `top_1_agreement` is the share of clips with the same predicted class. `rank_correlation` is
    Spearman's, between the two rankings of the classes, averaged over clips: 1 the same, -1
    reversed (what "no" would do if it were read), 0 by chance. A clip all of whose scores are equal
    has no ranking and counts 0.

    Args:
        first: scores of one prompt, shape (n, C).
        second: scores of the other, same clips and classes.
        labels: class indices, shape (n,), the strata.
        resamples: 0 for no interval.
        confidence: of the interval, e.g. 0.95.
        seed: of the bootstrap.
        max_bytes: memory for one block of resamples.

    Raises:
        DataError: different shapes; see `zero_shot.check`.
    """
    labels = zero_shot.check(first, labels)
    zero_shot.check(second, labels)
    if first.shape != second.shape:
        raise DataError(f"the prompts' scores have shapes {first.shape} and {second.shape}")
    agree = (zero_shot.predictions(first) == zero_shot.predictions(second)).astype(np.float64)
    correlation = _spearman(first, second)
    n_classes = first.shape[1]
    return bootstrap(
        lambda counts: {
            "top_1_agreement": agree @ counts / counts.sum(axis=0),
            "rank_correlation": correlation @ counts / counts.sum(axis=0),
        },
        labels,
        resamples=resamples,
        confidence=confidence,
        seed=seed,
        chance={"top_1_agreement": 1 / n_classes, "rank_correlation": 0.0},
        bytes_per_resample=16 * len(labels),
        max_bytes=max_bytes,
    )


def differences(
    measured: Mapping[str, Sequence[Measurement]],
    pairs: Sequence[tuple[str, str]],
    *,
    confidence: float,
) -> dict[tuple[str, str], list[Measurement]]:
    """Measure first minus second for named pairs of prompts, metric by metric.

    Args:
        measured: for each prompt its measurements, with replicates on the same resamples.
        pairs: names of prompts.
        confidence: of the intervals, e.g. 0.95.

    Returns:
        For each pair one difference for each metric that both have.

    Raises:
        DataError: a prompt that was not measured, or not on the same resamples.
    """
    if unknown := {name for pair in pairs for name in pair} - set(measured):
        raise DataError(f"no measurement of prompt(s) {', '.join(sorted(unknown))}")
    result = {}
    for first, second in pairs:
        others = {one.metric: one for one in measured[second]}
        result[first, second] = [
            paired_difference(one, others[one.metric], confidence=confidence)
            for one in measured[first]
            if one.metric in others
        ]
    return result


def by_variant(
    scores: np.ndarray, labels: np.ndarray, metrics: Sequence[str] = zero_shot.METRICS
) -> dict[str, np.ndarray]:
    """Value of each metric for each variant of a prompt, e.g. each seed of a random context.

    The spread of these is what one unseeded sentence hides.

    Args:
        scores: shape (V, n, C).
        labels: shape (n,).
        metrics: names.

    Returns:
        For each metric float64 of shape (V,).

    Raises:
        DataError: see `zero_shot.check`.
    """
    values = [zero_shot.evaluate(variant, labels, metrics) for variant in scores]
    return {metric: np.array([value[metric] for value in values]) for metric in metrics}


def _spearman(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Spearman's correlation of each pair of rows, equal scores sharing their mean rank."""
    from scipy.stats import rankdata

    found = np.zeros(len(first))
    for rows in row_blocks(*first.shape):
        ranks = [rankdata(part[rows], axis=1) for part in (first, second)]
        centred = [part - (part.shape[1] + 1) / 2 for part in ranks]
        product = np.einsum("nc,nc->n", *centred)
        norm = np.sqrt(np.prod([np.einsum("nc,nc->n", part, part) for part in centred], axis=0))
        np.divide(product, norm, out=found[rows], where=norm > 0)
    return found


def _unit(vectors: np.ndarray) -> np.ndarray:
    vectors = np.asarray(vectors, dtype=np.float64)
    if vectors.ndim != 2 or not len(vectors):
        raise DataError(f"text vectors have shape {vectors.shape}, (labels, d) is needed")
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not np.isfinite(length).all() or (length == 0).any():
        raise DataError("text vectors hold a zero vector, NaN or infinity")
    return vectors / length
