"""Scores and a target: what metrics of a classification are computed from, on many replicates.

`scores` are raw cosines, float32 or float64, shape (n, C), classes in vocabulary order. Decisions:

- *Ties.* The predicted class is the lowest index among the largest scores, and top-k continues in
  this order: equal scores rank by class index. A constant score therefore predicts class 0 and
  earns top-k only for the first k classes. Areas count a tie as half a pair (ROC) or as one
  threshold (PR).
- *Classes without a clip* stay among the candidates, because a prompt for them was asked, but are
  left out of every average over classes: they have no recall, F1 or curve. C is still the number
  of candidates.
- *One class in the data.* There are no negatives: ROC-AUC is NaN, PR-AUC is 1.
- *Labels that were not judged* count neither as positive nor as negative for their class.
- *NaN and infinite scores* are refused, and so is a dataset without clips.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from listenread.errors import DataError
from listenread.metrics import one_vs_rest
from listenread.metrics.base import Metric, Target
from listenread.metrics.blocks import row_blocks
from listenread.metrics.uncertainty import sum_by_group

#: Depths of top-k accuracy that are counted in one go.
_DEPTH = 5


@dataclass(frozen=True)
class Scored:
    """Scores with their target.

    Attributes:
        scores: shape (n, C), checked; see `check`.
        target: of the same clips.
    """

    scores: np.ndarray
    target: Target

    @property
    def n_classes(self) -> int:
        """The number of classes, C."""
        return int(self.scores.shape[1])

    @cached_property
    def predicted(self) -> np.ndarray:
        """Predicted class of each clip, intp, shape (n,)."""
        return predictions(self.scores)

    @cached_property
    def rank(self) -> np.ndarray:
        """Rank of each clip's class among its scores, intp, shape (n,), from 0."""
        return rank_of_label(self.scores, self.target.labels)

    def on(self, counts: np.ndarray) -> "Resampled":
        """Weigh the clips.

        Args:
            counts: how often each clip was drawn, shape (n, replicates).
        """
        return Resampled(self, counts)


@dataclass(frozen=True)
class Resampled:
    """Scores on many replicates; what several metrics need is computed once.

    Attributes:
        scored: scores and target.
        counts: shape (n, replicates): the weight of each clip, 0 where it is left out.
    """

    scored: Scored
    counts: np.ndarray

    def mean(self, values: np.ndarray) -> np.ndarray:
        """Mean of one value per clip, shape (n,): float64, shape (replicates,)."""
        return np.asarray(values, dtype=np.float64) @ self.counts / self.counts.sum(axis=0)

    def within(self, k: int) -> np.ndarray:
        """Share of clips whose class is among the k largest scores, shape (replicates,)."""
        found = self._up_to_depth if k <= _DEPTH else self._found(k)
        return found[min(k, len(found) - 1) - 1] / found[-1]

    @cached_property
    def _up_to_depth(self) -> np.ndarray:
        return self._found(_DEPTH)

    def _found(self, depth: int) -> np.ndarray:
        """Clips whose class is among the 1, 2, ... largest scores, and all: (depth + 1, r)."""
        ranks = np.minimum(self.scored.rank, depth)  # (n,)
        return np.cumsum(sum_by_group(ranks, depth + 1, self.counts), axis=0, dtype=np.float64)

    @cached_property
    def hits(self) -> np.ndarray:
        """Clips of each class that were given to it, float64, shape (C, replicates)."""
        labels, n_classes = self.scored.target.labels, self.scored.n_classes
        # One more group takes the clips that are wrong: selecting rows of `counts` would copy them.
        right = np.where(self.scored.predicted == labels, labels, n_classes)
        return sum_by_group(right, n_classes + 1, self.counts)[:-1].astype(np.float64)

    @cached_property
    def support(self) -> np.ndarray:
        """Clips of each class, float64, shape (C, replicates)."""
        labels, n_classes = self.scored.target.labels, self.scored.n_classes
        return sum_by_group(labels, n_classes, self.counts).astype(np.float64)

    @cached_property
    def given(self) -> np.ndarray:
        """Clips that were given to each class, shape (C, replicates)."""
        return sum_by_group(self.scored.predicted, self.scored.n_classes, self.counts)

    @cached_property
    def f1(self) -> np.ndarray:
        """F1 of each class, 0 where it is never predicted, float64, shape (C, replicates)."""
        return 2 * self.hits / np.maximum(self.given + self.support, 1)

    @cached_property
    def areas(self) -> tuple[np.ndarray, np.ndarray]:
        """ROC-AUC and average precision of each class, float64, shape (C, replicates) each."""
        by_class = [self._areas_of(index) for index in range(self.scored.n_classes)]
        return np.array([a.roc_auc for a in by_class]), np.array([a.pr_auc for a in by_class])

    def _areas_of(self, index: int) -> one_vs_rest.Areas:
        positive, judged = self.scored.target.of_class(index)
        scores = np.ascontiguousarray(self.scored.scores[:, index])  # (n,)
        if judged is None:
            return one_vs_rest.areas(scores, positive, self.counts)
        return one_vs_rest.areas(scores[judged], positive[judged], self.counts[judged])


def macro(by_class: np.ndarray) -> np.ndarray:
    """Mean over the classes (rows) that are defined; NaN where none is."""
    defined = ~np.isnan(by_class)
    return divide(np.where(defined, by_class, 0.0).sum(axis=0), defined.sum(axis=0))


def divide(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Divide, NaN where the denominator is 0."""
    undefined = np.full(np.shape(numerator), np.nan)
    return np.divide(numerator, denominator, out=undefined, where=denominator > 0)


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
        own = np.take_along_axis(rows, label, axis=1)  # (rows, 1)
        ahead = (rows > own) | ((rows == own) & (index < label))  # (rows, C)
        ranks[block] = ahead.sum(axis=1)
    return ranks


def check(scores: np.ndarray, target: Target) -> Scored:
    """Refuse what no metric can be computed from.

    Raises:
        DataError: wrong shapes, no clip, labels outside the classes, scores that are NaN or
            infinite; all problems at once.
    """
    scores = np.asarray(scores)
    problems = []
    if scores.ndim != 2 or 0 in scores.shape:
        problems.append(f"scores have shape {scores.shape}, (clips, classes) is needed, none empty")
    elif len(target) != len(scores):
        problems.append(f"{len(scores)} rows of scores and labels of {len(target)} clips")
    elif target.n_classes != scores.shape[1]:
        problems.append(
            f"scores have {scores.shape[1]} classes, the labels are of {target.n_classes}"
        )
    if scores.dtype.kind != "f":
        problems.append(f"scores are {scores.dtype}, floating-point cosines are needed")
    elif scores.ndim == 2 and (bad := int((~np.isfinite(scores)).any(axis=1).sum())):
        problems.append(f"{bad} clip(s) have a score that is NaN or infinite")
    if problems:
        raise DataError("these scores cannot be evaluated: " + "; ".join(problems) + ".")
    return Scored(scores, target)


def as_target(labels: "np.ndarray | Target", n_classes: int) -> Target:
    """Make a target of class indices, integers of shape (n,).

    Raises:
        DataError: labels that are not integers of that shape, or not in [0, n_classes).
    """
    if isinstance(labels, Target):
        return labels
    labels = np.asarray(labels)
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise DataError(
            f"labels are {labels.dtype} of shape {labels.shape}; integer class indices of shape "
            "(clips,) are needed"
        )
    if labels.size and not 0 <= labels.min() <= labels.max() < n_classes:
        raise DataError(
            f"labels reach from {labels.min()} to {labels.max()}, there are {n_classes} classes"
        )
    return Target(n_classes, labels.astype(np.intp, copy=False))


def trial(metric: Metric) -> list[str]:
    """Try a metric of a classification on six clips of three classes, and list what is wrong.

    One that is defined for several labels is tried on clips with several labels, too.
    """
    labels = np.array([0, 1, 2, 0, 1, 2])
    found = _trial(metric, Target(3, labels))
    if metric.multi_label and not found:
        positive = np.eye(3, dtype=bool)[labels]  # (6, 3)
        positive[0, 1] = True
        known = np.ones_like(positive)
        known[1, 2] = False
        found = _trial(metric, Target(3, None, positive, known))
    return found


def _trial(metric: Metric, target: Target) -> list[str]:
    scores = np.array(
        [[0.9, 0.1, 0.3], [0.2, 0.8, 0.4], [0.1, 0.2, 0.3], [0.5, 0.4, 0.3], [0.3, 0.6, 0.2],
         [0.2, 0.3, 0.1]]
    )  # fmt: skip
    counts = np.array([[1.0, 2.0], [1.0, 0.0], [1.0, 1.0], [1.0, 1.0], [1.0, 2.0], [1.0, 0.0]])
    if metric.weighted is None:
        return []
    try:
        values = np.asarray(metric.weighted(Scored(scores, target).on(counts)))
        level = metric.chance_level(target)
    except Exception as error:
        clips = "six clips of three classes" + ("" if target.single else " with several labels")
        return [f"breaks down on {clips}: {type(error).__name__}: {error}"]
    found = []
    if values.shape != (2,) or values.dtype.kind != "f":
        found.append(
            f"`weighted` gives {values.dtype} of shape {values.shape} for 2 replicates; floats of "
            "shape (2,) are needed"
        )
    elif not ((values >= metric.low) & (values <= metric.high))[~np.isnan(values)].all():
        found.append(f"gives {values.tolist()}, outside its range {metric.low} to {metric.high}")
    if not np.isnan(level) and not metric.low <= level <= metric.high:
        found.append(f"its chance level {level} is outside its range")
    return found
