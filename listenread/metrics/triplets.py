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

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Literal, NamedTuple

import numpy as np

from listenread.errors import ConfigError, DataError
from listenread.metrics.base import Measurement, Metric, Resampling
from listenread.metrics.uncertainty import jackknife, over_variants, p_above
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
        chance: accuracy that is expected of these vectors by chance; see `chance`.
    """

    right: np.ndarray
    total: np.ndarray
    chance: float

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
        return self._replace(right=self.right * keep, total=self.total * keep)

    def related(self) -> "Triplets":
        """Only the triplets whose three instruments share a family."""
        keep = np.zeros_like(self.total[0])
        keep[1:, 1:] = 1
        return self._replace(right=self.right * keep, total=self.total * keep)


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
    return Triplets(right, total, chance(similarities))


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
    """Measure `accuracy`, `accuracy_related`, `accuracy_level_<k>`, leaving out instruments.

    `accuracy_related` counts only triplets of three related instruments: without it the easy
    question for the family outweighs the rest; `accuracy_level_<k>` those whose anchor and negative
    share k levels, for every k that occurs. An instrument is left out of all three roles: every
    triplet with its vector goes. `n` is the number of anchors that have a triplet of the kind,
    `n_groups` that of the instruments.

    Args:
        vectors: text vectors, shape (L, d), or (V, L, d) for V variants of one prompt, whose values
            (and replicates) are averaged.
        distances: from `Ontology.distances`, shape (L, L).
        levels: from `Ontology.shared_levels`, shape (L, L).
        protocol: see the module.
        resampling: of the jackknife over instruments.

    Raises:
        DataError: see `evaluate`.
        ConfigError: an unknown protocol.
    """
    variants = np.asarray(vectors)

    def measure_one(variant: np.ndarray) -> list[Measurement]:
        outcome = evaluate(variant, distances, levels, protocol=protocol)
        asked = np.flatnonzero(outcome.total.sum(axis=(0, 1)))[:MOST_LEVELS]
        kinds = {ACCURACY: outcome, ACCURACY_RELATED: outcome.related()}
        kinds |= {levels_of_accuracy()[k]: outcome.at_level(int(k)) for k in asked}
        similarities = _cosines(variant, distances, levels)

        def statistics(weights: np.ndarray) -> dict[str, np.ndarray]:
            return _shares(similarities, distances, levels, protocol, list(kinds), weights)

        measured = jackknife(
            statistics,
            np.arange(len(variant)),
            list(kinds),
            resampling,
            chance=dict.fromkeys((kind.name for kind in kinds), outcome.chance),
        )
        return [
            replace(one, n=int(kind.total.any(axis=(1, 2)).sum()))
            for one, kind in zip(measured, kinds.values(), strict=True)
        ]

    averaged = over_variants(
        measure_one,
        variants if variants.ndim == 3 else variants[None],
        confidence_level=resampling.confidence_level,
    )
    return [replace(one, p=p_above(one, one.chance)) for one in averaged]


def chance(similarities: np.ndarray) -> float:
    """Accuracy that is expected when the vectors are dealt to the instruments at random.

    A triplet of three random vectors is right in half of the cases in which it is not a tie, and a
    tie is wrong: (1 - share of ties) / 2.

    Args:
        similarities: cosines, shape (L, L).

    Returns:
        NaN with fewer than three instruments.

    Example:
        >>> chance(np.ones((4, 4))), chance(np.arange(16.0).reshape(4, 4))
        (0.0, 0.5)
    """
    n = len(similarities)
    if n < 3:
        return float("nan")
    others = np.sort(similarities[~np.eye(n, dtype=bool)].reshape(n, n - 1), axis=1)
    ties = 0
    for row in others:
        alike = np.unique(row, return_counts=True)[1]
        ties += int((alike * (alike - 1)).sum())
    return (1 - ties / (n * (n - 1) * (n - 2))) / 2


def _shares(
    similarities: np.ndarray,
    distances: np.ndarray,
    levels: np.ndarray,
    protocol: TripletProtocol,
    kinds: Sequence[Metric],
    weights: np.ndarray,
) -> dict[str, np.ndarray]:
    """Weighted accuracy of each kind of triplets, shape (R,), for weights of shape (L, R)."""
    weights = weights.astype(np.float64)
    n, depth = len(similarities), int(levels.max(initial=0)) + 1
    # right and all triplets, by whether all three are related and by the level of the negative
    sums = np.zeros((2, 2, depth, weights.shape[1]))
    for anchor, positive, negative in by_anchor(distances, protocol=protocol):
        pairs = np.zeros((2, n, n))
        pairs[0, positive, negative] = (
            similarities[anchor, positive] > similarities[anchor, negative]
        )
        pairs[1, positive, negative] = 1
        near = levels[anchor] > 0  # (L,)
        for level in np.unique(levels[anchor, negative]):
            of_negative = weights * (levels[anchor] == level)[:, None]  # (L, R)
            for related in (False, True):
                of_positive = weights * (near == related)[:, None]  # (L, R)
                found = np.einsum("kpr,pr->kr", pairs @ of_negative, of_positive)  # (2, R)
                sums[:, int(related and level > 0), level] += found * weights[anchor]
    shares = {
        ACCURACY.name: _share(*sums.sum(axis=(1, 2))),
        ACCURACY_RELATED.name: _share(*sums[:, 1].sum(axis=1)),
    }
    by_level = sums.sum(axis=1)  # (2, depth, R)
    for level in range(min(depth, MOST_LEVELS)):
        shares[levels_of_accuracy()[level].name] = _share(*by_level[:, level])
    return {kind.name: shares[kind.name] for kind in kinds}


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
    # Equal vectors are multiplied once: the last bits of a product depend on its place.
    unit, which = np.unique(vectors, axis=0, return_inverse=True)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    return (unit @ unit.T)[np.ix_(which, which)]


def _share(right: np.ndarray, total: np.ndarray) -> np.ndarray:
    right, total = np.asarray(right, dtype=np.float64), np.asarray(total)
    return np.divide(right, total, out=np.full(right.shape, np.nan), where=total > 0)
