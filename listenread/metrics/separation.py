"""Separation: do matching pairs lie nearer to each other than pairs that do not match?

A *profile* holds, for each clip, the distribution of its similarities with what matches it and with
what does not, as histograms and moments, so that clips are left out with all their pairs.

Definitions: overlap coefficient, the common area of two densities (Inman and Bradley,
Communications in Statistics 18, 1989); d', the distance of the means in units of the mean spread
(Macmillan and Creelman, Detection Theory, 2005, chapter 3, unequal variances as d_a); modality gap,
the distance of the centroids of unit vectors (Liang et al., NeurIPS 2022, arXiv 2203.02053).
"""

import functools
import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from listenread.errors import DataError
from listenread.metrics.base import NO_CHANCE, Measurement, Metric, Resampling
from listenread.metrics.blocks import row_blocks
from listenread.metrics.scored import as_target, check, divide
from listenread.metrics.uncertainty import deal, jackknife, measurement
from listenread.metrics.vectors import unit_rows

POSITIVE_MEAN = Metric(
    "positive_mean", "positive mean", None, -1.0, 1.0, NO_CHANCE, "mean cosine of matching pairs"
)
NEGATIVE_MEAN = Metric(
    "negative_mean", "negative mean", None, -1.0, 1.0, NO_CHANCE, "mean cosine of other pairs"
)
D_PRIME = Metric(
    "d_prime", "d\u2032", "larger", -math.inf, math.inf, 0.0,
    "Macmillan and Creelman, Detection Theory, 2005, chapter 3 (d_a)",
)  # fmt: skip
OVERLAP = Metric(
    "overlap", "overlap", "smaller", 0.0, 1.0, 1.0,
    "Inman and Bradley, Communications in Statistics 18, 1989",
)  # fmt: skip
MODALITY_GAP = Metric(
    "modality_gap", "modality gap", "smaller", 0.0, 2.0, NO_CHANCE,
    "Liang et al., NeurIPS 2022, arXiv 2203.02053",
)  # fmt: skip
_CHANCE = {D_PRIME.name: 0.0, OVERLAP.name: 1.0}
OF_PAIRS = (POSITIVE_MEAN, NEGATIVE_MEAN, D_PRIME, OVERLAP)

#: Groups of clips for each bin below which the overlap of two histograms is biased, as noise makes
#: them differ. Pairs of clips are so many more that theirs is not; see docs/uncertainty.md.
_ENOUGH_FOR_A_BIN = 10
#: Below this variance similarities are constant but for rounding.
_CONSTANT = 1e-14


class Profile(NamedTuple):
    """Similarities of each clip, matching (positive) and not (negative).

    Attributes:
        positive: counts in equal bins from -1 to 1, int32, shape (n, bins); int64 where they are
            summed over clips, shape (1, bins).
        negative: the same for pairs that do not match.
        positive_moments: float64, shape (n, 3): number, sum and sum of squares.
        negative_moments: the same for pairs that do not match.
    """

    positive: np.ndarray
    negative: np.ndarray
    positive_moments: np.ndarray
    negative_moments: np.ndarray

    @property
    def edges(self) -> np.ndarray:
        """Edges of the bins, float64, shape (bins + 1,)."""
        return np.linspace(-1, 1, self.positive.shape[1] + 1)

    def densities(self) -> tuple[np.ndarray, np.ndarray]:
        """Densities of all positive and all negative pairs, each shape (bins,), integral 1."""
        width = 2 / self.positive.shape[1]
        positive, negative = self.positive.sum(axis=0), self.negative.sum(axis=0)
        return tuple(h / max(h.sum(), 1) / width for h in (positive, negative))


def text_audio_profile(
    scores: np.ndarray, labels: np.ndarray, *, bins: int, summed: bool = False
) -> Profile:
    """Profile of the cosines of clips with texts (or prototypes): own class against the others.

    Args:
        scores: cosines, shape (n, C), or (V, n, C) for variants of a prompt, which are pooled.
        labels: class indices, shape (n,).
        bins: between -1 and 1.
        summed: whether the clips are summed up, to a profile of one row, which takes no more memory
            for more of them.

    Raises:
        DataError: see `scored.check`.

    Example:
        >>> profile = text_audio_profile(np.array([[0.9, 0.1]]), np.array([0]), bins=4)
        >>> profile.positive.tolist(), profile.negative.tolist()
        ([[0, 0, 0, 1]], [[0, 0, 1, 0]])
    """
    scores = np.asarray(scores)
    variants = scores if scores.ndim == 3 else scores[None]
    whole: Profile | None = None
    for variant in variants:
        classes = check(variant, as_target(labels, variant.shape[1])).target.labels
        texts = np.arange(variant.shape[1])
        blocks = (
            _profile(variant[rows], texts == classes[rows, None], True, bins)
            for rows in row_blocks(len(variant), max(variant.shape[1], bins))
        )
        profile = _joined(blocks, summed)
        whole = profile if whole is None else Profile(*map(np.add, whole, profile))
    if whole is None:
        raise DataError("there is nothing to measure: the prompt has no variant")
    return whole


def clip_pair_profile(
    vectors: np.ndarray,
    labels: np.ndarray,
    *,
    bins: int,
    max_others: int,
    seed: int,
    groups: np.ndarray | None = None,
    summed: bool = False,
) -> Profile:
    """Profile of the cosines of clips with other clips: same class against other classes.

    Args:
        vectors: audio vectors, shape (n, d), of any length but zero.
        labels: class indices, shape (n,).
        bins: between -1 and 1.
        max_others: every clip is compared with all others, or, where these are more, with the same
            random `max_others` clips; cost grows with n times this.
        seed: of that choice.
        groups: int, shape (n,): clips of one group are not compared; None where each is its own.
        summed: see `text_audio_profile`.

    Raises:
        DataError: vectors that are zero, NaN or infinite.
    """
    blocks = (
        _profile(cosines, same, apart, bins)
        for _, _, cosines, same, apart in _clip_pairs(
            vectors, labels, np.arange(len(labels)) if groups is None else groups,
            bins=bins, max_others=max_others, seed=seed,
        )
    )  # fmt: skip
    return _joined(blocks, summed)


def _clip_pairs(
    vectors: np.ndarray,
    labels: np.ndarray,
    groups: np.ndarray,
    *,
    bins: int,
    max_others: int,
    seed: int,
) -> Iterator[tuple[slice, np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Compare clips with others, a block of clips at a time.

    Yields:
        The clips; the m others, shape (m,); their cosines, shape (rows, m); which pairs are of one
        class; and which are of different groups: the others tell nothing, above all a clip itself.
    """
    unit, labels = unit_rows(vectors, "audio"), np.asarray(labels)
    n = len(unit)
    chosen = np.arange(n)
    if n > max_others:
        chosen = np.sort(np.random.default_rng(seed).choice(n, max_others, replace=False))
    others = unit[chosen].T
    for rows in row_blocks(n, max(len(chosen), bins)):
        yield (
            rows,
            chosen,
            unit[rows] @ others,
            labels[rows, None] == labels[chosen],
            groups[rows, None] != groups[chosen],
        )


def _joined(blocks: Iterable[Profile], summed: bool) -> Profile:
    """Blocks of clips one below the other, or their sum."""
    if not summed:
        return Profile(*(np.concatenate(parts) for parts in zip(*blocks, strict=True)))
    sums = (Profile(*(part.sum(axis=0, keepdims=True) for part in block)) for block in blocks)
    return functools.reduce(lambda one, other: Profile(*map(np.add, one, other)), sums)


def measure(
    profile: Profile,
    groups: np.ndarray,
    resampling: Resampling,
) -> list[Measurement]:
    """Measure `positive_mean`, `negative_mean`, `d_prime` and `overlap`.

    Clips are left out with their profiles; what a clip is compared with stays as it is.
    `d_prime` is NaN where similarities do not vary, all of them where no pair is of a kind. Overlap
    is that of the histograms: 0 apart, 1 the same; it depends on the bins, `d_prime` does not.

    Args:
        profile: of n clips.
        groups: int, shape (n,): clips that are not independent share one.
        resampling: of the jackknife over groups of clips.

    Raises:
        DataError: groups and profile are not of the same clips.
    """
    n, bins = profile.positive.shape
    if np.shape(groups) != (n,):
        raise DataError(f"the profile is of {n} clips, groups have shape {np.shape(groups)}")
    table = np.concatenate([part.T for part in profile], dtype=np.float64)

    def statistics(counts: np.ndarray) -> dict[str, np.ndarray]:
        return _of_table(table @ counts, bins)

    return jackknife(
        statistics,
        groups,
        OF_PAIRS,
        resampling,
        chance=_CHANCE,
        bytes_per_replicate=12 * n + 64 * bins,
        enough={OVERLAP.name: _ENOUGH_FOR_A_BIN * bins},
    )


def measure_clip_pairs(
    vectors: np.ndarray,
    labels: np.ndarray,
    groups: np.ndarray,
    resampling: Resampling,
    *,
    bins: int,
    max_others: int,
) -> list[Measurement]:
    """Measure `positive_mean`, `negative_mean`, `d_prime` and `overlap` of pairs of clips.

    A replicate lacks the pairs in which either clip is left out. Only sums over the sets of clips
    are kept, so that memory does not grow with the clips.

    Args:
        vectors: audio vectors, shape (n, d), of any length but zero.
        labels: class indices, shape (n,).
        groups: int, shape (n,): clips of one group are not compared with each other.
        resampling: of the jackknife over groups of clips; its seed draws the others, too.
        bins: see `clip_pair_profile`.
        max_others: see `clip_pair_profile`.

    Raises:
        DataError: vectors that are zero, NaN or infinite.
    """
    sets, n_sets = deal(groups, resampling)
    size = 2 * bins + 6  # two histograms, two times three moments
    whole, first, second, both = (
        np.zeros(shape) for shape in (size, (max(n_sets, 1), size), (max(n_sets, 1), size),
                                      (max(n_sets, 1), size))
    )  # fmt: skip
    for rows, others, cosines, same, apart in _clip_pairs(
        vectors, labels, groups, bins=bins, max_others=max_others, seed=resampling.seed
    ):
        of_rows, of_others = sets[rows, None], sets[others]
        together = apart & (of_rows == of_others)
        by_first = _sums(
            cosines, same, apart, np.broadcast_to(of_rows, cosines.shape), bins, n_sets
        )
        whole += by_first.sum(axis=0)
        first += by_first
        second += _sums(
            cosines, same, apart, np.broadcast_to(of_others, cosines.shape), bins, n_sets
        )
        both += _sums(
            cosines, same, together, np.broadcast_to(of_rows, cosines.shape), bins, n_sets
        )
    left = (whole - first - second + both).T[:, :n_sets]  # (size, sets)
    values = _of_table(whole[:, None], bins)
    replicates = _of_table(left, bins) if n_sets else {}
    return [
        measurement(
            metric.name,
            float(values[metric.name][0]),
            replicates.get(metric.name, np.full(2 if resampling.n else 0, np.nan)),
            n=len(sets),
            n_groups=len(np.unique(groups)),
            chance=_CHANCE.get(metric.name, NO_CHANCE),
            scale=metric.scale,
            confidence_level=resampling.confidence_level,
        )
        for metric in OF_PAIRS
    ]


def _sums(
    cosines: np.ndarray,
    same: np.ndarray,
    valid: np.ndarray,
    sets: np.ndarray,
    bins: int,
    n_sets: int,
) -> np.ndarray:
    """Histograms and moments of pairs, positive and negative, by set: (sets, 2 bins + 6)."""
    n_sets = max(n_sets, 1)
    parts = []
    for kind in (same & valid, ~same & valid):
        values, of_set = np.clip(cosines[kind].astype(np.float64), -1, 1), sets[kind]  # (pairs,)
        cell = np.minimum(((values + 1) / 2 * bins).astype(np.intp), bins - 1)
        counted = np.bincount(of_set * bins + cell, minlength=n_sets * bins).reshape(n_sets, bins)
        moments = [np.bincount(of_set, power, n_sets) for power in (None, values, values**2)]
        parts.append((counted, np.stack(moments, axis=1)))
    (positive, p_moments), (negative, n_moments) = parts
    return np.concatenate([positive, negative, p_moments, n_moments], axis=1)


def _of_table(table: np.ndarray, bins: int) -> dict[str, np.ndarray]:
    """Statistics from histograms and moments, one below the other: (2 bins + 6, replicates)."""
    return _statistics(*np.split(table, [bins, 2 * bins, 2 * bins + 3]))


def measure_modality_gap(
    audio: np.ndarray,
    text: np.ndarray,
    groups: np.ndarray,
    resampling: Resampling,
) -> Measurement:
    """Measure `modality_gap`, the distance between the centroids of audio and of text, 0 to 2.

    Clips are left out; the texts are the ones that were asked.

    Args:
        audio: joint vectors, shape (n, d), of any length but zero.
        text: joint vectors, shape (L, d).
        groups: int, shape (n,): clips that are not independent share one.
        resampling: of the jackknife over groups of clips.

    Raises:
        DataError: vectors that are zero, NaN or infinite, or of different sizes.
    """
    audio, text = unit_rows(audio, "audio"), unit_rows(text, "text")
    if audio.shape[1] != text.shape[1]:
        raise DataError(f"audio has {audio.shape[1]} dimensions, text {text.shape[1]}: not joint")
    centroid = text.mean(axis=0)[:, None]  # (d, 1)
    (gap,) = jackknife(
        lambda counts: {
            MODALITY_GAP.name: np.linalg.norm(
                audio.T @ counts / counts.sum(axis=0) - centroid, axis=0
            )
        },
        groups,
        [MODALITY_GAP],
        resampling,
        bytes_per_replicate=12 * len(audio) + 24 * audio.shape[1],
    )
    return gap


def _profile(
    similarities: np.ndarray, matches: np.ndarray, valid: np.ndarray | bool, bins: int
) -> Profile:
    """Profile of rows of similarities; pairs that are not `valid` count nowhere."""
    n = len(similarities)
    values = np.clip(similarities.astype(np.float64), -1, 1)  # (n, others)
    cell = np.minimum(((values + 1) / 2 * bins).astype(np.int64), bins - 1)  # (n, others)
    cell += np.arange(n)[:, None] * bins  # bins of clip i begin at i * bins
    histograms, moments = [], []
    for kind in (matches & valid, ~matches & valid):
        counted = np.bincount(cell[kind], minlength=n * bins).reshape(n, bins)
        histograms.append(counted.astype(np.int32))
        kept = np.where(kind, values, 0.0)
        moments.append(np.stack([kind.sum(1), kept.sum(1), (kept**2).sum(1)], axis=1))
    return Profile(*histograms, *moments)


def _statistics(
    positive: np.ndarray, negative: np.ndarray, p_moments: np.ndarray, n_moments: np.ndarray
) -> dict[str, np.ndarray]:
    p_mean, p_variance = _mean_and_variance(p_moments)
    n_mean, n_variance = _mean_and_variance(n_moments)
    spread = (p_variance + n_variance) / 2
    varies = spread > _CONSTANT
    d_prime = np.full(spread.shape, np.nan)
    d_prime[varies] = (p_mean - n_mean)[varies] / np.sqrt(spread[varies])
    common = np.minimum(
        divide(positive, positive.sum(axis=0)),
        divide(negative, negative.sum(axis=0)),
    )
    return {
        POSITIVE_MEAN.name: p_mean,
        NEGATIVE_MEAN.name: n_mean,
        D_PRIME.name: d_prime,
        OVERLAP.name: common.sum(axis=0),
    }


def _mean_and_variance(moments: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    number, total, squares = moments
    mean = divide(total, number)
    return mean, np.maximum(divide(squares, number) - mean**2, 0)
