"""Metrics of a classification by similarity: a clip belongs to the class with the largest score.

The scores of prompts (zero-shot), of class prototypes (audio-only) and of probes all go through
these functions. See `listenread.metrics.scored` for ties, absent classes and unknown labels.
"""

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import NamedTuple

import numpy as np

from listenread.errors import Unavailable
from listenread.metrics import chance
from listenread.metrics.base import (
    ENOUGH_GROUPS,
    NO_CHANCE,
    Measurement,
    Metric,
    Resampling,
    Target,
)
from listenread.metrics.scored import Resampled, as_target, check, divide, macro
from listenread.metrics.uncertainty import (
    ENOUGH_FOR_A_CLASS,
    jackknife,
    measurement,
    over_variants,
    sum_by_group,
)

#: Between a metric and the index of a class in the name of a statistic.
_OF_CLASS = "/"


def _within(k: int, resampled: Resampled) -> np.ndarray:
    return resampled.within(k)


def _chance_top(k: int, target: Target) -> float:
    return min(k / target.n_classes, 1.0)


@cache
def top(k: int) -> Metric:
    """Top-k accuracy: share of clips whose class is among the `k` largest scores; 1 from k = C on.

    >>> top(3).name, top(3).title
    ('top_3', 'top-3')
    """
    return Metric(
        name=f"top_{k}",
        title=f"top-{k}",
        better="larger",
        low=0.0,
        high=1.0,
        chance=partial(_chance_top, k),
        reference="scikit-learn's top_k_accuracy_score; the paper, table 1",
        weighted=partial(_within, k),
        of_decisions=True,
        share=True,
        permuted=partial(chance.within, k),
        hub_name="accuracy" if k == 1 else None,
    )


TOP = tuple(top(k) for k in range(1, 6))


def _present(target: Target) -> np.ndarray:
    """Number of clips of each class that has some."""
    support = np.bincount(target.labels, minlength=target.n_classes)
    return support[support > 0]


def _guessed(target: Target) -> tuple[np.ndarray, np.ndarray]:
    """F1 of a uniform guess of each class that has clips, 2 m / (n + C m), and the m."""
    support = _present(target)
    return 2 * support / (len(target) + target.n_classes * support), support


def _chance_f1_weighted(target: Target) -> float:
    guessed, support = _guessed(target)
    return float(np.average(guessed, weights=support))


def _chance_f1_macro(target: Target) -> float:
    return float(_guessed(target)[0].mean())


def _f1_weighted(resampled: Resampled) -> np.ndarray:
    return np.average(resampled.f1, axis=0, weights=resampled.support)


def _f1_macro(resampled: Resampled) -> np.ndarray:
    return macro(np.where(resampled.support > 0, resampled.f1, np.nan))


F1_WEIGHTED = Metric(
    name="f1_weighted",
    title="F1, weighted",
    better="larger",
    low=0.0,
    high=1.0,
    chance=_chance_f1_weighted,
    reference="scikit-learn's f1_score(average='weighted'); the paper",
    weighted=_f1_weighted,
    of_decisions=True,
    permuted=chance.f1_weighted,
    hub_name="f1",
)
#: Unlike the weighted mean it does not let the accordion's 689 clips dominate TinySOL.
F1_MACRO = Metric(
    name="f1_macro",
    title="F1, macro",
    better="larger",
    low=0.0,
    high=1.0,
    chance=_chance_f1_macro,
    reference="scikit-learn's f1_score(average='macro') over the classes that have clips",
    weighted=_f1_macro,
    of_decisions=True,
    permuted=chance.f1_macro,
    hub_name="f1",
)


def _shares(target: Target) -> np.ndarray:
    """Share of the judged clips that have each class, of those classes that a clip has."""
    if target.single:
        return _present(target) / len(target)
    judged = [target.of_class(index) for index in range(target.n_classes)]
    shares = np.array([p.mean() if known is None else p[known].mean() if known.any() else 0.0
                       for p, known in judged])  # fmt: skip
    return shares[shares > 0]


def _chance_roc_auc(target: Target) -> float:
    shares = _shares(target)
    return 0.5 if (shares < 1).any() else float("nan")


def _chance_pr_auc(target: Target) -> float:
    return float(_shares(target).mean())


def _roc_auc(resampled: Resampled) -> np.ndarray:
    return macro(resampled.areas[0])


def _pr_auc(resampled: Resampled) -> np.ndarray:
    return macro(resampled.areas[1])


ROC_AUC_MACRO = Metric(
    name="roc_auc_macro",
    title="ROC-AUC",
    better="larger",
    low=0.0,
    high=1.0,
    chance=_chance_roc_auc,
    reference="scikit-learn's roc_auc_score, one against the rest, mean over classes with clips",
    weighted=_roc_auc,
    permuted=chance.roc_auc_macro,
    multi_label=True,
    hub_name="roc_auc",
)
PR_AUC_MACRO = Metric(
    name="pr_auc_macro",
    title="PR-AUC",
    better="larger",
    low=0.0,
    high=1.0,
    chance=_chance_pr_auc,
    reference="scikit-learn's average_precision_score, mean over classes with clips",
    weighted=_pr_auc,
    permuted=chance.pr_auc_macro,
    multi_label=True,
    hub_name="average_precision",
)
#: What the paper reports, and macro F1.
STANDARD = (*TOP, F1_WEIGHTED, F1_MACRO, ROC_AUC_MACRO, PR_AUC_MACRO)


def evaluate(
    scores: np.ndarray, labels: np.ndarray | Target, metrics: Sequence[Metric] = STANDARD
) -> dict[str, float]:
    """Compute metrics without uncertainty, in the order of `metrics`.

    Args:
        scores: shape (n, C).
        labels: class indices, shape (n,), or a `Target`.
        metrics: of a classification.

    Raises:
        DataError: see `scored.check`.

    Example:
        >>> scores = np.array([[0.9, 0.1], [0.2, 0.8]])
        >>> evaluate(scores, np.array([0, 0]), [top(1), F1_MACRO])
        {'top_1': 0.5, 'f1_macro': 0.6666666666666666}
    """
    scored = check(scores, as_target(labels, np.shape(scores)[-1]))
    resampled = scored.on(np.ones((len(scored.target), 1)))
    return {
        metric.name: float(metric.weighted(resampled)[0])
        for metric in defined(metrics, scored.target)
        if metric.weighted is not None
    }


def defined(metrics: Sequence[Metric], target: Target) -> list[Metric]:
    """Return the metrics that are defined for a target: all, or those for several labels.

    Raises:
        Unavailable: none of them is.
    """
    found = [metric for metric in metrics if target.single or metric.multi_label]
    if metrics and not found:
        names = ", ".join(metric.name for metric in metrics)
        raise Unavailable(f"clips do not have exactly one label each, which {names} need")
    return found


#: Scores (n, C) that are learned from some of the clips, bool (n,): one column of weights.
Learned = Callable[[np.ndarray], np.ndarray]


def measure(
    scores: np.ndarray,
    labels: np.ndarray | Target,
    *,
    metrics: Sequence[Metric] = STANDARD,
    resampling: Resampling,
    groups: np.ndarray | None = None,
    learned: Learned | None = None,
    enough: int = ENOUGH_GROUPS,
) -> list[Measurement]:
    """Measure one prompt: every metric with its interval and its chance level.

    Args:
        scores: shape (n, C), or (V, n, C) for V variants of one prompt, whose values (and
            replicates) are averaged.
        labels: class indices, shape (n,), or a `Target`.
        metrics: of a classification; those that are not defined for several labels are left out
            where clips have several.
        resampling: of the jackknife over groups of clips.
        groups: int, shape (n,): clips that are not independent share one; None where each clip is
            on its own.
        learned: for scores that were learned from the clips: takes those that are kept, bool (n,),
            and gives scores of all clips that were learned from them, shape (n, C). Metrics that
            are not `Metric.of_decisions` are replicated with it.
        enough: groups below which intervals say that they are few; see `Scale`.

    Raises:
        DataError: see `scored.check`.
        ConfigError: a confidence level outside (0, 1).
        Unavailable: none of the metrics is defined for the labels.
    """
    scores = np.asarray(scores)
    variants = scores if scores.ndim == 3 else scores[None]

    def measure_one(variant: np.ndarray) -> list[Measurement]:
        scored = check(variant, as_target(labels, variant.shape[-1]))
        chosen = defined(metrics, scored.target)

        def statistics(counts: np.ndarray) -> dict[str, np.ndarray]:
            return _values(chosen, scored.on(counts))

        def relearned(weights: np.ndarray) -> dict[str, np.ndarray]:
            moved = [metric for metric in chosen if not metric.of_decisions]
            if learned is None or not moved:
                return {}
            again = check(learned(weights[:, 0] > 0), scored.target)
            return _values(moved, again.on(weights))

        return _jackknife(
            statistics,
            scored.target,
            groups,
            chosen,
            resampling,
            relearned if learned else None,
            enough=enough,
        )

    return over_variants(measure_one, variants, confidence_level=resampling.confidence_level)


def _values(metrics: Sequence[Metric], resampled: Resampled) -> dict[str, np.ndarray]:
    return {m.name: m.weighted(resampled) for m in metrics if m.weighted is not None}


def _groups(groups: np.ndarray | None, target: Target) -> np.ndarray:
    return np.arange(len(target)) if groups is None else np.asarray(groups)


def _jackknife(
    statistics: Callable[[np.ndarray], dict[str, np.ndarray]],
    target: Target,
    groups: np.ndarray | None,
    metrics: Sequence[Metric],
    resampling: Resampling,
    relearned: Callable[[np.ndarray], dict[str, np.ndarray]] | None = None,
    of_class: Sequence["OfClass"] = (),
    enough: int = ENOUGH_GROUPS,
) -> list[Measurement]:
    named = {metric.name: metric for metric in metrics} | {
        f"{one.metric.name}{_OF_CLASS}{index}": one.metric
        for one in of_class
        for index in range(target.n_classes)
    }
    n = len(target)
    largest_class = n if target.index is None else int(np.bincount(target.index).max())
    return jackknife(
        statistics,
        _groups(groups, target),
        named,
        resampling,
        chance={metric.name: metric.chance_level(target) for metric in metrics},
        # The float32 weights, and the segments of the largest class in float32 and float64.
        bytes_per_replicate=4 * n + 64 * largest_class,
        relearned=relearned,
        enough=dict.fromkeys(named, max(enough, ENOUGH_FOR_A_CLASS * target.n_classes)),
    )


class OfClass(NamedTuple):
    """A metric of one class at a time.

    Attributes:
        metric: its name, title, direction and range.
        values: gives its value for each class, float64, shape (C, replicates).
        chance: called with the clips of the class, all clips, and the number of classes.
    """

    metric: Metric
    values: Callable[[Resampled], np.ndarray]
    chance: Callable[[int, int, int], float]


def _class_metric(name: str, title: str, reference: str, share: bool = False) -> Metric:
    return Metric(name, title, "larger", 0.0, 1.0, NO_CHANCE, reference, share=share)


RECALL = _class_metric("recall", "recall", "scikit-learn's recall_score of one class", True)
PRECISION = _class_metric("precision", "precision", "scikit-learn's precision_score of one class")
F1 = _class_metric("f1", "f1", "scikit-learn's f1_score of one class")
ROC_AUC = _class_metric("roc_auc", "roc auc", "scikit-learn's roc_auc_score, one against the rest")
PR_AUC = _class_metric("pr_auc", "pr auc", "scikit-learn's average_precision_score of one class")


def _where_present(values: np.ndarray, resampled: Resampled) -> np.ndarray:
    return np.where(resampled.support == 0, np.nan, values)


#: Recall is top-1 of a class.
OF_CLASS = (
    OfClass(RECALL, lambda r: divide(r.hits, r.support), lambda m, n, c: 1 / c),
    OfClass(PRECISION, lambda r: _where_present(divide(r.hits, r.given), r), lambda m, n, c: m / n),
    OfClass(F1, lambda r: _where_present(r.f1, r), lambda m, n, c: 2 * m / (n + c * m)),
    OfClass(ROC_AUC, lambda r: r.areas[0], lambda m, n, c: 0.5 if m < n else float("nan")),
    OfClass(PR_AUC, lambda r: r.areas[1], lambda m, n, c: m / n),
)


def top_of_class(k: int) -> OfClass:
    """Top-k accuracy on the clips of one class."""

    def values(resampled: Resampled) -> np.ndarray:
        labels, n_classes = resampled.scored.target.labels, resampled.scored.n_classes
        found = np.where(resampled.scored.rank < k, labels, n_classes)  # (n,)
        sums = sum_by_group(found, n_classes + 1, resampled.counts)[:-1].astype(np.float64)
        return divide(sums, resampled.support)

    return OfClass(top(k), values, lambda m, n, c: min(k / c, 1.0))


def measure_with_classes(
    scores: np.ndarray,
    labels: np.ndarray | Target,
    *,
    metrics: Sequence[Metric] = STANDARD,
    of_class: Sequence[OfClass] = OF_CLASS,
    resampling: Resampling,
    groups: np.ndarray | None = None,
) -> tuple[list[Measurement], list[list[Measurement]]]:
    """Measure one prompt as `measure` does, and each class on its own, in the same replicates.

    `n` of a class is the number of its clips; a class without a clip has no value, and a class
    that is never predicted no precision.

    Args:
        scores: see `measure`.
        labels: see `measure`; with several labels a clip there is nothing of each class.
        metrics: see `measure`.
        of_class: what is measured of each class.
        resampling: see `measure`.
        groups: see `measure`.

    Returns:
        What `measure` returns, and a list of measurements for each class, in vocabulary order.

    Example:
        >>> scores = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.1, 0.9]])
        >>> whole, by_class = measure_with_classes(
        ...     scores, np.array([0, 0, 1, 1]), resampling=Resampling(0)
        ... )
        >>> [(one.metric, one.value, one.n) for one in by_class[1][:2]]
        [('recall', 0.5, 2), ('precision', 1.0, 2)]
    """
    scores = np.asarray(scores)
    variants = scores if scores.ndim == 3 else scores[None]
    target = as_target(labels, variants.shape[-1])
    if not target.single:
        whole = measure(scores, target, metrics=metrics, resampling=resampling, groups=groups)
        return whole, [[] for _ in range(target.n_classes)]

    def measure_one(variant: np.ndarray) -> list[Measurement]:
        scored = check(variant, target)

        def statistics(counts: np.ndarray) -> dict[str, np.ndarray]:
            resampled = scored.on(counts)
            return _values(metrics, resampled) | {
                f"{one.metric.name}{_OF_CLASS}{index}": row
                for one in of_class
                for index, row in enumerate(one.values(resampled))
            }

        return _jackknife(statistics, target, groups, metrics, resampling, of_class=of_class)

    measured = over_variants(measure_one, variants, confidence_level=resampling.confidence_level)
    support = np.bincount(target.labels, minlength=target.n_classes)
    pairs = np.unique(np.stack([target.labels, _groups(groups, target)]), axis=1)
    groups_of = np.bincount(pairs[0], minlength=target.n_classes)
    by_class: list[list[Measurement]] = [[] for _ in support]
    own = {one.metric.name: one for one in of_class}
    for one in measured[len(metrics) :]:
        name, _, index = one.metric.partition(_OF_CLASS)
        size = int(support[int(index)])
        level = own[name].chance(size, len(target), len(support)) if size else float("nan")
        by_class[int(index)].append(
            measurement(
                name,
                one.value,
                one.replicates,
                n=size,
                n_groups=int(groups_of[int(index)]),
                chance=level,
                scale=own[name].metric.scale,
                confidence_level=resampling.confidence_level,
            )
        )
    return measured[: len(metrics)], by_class


def confusion_matrix(scores: np.ndarray, labels: np.ndarray | Target) -> np.ndarray:
    """Count clips by true class (rows) and predicted class (columns), int64, shape (C, C).

    Raises:
        DataError: see `scored.check`.
        Unavailable: clips with several labels.

    Example:
        >>> confusion_matrix(np.array([[0.9, 0.1], [0.8, 0.2]]), np.array([0, 1])).tolist()
        [[1, 0], [1, 0]]
    """
    scored = check(scores, as_target(labels, np.shape(scores)[-1]))
    n_classes = scored.n_classes
    cells = scored.target.labels * n_classes + scored.predicted
    return np.bincount(cells, minlength=n_classes**2).reshape(n_classes, n_classes)
