"""Prompt effects: what a change of wording does to the vectors, to the ranking and to the metrics.

A text tower that reads moves its vectors when a prompt is negated, and moves the ranking with them;
one that reacts to single words moves neither.
"""

from functools import cache

import numpy as np

from listenread.errors import DataError
from listenread.metrics.base import NO_CHANCE, Measurement, Metric, Resampling, Target
from listenread.metrics.blocks import row_blocks
from listenread.metrics.scored import as_target, check, predictions
from listenread.metrics.uncertainty import jackknife
from listenread.metrics.vectors import unit_rows


def _one_of_all(target: Target) -> float:
    return 1 / target.n_classes


PAIR_COSINE = Metric(
    "pair_cosine", "pair cosine", None, -1.0, 1.0, NO_CHANCE, "cosine of two vectors, mean"
)
LABEL_COSINE = Metric(
    "label_cosine", "label cosine", None, -1.0, 1.0, NO_CHANCE, "cosine of two vectors, mean"
)
TOP_1_AGREEMENT = Metric(
    "top_1_agreement", "top-1 agreement", None, 0.0, 1.0, _one_of_all, "share of equal answers",
    share=True,
)  # fmt: skip
RANK_CORRELATION = Metric(
    "rank_correlation", "rank correlation", None, -1.0, 1.0, 0.0, "scipy.stats.spearmanr, mean"
)
OF_TEXTS = (PAIR_COSINE, LABEL_COSINE)
OF_RANKINGS = (TOP_1_AGREEMENT, RANK_CORRELATION)


@cache
def difference(metric: Metric) -> Metric:
    """The paired difference of a metric between two prompts; its chance level is 0.

    >>> from listenread.metrics.classification import top
    >>> difference(top(1)).name, difference(top(1)).title
    ('top_1_difference', 'Δ top-1')
    """
    extent = metric.high - metric.low
    return Metric(
        name=f"{metric.name}_difference",
        title=f"Δ {metric.title}",
        better=None,
        low=-extent,
        high=extent,
        chance=0.0,
        reference=f"paired jackknife of {metric.name}",
    )


def measure_vectors(
    first: np.ndarray,
    second: np.ndarray,
    resampling: Resampling,
) -> list[Measurement]:
    """Measure how far the text vectors of two prompts lie apart, label by label.

    `pair_cosine` is the mean cosine between the two texts of a label; `label_cosine`, the mean
    cosine between the first prompt's texts of different labels, is what to hold it against: if
    changing the wording moves a vector less than changing the instrument, `pair_cosine` is the
    larger of the two. Labels are left out.

    Args:
        first: vectors of one prompt, joint or pre-joint, shape (L, d), of any length but zero.
        second: vectors of the other, same labels in the same order.
        resampling: of the jackknife over labels.

    Raises:
        DataError: different shapes, or vectors that are zero, NaN or infinite.

    Example:
        >>> vectors = np.eye(3)
        >>> found = measure_vectors(vectors, vectors, Resampling(0))
        >>> [(one.metric, one.value) for one in found]
        [('pair_cosine', 1.0), ('label_cosine', 0.0)]
    """
    first, second = unit_rows(first, "text"), unit_rows(second, "text")
    if first.shape != second.shape:
        raise DataError(f"the prompts' vectors have shapes {first.shape} and {second.shape}")
    n = len(first)
    pair = np.einsum("ld,ld->l", first, second)  # (L,)
    others = (first @ first.T).sum(axis=1) - 1  # (L,)
    by_label = others / (n - 1) if n > 1 else np.full(n, np.nan)  # (L,)
    return jackknife(
        lambda counts: {
            PAIR_COSINE.name: pair @ counts / counts.sum(axis=0),
            LABEL_COSINE.name: by_label @ counts / counts.sum(axis=0),
        },
        np.arange(n),
        OF_TEXTS,
        resampling,
    )


def measure_ranking(
    first: np.ndarray,
    second: np.ndarray,
    labels: np.ndarray | Target,
    groups: np.ndarray,
    resampling: Resampling,
) -> list[Measurement]:
    """Measure how alike two prompts rank the classes, clip by clip.

    `top_1_agreement` is the share of clips with the same predicted class. `rank_correlation` is
    Spearman's, between the two rankings of the classes, averaged over clips: 1 the same, -1
    reversed (what "no" would do if it were read), 0 by chance. A clip all of whose scores are equal
    has no ranking and counts 0.

    Args:
        first: scores of one prompt, shape (n, C).
        second: scores of the other, same clips and classes.
        labels: class indices, shape (n,), or a `Target`.
        groups: int, shape (n,): clips that are not independent share one.
        resampling: of the jackknife over groups of clips.

    Raises:
        DataError: different shapes; see `scored.check`.
    """
    target = as_target(labels, np.shape(first)[-1])
    check(first, target)
    check(second, as_target(labels, np.shape(second)[-1]))
    if first.shape != second.shape:
        raise DataError(f"the prompts' scores have shapes {first.shape} and {second.shape}")
    agree = (predictions(first) == predictions(second)).astype(np.float64)  # (n,)
    correlation = _spearman(first, second)  # (n,)
    return jackknife(
        lambda counts: {
            TOP_1_AGREEMENT.name: agree @ counts / counts.sum(axis=0),
            RANK_CORRELATION.name: correlation @ counts / counts.sum(axis=0),
        },
        groups,
        OF_RANKINGS,
        resampling,
        chance={metric.name: metric.chance_level(target) for metric in OF_RANKINGS},
    )


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
