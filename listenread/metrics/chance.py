"""Chance level by permutation: what the same scores earn when they belong to other clips.

Labels are permuted among clips. This keeps what a chance level by definition ignores: how often
each class occurs and how often each is predicted. The scores are ranked once, for all permutations.

Source: Ojala and Garriga, Journal of Machine Learning Research 11, 2010, test 1.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from listenread.metrics.base import Metric, Target
from listenread.metrics.scored import Scored, as_target, check

#: Rows of scores that are copied at a time.
_ROWS = 65_536
#: Depths of top-k accuracy that are counted in one go.
_DEPTH = 5
#: Spread of values that is rounding, and skewness that is none.
_CONSTANT, _SYMMETRIC = 1e-12, 1e-3
#: Memory for one block of permutations, in bytes.
_BLOCK_BYTES = 2**30


@dataclass(frozen=True)
class Permuted:
    """Scores under a block of P permutations of the labels; shared parts are computed once.

    Attributes:
        scored: scores with the real labels.
        labels: these labels, sorted, shape (n,).
        clips: which clip gets which of them, shape (P, n).
    """

    scored: Scored
    labels: np.ndarray
    clips: np.ndarray

    @cached_property
    def slices(self) -> list[slice]:
        """Where each class is in `labels`."""
        ends = np.searchsorted(self.labels, np.arange(self.scored.n_classes + 1))
        return [slice(a, b) for a, b in pairwise(ends)]

    @cached_property
    def found(self) -> np.ndarray:
        """Share of clips whose class is among the first 1, 2, ... classes: (P, depth)."""
        return self.found_within(_DEPTH)

    def found_within(self, depth: int) -> np.ndarray:
        """The same down to any depth."""
        first = _first_classes(self.scored, depth)  # (n, depth)
        at = np.stack([(first[clips] == self.labels[:, None]).mean(axis=0) for clips in self.clips])
        return at.cumsum(axis=1)

    @cached_property
    def f1(self) -> tuple[np.ndarray, np.ndarray]:
        """F1 of the classes that have clips, shape (P, present), and the clips of each."""
        predicted = self.scored.predicted
        given = np.bincount(predicted, minlength=len(self.slices))
        support = np.array([clips.stop - clips.start for clips in self.slices])
        hits = np.stack(
            [
                (predicted[self.clips[:, clips]] == index).sum(axis=1)
                for index, clips in enumerate(self.slices)
            ],
            axis=1,
        )  # (P, C)
        present = support > 0
        return (2 * hits / np.maximum(given + support, 1))[:, present], support[present]

    @cached_property
    def areas(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean ROC-AUC and average precision of the classes that have clips, shape (P,) each."""
        by_class = [
            _areas(np.ascontiguousarray(self.scored.scores[:, index]), self.clips[:, clips])
            for index, clips in enumerate(self.slices)
            if clips.start < clips.stop
        ]
        roc_auc, pr_auc = (
            np.mean([areas[position] for areas in by_class], axis=0) for position in (0, 1)
        )
        return roc_auc, pr_auc


def within(k: int, permuted: Permuted) -> np.ndarray:
    """Top-k accuracy of each permutation, shape (P,)."""
    found = permuted.found if k <= _DEPTH else permuted.found_within(k)
    return found[:, min(k, found.shape[1]) - 1]


def f1_weighted(permuted: Permuted) -> np.ndarray:
    """F1 of each permutation, weighted by the size of the classes, shape (P,)."""
    by_class, support = permuted.f1
    return np.average(by_class, axis=1, weights=support)


def f1_macro(permuted: Permuted) -> np.ndarray:
    """Macro F1 of each permutation, shape (P,)."""
    return permuted.f1[0].mean(axis=1)


def roc_auc_macro(permuted: Permuted) -> np.ndarray:
    """Macro ROC-AUC of each permutation, shape (P,)."""
    return permuted.areas[0]


def pr_auc_macro(permuted: Permuted) -> np.ndarray:
    """Macro average precision of each permutation, shape (P,)."""
    return permuted.areas[1]


def by_permutation(
    scores: np.ndarray,
    labels: np.ndarray | Target,
    *,
    metrics: Sequence[Metric],
    permutations: int,
    seed: int,
    groups: np.ndarray | None = None,
    max_bytes: int = _BLOCK_BYTES,
) -> dict[str, np.ndarray]:
    """Compute metrics of a classification for permuted labels.

    Args:
        scores: shape (n, C).
        labels: class indices, shape (n,), or a `Target` of one label a clip.
        metrics: those with `Metric.permuted` are computed for a block of permutations at once, the
            others one permutation after the other.
        permutations: how many.
        seed: permutation `p` is drawn from a generator seeded with ``(seed, p)``.
        groups: int, shape (n,): groups of equally many clips exchange the labels of their clips as
            a whole; None where each clip is on its own.
        max_bytes: memory for one block of permutations.

    Returns:
        For each metric float64 of shape (permutations,). Their mean is the chance level, their
        upper quantiles are what luck alone can reach.

    Raises:
        DataError: see `scored.check`.
        Unavailable: clips with several labels.

    Example:
        >>> from listenread.metrics.classification import ROC_AUC_MACRO, top
        >>> labels = np.repeat([0, 1], 50)
        >>> by_luck = by_permutation(
        ...     np.eye(2)[labels], labels, metrics=[top(1), ROC_AUC_MACRO], permutations=200, seed=0
        ... )
        >>> round(by_luck["top_1"].mean(), 1), round(by_luck["roc_auc_macro"].mean(), 1)
        (np.float64(0.5), np.float64(0.5))
    """
    scored = check(scores, as_target(labels, np.shape(scores)[-1]))
    n = len(scored.target)
    results = {metric.name: np.empty(permutations) for metric in metrics}
    order = np.argsort(scored.target.labels, kind="stable")
    deal = _dealer(order, np.arange(n) if groups is None else groups)
    size = int(np.clip(max_bytes // (48 * n), 1, max(permutations, 1)))
    for start in range(0, permutations, size):
        stop = min(start + size, permutations)
        clips = np.stack([deal([seed, p]) for p in range(start, stop)])
        permuted = Permuted(scored, scored.target.labels[order], clips)
        for metric in metrics:
            compute = metric.permuted or (lambda block, metric=metric: _one_by_one(metric, block))
            results[metric.name][start:stop] = compute(permuted)
    return results


def _dealer(order: np.ndarray, groups: np.ndarray) -> Callable[[list[int]], np.ndarray]:
    """Give a function from a seed to which clip gets each of the labels, shape (n,).

    Args:
        order: the clips whose labels they are, shape (n,).
        groups: of the clips, shape (n,).
    """
    n = len(groups)
    by_group = np.argsort(groups, kind="stable")  # clips, group by group
    _, first, sizes = np.unique(groups[by_group], return_index=True, return_counts=True)
    # positions of the clips of all groups of one size, shape (groups, size)
    alike = [first[sizes == size][:, None] + np.arange(size) for size in np.unique(sizes)]
    if len(alike) == 1 and len(first) == n:
        return lambda seed: np.random.default_rng(seed).permutation(n)

    def deal(seed: list[int]) -> np.ndarray:
        rng = np.random.default_rng(seed)
        taker = np.empty(n, dtype=np.intp)  # of the label of each clip
        for places in alike:
            taker[by_group[places]] = by_group[rng.permutation(places)]
        return taker[order]

    return deal


def p_value(value: float, by_luck: np.ndarray) -> float:
    """Probability that luck reaches a value, from values under permutation.

    A Pearson type III distribution with the mean, the variance and the skewness of the permutations
    says what a few hundred of them cannot count; where these do not vary, they are counted.

    Source: Winkler, Ridgway, Douaud, Nichols and Smith, NeuroImage 141, 2016.

    Args:
        value: of the labels as they are.
        by_luck: shape (permutations,).

    Returns:
        NaN without permutations, or for a value that is undefined.

    Example:
        >>> luck = np.random.default_rng(0).normal(size=500)
        >>> bool(0.01 < p_value(2.0, luck) < 0.04), p_value(1.0, np.ones(10))
        (True, 1.0)
    """
    from scipy.special import gammainc, gammaincc, ndtr

    if not len(by_luck) or np.isnan(value) or np.isnan(by_luck).any():
        return float("nan")
    deviation = float(by_luck.std())
    if deviation <= _CONSTANT:
        return float((1 + (by_luck >= value - _CONSTANT).sum()) / (1 + len(by_luck)))
    z = (value - float(by_luck.mean())) / deviation
    skewness = float((((by_luck - by_luck.mean()) / deviation) ** 3).mean())
    if abs(skewness) < _SYMMETRIC:
        return float(ndtr(-z))
    shape = 4 / skewness**2  # of the gamma distribution of the same skewness
    side = 1 if skewness > 0 else -1
    at = max(shape + side * z * math.sqrt(shape), 0.0)
    return float(gammaincc(shape, at) if skewness > 0 else gammainc(shape, at))


def _one_by_one(metric: Metric, permuted: Permuted) -> np.ndarray:
    """A metric without a fast way: once for each permutation, shape (P,)."""
    if metric.weighted is None:
        raise TypeError(f"`{metric.name}` is not computed from scores")
    values = np.empty(len(permuted.clips))
    ones = np.ones((len(permuted.labels), 1))
    for row, clips in enumerate(permuted.clips):
        labels = np.empty_like(permuted.labels)
        labels[clips] = permuted.labels
        target = Target(permuted.scored.n_classes, labels)
        values[row] = metric.weighted(Scored(permuted.scored.scores, target).on(ones))[0]
    return values


def _first_classes(scored: Scored, depth: int) -> np.ndarray:
    """The classes with the largest scores of each clip, kept with the scores; see below."""
    kept: dict[int, np.ndarray] = scored.__dict__.setdefault("_first_classes", {})
    if depth not in kept:
        kept[depth] = first_classes(scored.scores, depth)
    return kept[depth]


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
        rows = np.array(scores[start : start + _ROWS])  # (rows, C)
        for position in range(found.shape[1]):
            best = rows.argmax(axis=1)  # (rows,)
            found[start : start + _ROWS, position] = best
            np.put_along_axis(rows, best[:, None], -np.inf, axis=1)
    return found


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
