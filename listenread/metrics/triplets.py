"""Semantic triplets: are the texts of related instruments nearer than those of unrelated ones?

A triplet is (anchor, positive, negative); it is right if cos(anchor, positive) is larger than
cos(anchor, negative) among text vectors, strictly: texts with the same vector tell nothing apart.

Source: Vasilakis, Bittner and Pauwels, ISMIR 2024, arXiv 2407.18058, section on semantic
meaningfulness. Two protocols:

- `corrected`, the definition as worded: the positive is the instrument that is nearer to the anchor
  in the ontology, no common family is farthest; every instrument is an anchor.
- `published`, the released loop: it takes the released distances for similarities, so the
  instrument with the *larger* number is the positive, -1 (no common family) being the smallest; and
  it pairs only instruments that come after the anchor in the list.
"""

from collections.abc import Iterator
from functools import cache
from typing import Literal, NamedTuple

import numpy as np

from listenread.errors import ConfigError, DataError
from listenread.metrics.base import Measurement, Metric, Resampling
from listenread.metrics.uncertainty import bootstrap, over_variants
from listenread.ontology import released_matrix

TripletProtocol = Literal["published", "corrected"]
#: Trees deeper than this have no metric of their own for the deepest levels.
MOST_LEVELS = 32


@cache
def _accuracy(name: str, title: str) -> Metric:
    reference = "the paper, section on semantic meaningfulness; networkx for distances"
    return Metric(name, title, "larger", 0.0, 1.0, 0.5, reference)


def accuracy_at_level(level: int) -> Metric:
    """Accuracy on triplets whose anchor and negative share this many levels of the tree."""
    return _accuracy(f"accuracy_level_{level}", f"accuracy level {level}")


ACCURACY = _accuracy("accuracy", "accuracy")
ACCURACY_RELATED = _accuracy("accuracy_related", "accuracy related")


@cache
def levels_of_accuracy() -> tuple[Metric, ...]:
    """Accuracy by the number of levels that anchor and negative share, level 0 first."""
    return tuple(accuracy_at_level(level) for level in range(MOST_LEVELS))


def all_metrics() -> tuple[Metric, ...]:
    """Every metric of triplets, in the order of tables."""
    return (ACCURACY, ACCURACY_RELATED, *levels_of_accuracy())


class Triplets(NamedTuple):
    """How the triplets of one set of texts came out, by anchor.

    Attributes:
        right: int64, shape (L, D, D): right triplets by anchor, levels that anchor and positive
            share, levels that anchor and negative share (0: no family; D levels in all).
        total: all triplets, in the same shape.
    """

    right: np.ndarray
    total: np.ndarray

    @property
    def accuracy(self) -> float:
        """Share of right triplets over all anchors; NaN where there is no triplet."""
        return float(_share(self.right.sum(), self.total.sum()))

    def by_anchor(self) -> np.ndarray:
        """Accuracy of each anchor, float64, shape (L,); NaN for an anchor without a triplet."""
        return _share(self.right.sum(axis=(1, 2)), self.total.sum(axis=(1, 2)))

    def by_level(self) -> np.ndarray:
        """Accuracy by the levels that anchor and negative share, float64, shape (D,).

        Level 0 asks for the family alone; the deeper the level, the finer the distinction.
        """
        return _share(self.right.sum(axis=(0, 1)), self.total.sum(axis=(0, 1)))

    def at_level(self, level: int) -> "Triplets":
        """Only the triplets whose anchor and negative share this many levels; see `by_level`."""
        keep = np.zeros_like(self.total[0])
        keep[:, level] = 1
        return Triplets(self.right * keep, self.total * keep)

    def related(self) -> "Triplets":
        """Only the triplets whose three instruments share a family."""
        keep = np.zeros_like(self.total[0])
        keep[1:, 1:] = 1
        return Triplets(self.right * keep, self.total * keep)


def evaluate(
    vectors: np.ndarray, distances: np.ndarray, levels: np.ndarray, *, protocol: TripletProtocol
) -> Triplets:
    """Judge every triplet.

    Args:
        vectors: text vectors, joint or pre-joint, shape (L, d), of any length but zero.
        distances: from `Ontology.distances`, shape (L, L).
        levels: from `Ontology.shared_levels`, shape (L, L).
        protocol: see the module.

    Raises:
        DataError: shapes that do not fit, vectors that are zero, NaN or infinite.
        ConfigError: an unknown protocol.

    Example:
        >>> vectors = np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]])
        >>> distances = np.array([[0, 2, np.inf], [2, 0, np.inf], [np.inf, np.inf, 0]])
        >>> levels = np.array([[2, 1, 0], [1, 2, 0], [0, 0, 2]])
        >>> evaluate(vectors, distances, levels, protocol="corrected").accuracy
        1.0
    """
    similarities = _cosines(vectors, distances, levels)
    n, depth = len(vectors), int(levels.max(initial=0)) + 1
    right = np.zeros((n, depth, depth), dtype=np.int64)
    total = np.zeros_like(right)
    for anchor, positive, negative in by_anchor(distances, protocol=protocol):
        cell = levels[anchor, positive] * depth + levels[anchor, negative]
        is_right = similarities[anchor, positive] > similarities[anchor, negative]
        total[anchor] = np.bincount(cell, minlength=depth**2).reshape(depth, depth)
        right[anchor] = np.bincount(cell[is_right], minlength=depth**2).reshape(depth, depth)
    return Triplets(right, total)


def by_anchor(
    distances: np.ndarray, *, protocol: TripletProtocol
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """List all triplets, anchor by anchor.

    Yields:
        The anchor's index, the indices of the positives and those of the negatives, in pairs.

    Raises:
        ConfigError: an unknown protocol.
    """
    if protocol not in ("published", "corrected"):
        raise ConfigError(f"protocol {protocol!r} is neither 'published' nor 'corrected'")
    index = np.arange(len(distances))
    for anchor in index:
        if protocol == "published":
            others = index[anchor + 1 :]
            nearness = released_matrix(distances)[anchor, others]
        else:
            others = np.delete(index, anchor)
            nearness = -distances[anchor, others]
        positive, negative = np.nonzero(nearness[:, None] > nearness[None, :])
        yield int(anchor), others[positive], others[negative]


def measure(
    vectors: np.ndarray,
    distances: np.ndarray,
    levels: np.ndarray,
    *,
    protocol: TripletProtocol,
    resampling: Resampling,
) -> list[Measurement]:
    """Measure `accuracy`, `accuracy_related`, `accuracy_level_<k>`; the bootstrap draws anchors.

    `accuracy_related` counts only triplets of three related instruments: without it the easy
    question for the family outweighs the rest; `accuracy_level_<k>` those whose anchor and negative
    share k levels, for every k that occurs. The triplets of one anchor are resampled together,
    because they share its vector. `n` is the number of anchors that have a triplet of the kind.

    Args:
        vectors: text vectors, shape (L, d), or (V, L, d) for V variants of one prompt, whose values
            (and replicates) are averaged.
        distances: from `Ontology.distances`, shape (L, L).
        levels: from `Ontology.shared_levels`, shape (L, L).
        protocol: see the module.
        resampling: of the bootstrap over anchors.

    Raises:
        DataError: see `evaluate`.
        ConfigError: an unknown protocol.
    """
    variants = np.asarray(vectors)

    def measure_one(variant: np.ndarray) -> list[Measurement]:
        outcome = evaluate(variant, distances, levels, protocol=protocol)
        kinds = {ACCURACY: outcome, ACCURACY_RELATED: outcome.related()}
        for level in np.flatnonzero(outcome.total.sum(axis=(0, 1)))[:MOST_LEVELS]:
            kinds[levels_of_accuracy()[level]] = outcome.at_level(int(level))
        return [_measure_kind(metric.name, kind, resampling) for metric, kind in kinds.items()]

    return over_variants(
        measure_one,
        variants if variants.ndim == 3 else variants[None],
        confidence_level=resampling.confidence_level,
    )


def _measure_kind(metric: str, outcome: Triplets, resampling: Resampling) -> Measurement:
    right, total = outcome.right.sum(axis=(1, 2)), outcome.total.sum(axis=(1, 2))
    asked = total > 0
    if not asked.any():
        undefined = float("nan")
        return Measurement(
            metric, undefined, undefined, undefined, 0, 0.5, np.full(resampling.n, undefined)
        )
    (measurement,) = bootstrap(
        lambda counts: {metric: (right[asked] @ counts) / (total[asked] @ counts)},
        np.zeros(asked.sum(), dtype=np.int64),
        resampling,
        chance={metric: 0.5},
        bytes_per_resample=8 * int(asked.sum()),
    )
    return measurement


def _cosines(vectors: np.ndarray, distances: np.ndarray, levels: np.ndarray) -> np.ndarray:
    vectors = np.asarray(vectors, dtype=np.float64)
    problems = []
    if vectors.ndim != 2:
        problems.append(f"vectors have shape {vectors.shape}, (labels, d) is needed")
    elif not np.isfinite(vectors).all():
        problems.append("a text vector holds NaN or infinity")
    elif not vectors.any(axis=1).all():
        problems.append("a text vector is zero and has no direction")
    square = (len(vectors), len(vectors))
    for name, matrix in [("distances", distances), ("levels", levels)]:
        if np.shape(matrix) != square:
            problems.append(f"{name} have shape {np.shape(matrix)}, {square} is needed")
    if problems:
        raise DataError("triplets cannot be judged: " + "; ".join(problems) + ".")
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit @ unit.T


def _share(right: np.ndarray, total: np.ndarray) -> np.ndarray:
    right, total = np.asarray(right, dtype=np.float64), np.asarray(total)
    return np.divide(right, total, out=np.full(right.shape, np.nan), where=total > 0)
