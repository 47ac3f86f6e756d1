"""Classification by similarity: metrics on one score for each clip and class.

`scores` are raw cosines, float32 or float64, shape (n, C), classes in vocabulary order; `labels`
are class indices, shape (n,), one for each clip. The scores of class prototypes (audio-only) go
through the same functions.

Decisions:

- *Ties.* The predicted class is the lowest index among the largest scores, and top-k continues in
  this order: equal scores rank by class index. A constant score therefore predicts class 0 and
  earns top-k only for the first k classes. Areas count a tie as half a pair (ROC) or as one
  threshold (PR).
- *Classes without a clip* stay among the candidates, because a prompt for them was asked, but are
  left out of every average over classes: they have no recall, F1 or curve. `C` is still the number
  of candidates.
- *One class in the data.* There are no negatives: ROC-AUC is NaN, PR-AUC is 1.
- *NaN and infinite scores* are refused, and so is a dataset without clips.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from listenread.errors import ConfigError, DataError
from listenread.metrics import one_vs_rest
from listenread.metrics.blocks import row_blocks
from listenread.metrics.uncertainty import (
    Measurement,
    bootstrap,
    over_variants,
    sum_by_group,
)

#: Every metric of the paper, and macro F1, which does not let the accordion's 689 clips dominate.
METRICS = (
    *(f"top_{k}" for k in range(1, 6)),
    "f1_weighted",
    "f1_macro",
    "roc_auc_macro",
    "pr_auc_macro",
)
#: Memory for one block of resamples in bytes, unless the caller says otherwise.
BLOCK_BYTES = 2**30
#: Between a metric and the index of a class in the name of a statistic.
_OF_CLASS = "/"


def top_k_accuracy(scores: np.ndarray, labels: np.ndarray, k: int) -> float:
    """Share of clips whose class is among the `k` largest scores; 1 from `k` = C on.

    Args:
        scores: shape (n, C).
        labels: shape (n,).
        k: at least 1.

    Raises:
        DataError: see `check`.
        ConfigError: `k` is below 1.

    Example:
        >>> scores = np.array([[0.9, 0.1, 0.0], [0.5, 0.5, 0.1], [0.2, 0.3, 0.1]])
        >>> top_k_accuracy(scores, np.array([0, 1, 2]), k=1)
        0.3333333333333333
        >>> top_k_accuracy(scores, np.array([0, 1, 2]), k=2)
        0.6666666666666666
    """
    return evaluate(scores, labels, [f"top_{k}"])[f"top_{k}"]


def f1(scores: np.ndarray, labels: np.ndarray, average: str) -> float:
    """F1 of the predicted classes, averaged over the classes that have clips.

    F1 of a class is 2 tp / (predicted + support), 0 for a class that is never predicted.

    Args:
        scores: shape (n, C).
        labels: shape (n,).
        average: ``weighted`` (by support, the paper's) or ``macro``.

    Raises:
        DataError: see `check`.
        ConfigError: another average.

    Example:
        >>> scores = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.1, 0.9]])
        >>> f1(scores, np.array([0, 0, 1, 1]), "macro")
        0.7333333333333334
    """
    return evaluate(scores, labels, [f"f1_{average}"])[f"f1_{average}"]


def roc_auc_macro(scores: np.ndarray, labels: np.ndarray) -> float:
    """One-vs-rest ROC-AUC, mean over the classes that have clips; see `one_vs_rest.areas`.

    Raises:
        DataError: see `check`.

    Example:
        >>> roc_auc_macro(np.array([[0.9, 0.1], [0.8, 0.2], [0.85, 0.9]]), np.array([0, 0, 1]))
        0.75
    """
    return evaluate(scores, labels, ["roc_auc_macro"])["roc_auc_macro"]


def pr_auc_macro(scores: np.ndarray, labels: np.ndarray) -> float:
    """One-vs-rest average precision, mean over the classes that have clips.

    Raises:
        DataError: see `check`.

    Example:
        >>> pr_auc_macro(np.array([[0.9, 0.1], [0.8, 0.2], [0.85, 0.9]]), np.array([0, 0, 1]))
        0.9166666666666666
    """
    return evaluate(scores, labels, ["pr_auc_macro"])["pr_auc_macro"]


def confusion_matrix(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Count clips by true class (rows) and predicted class (columns), int64, shape (C, C).

    Raises:
        DataError: see `check`.

    Example:
        >>> confusion_matrix(np.array([[0.9, 0.1], [0.8, 0.2]]), np.array([0, 1])).tolist()
        [[1, 0], [1, 0]]
    """
    labels = check(scores, labels)
    n_classes = scores.shape[1]
    cells = labels * n_classes + predictions(scores)
    return np.bincount(cells, minlength=n_classes**2).reshape(n_classes, n_classes)


class PerClass(NamedTuple):
    """Scores of each class, float64 of shape (C,) unless said otherwise; NaN without clips.

    Attributes:
        support: int64, clips of the class.
        predicted: int64, clips that were given to the class.
        recall: share of the class's clips that were given to it.
        precision: share of `predicted` that is right; NaN for a class that is never predicted.
        f1: harmonic mean of both, 0 for a class that is never predicted.
        roc_auc: one-vs-rest.
        pr_auc: one-vs-rest average precision.
    """

    support: np.ndarray
    predicted: np.ndarray
    recall: np.ndarray
    precision: np.ndarray
    f1: np.ndarray
    roc_auc: np.ndarray
    pr_auc: np.ndarray


def per_class(scores: np.ndarray, labels: np.ndarray) -> PerClass:
    """Score each class on its own.

    Raises:
        DataError: see `check`.

    Example:
        >>> result = per_class(np.array([[0.9, 0.1], [0.8, 0.2], [0.85, 0.9]]), np.array([0, 0, 1]))
        >>> result.recall.tolist(), result.roc_auc.tolist()
        ([1.0, 1.0], [0.5, 1.0])
    """
    confusion = confusion_matrix(scores, labels)
    hits, support, predicted = confusion.diagonal(), confusion.sum(axis=1), confusion.sum(axis=0)
    roc_auc, pr_auc = _areas(scores, np.asarray(labels), np.ones((len(labels), 1)))
    f1_of = np.where(support > 0, 2 * hits / np.maximum(predicted + support, 1), np.nan)
    return PerClass(
        support,
        predicted,
        divide(hits, support),
        np.where(support > 0, divide(hits, predicted), np.nan),
        f1_of,
        roc_auc[:, 0],
        pr_auc[:, 0],
    )


def evaluate(
    scores: np.ndarray, labels: np.ndarray, metrics: Sequence[str] = METRICS
) -> dict[str, float]:
    """Compute the named metrics, in the order of `metrics`.

    Raises:
        DataError: see `check`.
        ConfigError: a name that no metric has.

    Example:
        >>> evaluate(np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([0, 0]), ["top_1", "f1_macro"])
        {'top_1': 0.5, 'f1_macro': 0.6666666666666666}
    """
    labels = check(scores, labels)
    values = evaluate_resamples(scores, labels, np.ones((len(labels), 1)), metrics)
    return {metric: float(value[0]) for metric, value in values.items()}


def evaluate_resamples(
    scores: np.ndarray, labels: np.ndarray, counts: np.ndarray, metrics: Sequence[str] = METRICS
) -> dict[str, np.ndarray]:
    """Compute the named metrics on many resamples at once.

    Args:
        scores: shape (n, C), checked.
        labels: shape (n,), checked.
        counts: shape (n, resamples), how often each clip was drawn.
        metrics: names.

    Returns:
        For each metric float64 of shape (resamples,).

    Raises:
        ConfigError: a name that no metric has.
    """
    check_metrics(metrics)
    areas = _areas(scores, labels, counts) if any("_auc_" in m for m in metrics) else None
    return _averages(scores, labels, counts, metrics, areas)


def _averages(
    scores: np.ndarray,
    labels: np.ndarray,
    counts: np.ndarray,
    metrics: Sequence[str],
    areas: tuple[np.ndarray, np.ndarray] | None,
) -> dict[str, np.ndarray]:
    results: dict[str, np.ndarray] = {}
    depths = [_depth(metric) for metric in metrics if metric.startswith("top_")]
    if depths:
        results |= _top_k(scores, labels, counts, depths)
    if any(metric.startswith("f1_") for metric in metrics):
        results |= _f1(predictions(scores), labels, counts, scores.shape[1])
    if areas is not None:
        results |= {"roc_auc_macro": _macro(areas[0]), "pr_auc_macro": _macro(areas[1])}
    return {metric: results[metric] for metric in metrics}


def measure(
    scores: np.ndarray,
    labels: np.ndarray,
    *,
    metrics: Sequence[str] = METRICS,
    resamples: int,
    confidence: float,
    seed: int,
    max_bytes: int = BLOCK_BYTES,
) -> list[Measurement]:
    """Measure one prompt: every metric with its interval and its chance level.

    A resample repeats clips, and copies of a positive share one threshold: replicates of PR-AUC lie
    a little above its value (up to 0.005 for classes as large as TinySOL's), so its interval
    reaches further up than down. The difference of two prompts keeps only the difference of this.

    Args:
        scores: shape (n, C), or (V, n, C) for V variants of one prompt, whose values (and
            replicates) are averaged.
        labels: shape (n,).
        metrics: names.
        resamples: of the stratified bootstrap over clips; 0 for no interval.
        confidence: of the interval, e.g. 0.95.
        seed: of the bootstrap; the same for everything that will be compared.
        max_bytes: memory for one block of resamples.

    Raises:
        DataError: see `check`.
        ConfigError: a name that no metric has, a confidence outside (0, 1).
    """
    scores = np.asarray(scores)
    check_metrics(metrics)
    return over_variants(
        lambda variant: _measure_variant(
            variant, labels, metrics, resamples, confidence, seed, max_bytes
        ),
        scores if scores.ndim == 3 else scores[None],
        confidence=confidence,
    )


def measure_with_classes(
    scores: np.ndarray,
    labels: np.ndarray,
    *,
    metrics: Sequence[str] = METRICS,
    resamples: int,
    confidence: float,
    seed: int,
    max_bytes: int = BLOCK_BYTES,
) -> tuple[list[Measurement], list[list[Measurement]]]:
    """Measure one prompt as `measure` does, and each class on its own, on the same resamples.

    Of each class: `recall`, `precision` (NaN if it is never predicted), `f1`, `roc_auc`, `pr_auc`
    (see `one_vs_rest.areas`), and for every ``top_<k>`` of `metrics` with k above 1 the share of
    its clips that have it among their k largest scores; recall is top-1. `n` is the number of its
    clips; a class without a clip has no value. Chance by definition is that of `chance` for one
    class.

    Returns:
        What `measure` returns, and a list of measurements for each class, in vocabulary order.

    Example:
        >>> scores = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.1, 0.9]])
        >>> whole, by_class = measure_with_classes(
        ...     scores, np.array([0, 0, 1, 1]), resamples=0, confidence=0.95, seed=1
        ... )
        >>> [(one.metric, one.value, one.n) for one in by_class[1][:2]]
        [('recall', 0.5, 2), ('precision', 1.0, 2)]
    """
    scores = np.asarray(scores)
    check_metrics(metrics)
    variants = scores if scores.ndim == 3 else scores[None]
    depths = [_depth(m) for m in metrics if m.startswith("top_") and m != "top_1"]

    def measure_one(variant: np.ndarray) -> list[Measurement]:
        checked = check(variant, labels)

        def statistics(counts: np.ndarray) -> dict[str, np.ndarray]:
            areas = _areas(variant, checked, counts)
            whole = _averages(variant, checked, counts, metrics, areas)
            by_class = _by_class(variant, checked, counts, depths, areas)
            return whole | {
                f"{metric}{_OF_CLASS}{index}": row
                for metric, rows in by_class.items()
                for index, row in enumerate(rows)
            }

        chances = chance(checked, variant.shape[1], metrics)
        return _bootstrap(statistics, checked, chances, resamples, confidence, seed, max_bytes)

    support = np.bincount(np.asarray(labels), minlength=variants.shape[2])
    measured = over_variants(measure_one, variants, confidence=confidence)
    by_class: list[list[Measurement]] = [[] for _ in support]
    for one in measured[len(metrics) :]:
        metric, _, index = one.metric.partition(_OF_CLASS)
        size = int(support[int(index)])
        level = _chance_of_class(metric, size, len(labels), len(support))
        by_class[int(index)].append(replace(one, metric=metric, n=size, chance=level))
    return measured[: len(metrics)], by_class


def _chance_of_class(metric: str, size: int, n: int, n_classes: int) -> float:
    if size == 0:
        return float("nan")
    if metric.startswith("top_"):
        return min(_depth(metric) / n_classes, 1.0)
    levels = {
        "recall": 1 / n_classes,
        "precision": size / n,
        "f1": 2 * size / (n + n_classes * size),
        "roc_auc": 0.5 if size < n else float("nan"),
        "pr_auc": size / n,
    }
    return levels[metric]


def _by_class(
    scores: np.ndarray,
    labels: np.ndarray,
    counts: np.ndarray,
    depths: Sequence[int],
    areas: tuple[np.ndarray, np.ndarray],
) -> dict[str, np.ndarray]:
    """Each metric of each class, shape (C, resamples)."""
    n_classes = scores.shape[1]
    predicted = predictions(scores)
    hits, support, given = _hits(predicted, labels, counts, n_classes)
    absent = support == 0
    by_class = {
        "recall": divide(hits, support),
        "precision": np.where(absent, np.nan, divide(hits, given)),
        "f1": np.where(absent, np.nan, 2 * hits / np.maximum(given + support, 1)),
        "roc_auc": areas[0],
        "pr_auc": areas[1],
    }
    ranks = rank_of_label(scores, labels) if depths else None
    for depth in depths:
        found = np.where(ranks < depth, labels, n_classes)
        by_class[f"top_{depth}"] = divide(
            sum_by_group(found, n_classes + 1, counts)[:-1].astype(np.float64), support
        )
    return by_class


def _measure_variant(
    scores: np.ndarray,
    labels: np.ndarray,
    metrics: Sequence[str],
    resamples: int,
    confidence: float,
    seed: int,
    max_bytes: int,
) -> list[Measurement]:
    labels = check(scores, labels)
    return _bootstrap(
        lambda counts: evaluate_resamples(scores, labels, counts, metrics),
        labels,
        chance(labels, scores.shape[1], metrics),
        resamples,
        confidence,
        seed,
        max_bytes,
    )


def _bootstrap(
    statistics: Callable[[np.ndarray], dict[str, np.ndarray]],
    labels: np.ndarray,
    chances: dict[str, float],
    resamples: int,
    confidence: float,
    seed: int,
    max_bytes: int,
) -> list[Measurement]:
    largest_class = int(np.bincount(labels).max())
    return bootstrap(
        statistics,
        labels,
        resamples=resamples,
        confidence=confidence,
        seed=seed,
        chance=chances,
        # The float32 counts, and the segments of the largest class in float32 and float64.
        bytes_per_resample=4 * len(labels) + 64 * largest_class,
        max_bytes=max_bytes,
    )


def chance(
    labels: np.ndarray, n_classes: int, metrics: Sequence[str] = METRICS
) -> dict[str, float]:
    """State what scores that know nothing of the clip reach, by definition.

    top-k: k / C. F1: from the expected counts of a uniform guess, 2 m / (n + C m) for a class of m
    clips. ROC-AUC: one half. PR-AUC: the share of the class, averaged over classes.
    `chance.by_permutation` gives the level of the scores at hand.

    Example:
        >>> chance(np.array([0, 0, 0, 1]), 2, ["top_1", "roc_auc_macro", "pr_auc_macro"])
        {'top_1': 0.5, 'roc_auc_macro': 0.5, 'pr_auc_macro': 0.5}
    """
    check_metrics(metrics)
    n = len(labels)
    support = np.bincount(labels, minlength=n_classes)
    support = support[support > 0]
    guessed = 2 * support / (n + n_classes * support)
    levels = {
        "f1_weighted": float(np.average(guessed, weights=support)),
        "f1_macro": float(guessed.mean()),
        "roc_auc_macro": 0.5 if len(support) > 1 else float("nan"),
        "pr_auc_macro": float((support / n).mean()),
    }
    return {
        metric: min(_depth(metric) / n_classes, 1.0)
        if metric.startswith("top_")
        else levels[metric]
        for metric in metrics
    }


def check(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Refuse what no metric can be computed from; return the labels as intp.

    Raises:
        DataError: wrong shapes, no clip, labels that are no class index, scores that are NaN or
            infinite; all problems at once.
    """
    scores, labels = np.asarray(scores), np.asarray(labels)
    problems = []
    if scores.ndim != 2 or 0 in scores.shape:
        problems.append(f"scores have shape {scores.shape}, (clips, classes) is needed, none empty")
    elif labels.shape != scores.shape[:1]:
        problems.append(f"{scores.shape[0]} rows of scores and labels of shape {labels.shape}")
    if scores.dtype.kind != "f":
        problems.append(f"scores are {scores.dtype}, floating-point cosines are needed")
    elif scores.ndim == 2 and (bad := int((~np.isfinite(scores)).any(axis=1).sum())):
        problems.append(f"{bad} clip(s) have a score that is NaN or infinite")
    if labels.dtype.kind not in "iu":
        problems.append(f"labels are {labels.dtype}, integer class indices are needed")
    elif (
        labels.size and scores.ndim == 2 and not 0 <= labels.min() <= labels.max() < scores.shape[1]
    ):
        problems.append(
            f"labels reach from {labels.min()} to {labels.max()}, scores have "
            f"{scores.shape[1]} classes"
        )
    if problems:
        raise DataError("these scores cannot be evaluated: " + "; ".join(problems) + ".")
    return labels.astype(np.intp, copy=False)


def check_metrics(metrics: Sequence[str]) -> None:
    """Refuse names that no metric has.

    Raises:
        ConfigError: naming all of them.
    """
    fixed = [metric for metric in METRICS if not metric.startswith("top_")]
    unknown = [m for m in metrics if m not in fixed and not re.fullmatch(r"top_[1-9]\d*", m)]
    if unknown:
        raise ConfigError(
            f"unknown metric(s) {', '.join(unknown)}; there are top_<k>, {', '.join(fixed)}"
        )


def predictions(scores: np.ndarray) -> np.ndarray:
    """Predicted class of each clip, intp, shape (n,): the lowest index among the largest scores."""
    return np.argmax(scores, axis=1)


def rank_of_label(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Rank of each clip's class among its scores, intp, shape (n,), 0 for the predicted class.

    Example:
        >>> rank_of_label(np.array([[0.1, 0.5, 0.5]]), np.array([2])).tolist()
        [1]
    """
    ranks = np.empty(len(labels), dtype=np.intp)
    index = np.arange(scores.shape[1])
    for block in row_blocks(*scores.shape):
        rows, label = scores[block], labels[block, None]
        own = np.take_along_axis(rows, label, axis=1)
        ahead = (rows > own) | ((rows == own) & (index < label))
        ranks[block] = ahead.sum(axis=1)
    return ranks


def _top_k(
    scores: np.ndarray, labels: np.ndarray, counts: np.ndarray, depths: Sequence[int]
) -> dict[str, np.ndarray]:
    deepest = max(depths)
    ranks = np.minimum(rank_of_label(scores, labels), deepest)
    found = np.cumsum(sum_by_group(ranks, deepest + 1, counts), axis=0, dtype=np.float64)
    return {f"top_{k}": found[k - 1] / found[-1] for k in depths}


def _f1(
    predicted: np.ndarray, labels: np.ndarray, counts: np.ndarray, n_classes: int
) -> dict[str, np.ndarray]:
    hits, support, given = _hits(predicted, labels, counts, n_classes)
    by_class = 2 * hits / np.maximum(given + support, 1)
    present = support > 0
    return {
        "f1_weighted": np.average(by_class, axis=0, weights=support),
        "f1_macro": _macro(np.where(present, by_class, np.nan)),
    }


def _hits(
    predicted: np.ndarray, labels: np.ndarray, counts: np.ndarray, n_classes: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Right clips, clips and predictions of each class, each of shape (C, resamples)."""
    # One more group takes the clips that are wrong: selecting rows of `counts` would copy them.
    right = np.where(predicted == labels, labels, n_classes)
    hits = sum_by_group(right, n_classes + 1, counts)[:-1].astype(np.float64)
    support = sum_by_group(labels, n_classes, counts).astype(np.float64)
    return hits, support, sum_by_group(predicted, n_classes, counts)


def _areas(
    scores: np.ndarray, labels: np.ndarray, counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """ROC-AUC and PR-AUC of each class, both of shape (C, resamples)."""
    by_class = [
        one_vs_rest.areas(np.ascontiguousarray(scores[:, index]), labels == index, counts)
        for index in range(scores.shape[1])
    ]
    return np.array([a.roc_auc for a in by_class]), np.array([a.pr_auc for a in by_class])


def _macro(by_class: np.ndarray) -> np.ndarray:
    """Mean over the classes (rows) that are defined; NaN where none is."""
    defined = ~np.isnan(by_class)
    return divide(np.where(defined, by_class, 0.0).sum(axis=0), defined.sum(axis=0))


def divide(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Divide, NaN where the denominator is 0."""
    undefined = np.full(np.shape(numerator), np.nan)
    return np.divide(numerator, denominator, out=undefined, where=denominator > 0)


def _depth(metric: str) -> int:
    return int(metric.removeprefix("top_"))
