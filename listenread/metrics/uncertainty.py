"""Uncertainty of every value and every difference: a stratified bootstrap over clips.

A resample is a column of *counts*: how often each clip was drawn. Metrics take the counts as
weights, so that all resamples are evaluated at once and no score is ever copied. Resample `r` is
drawn from a generator seeded with ``(seed, r)`` alone: it is the same for every prompt and model of
a dataset, whatever the block size, and replicates can be subtracted in pairs.

Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapters 6 and 13 (percentile
interval).
"""

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np

from listenread.errors import ConfigError, DataError
from listenread.metrics.base import NO_CHANCE, Measurement, Resampling

#: Largest number that float32 counts as an integer without a gap.
_EXACT_FLOAT32 = 2**24
#: Blocks of counts up to this size are kept, a few of them, for the next metric or variant.
_KEPT_BYTES = 2**24


def resample_blocks(
    strata: np.ndarray, resampling: Resampling, *, bytes_per_resample: int
) -> Iterator[tuple[slice, np.ndarray]]:
    """Draw all resamples in blocks that fit into `Resampling.max_bytes`.

    Args:
        strata: see `bootstrap_counts`.
        resampling: how many, from which seed; at least one resample is drawn at a time.
        bytes_per_resample: what the caller needs in memory for one resample, counts included.

    Yields:
        The slice of resamples and its counts, shape (n, slice length).
    """
    n = resampling.n
    size = int(np.clip(resampling.max_bytes // max(bytes_per_resample, 1), 1, max(n, 1)))
    for start in range(0, n, size):
        stop = min(start + size, n)
        counts = bootstrap_counts(strata, start=start, stop=stop, seed=resampling.seed)
        yield slice(start, stop), counts


def bootstrap_counts(strata: np.ndarray, *, start: int = 0, stop: int, seed: int) -> np.ndarray:
    """Count how often each unit is drawn in resamples `start` to `stop`.

    Within each stratum as many units are drawn, with replacement, as it has; a stratum of one unit
    therefore never varies.

    Args:
        strata: int, shape (n,): the class of each clip, or any other grouping; all zeros for a
            plain bootstrap.
        start: first resample.
        stop: one past the last.
        seed: of the whole bootstrap, not negative.

    Returns:
        Integers in a read-only float32 array, shape (n, stop - start); float64 from 2**24 units on.

    Raises:
        DataError: there is no unit to draw.

    Example:
        >>> counts = bootstrap_counts(np.array([0, 0, 0, 1]), stop=2, seed=1)
        >>> counts.shape, counts[:3].sum(axis=0).tolist(), counts[3].tolist()
        ((4, 2), [3.0, 3.0], [1.0, 1.0])
    """
    strata = np.asarray(strata)
    if strata.ndim != 1 or not len(strata):
        raise DataError(f"a bootstrap needs at least one unit in one dimension, got {strata.shape}")
    draw = _draw_again if 4 * len(strata) * (stop - start) <= _KEPT_BYTES else _draw
    stratum = np.unique(strata, return_inverse=True)[1].astype(np.int64)
    return draw(stratum.tobytes(), start, stop, seed)


def _draw(strata: bytes, start: int, stop: int, seed: int) -> np.ndarray:
    stratum = np.frombuffer(strata, dtype=np.int64)
    sizes = np.bincount(stratum)
    order = np.argsort(stratum, kind="stable")
    size_of = np.repeat(sizes, sizes)
    first_of = np.repeat(np.cumsum(sizes) - sizes, sizes)
    dtype = np.float32 if len(stratum) < _EXACT_FLOAT32 else np.float64
    counts = np.empty((len(stratum), stop - start), dtype=dtype)
    for column, resample in enumerate(range(start, stop)):
        uniform = np.random.default_rng([seed, resample]).random(len(stratum))
        drawn = first_of + (uniform * size_of).astype(np.intp)
        counts[order, column] = np.bincount(drawn, minlength=len(stratum))
    counts.flags.writeable = False
    return counts


_draw_again = functools.lru_cache(maxsize=8)(_draw)


def sum_by_group(groups: np.ndarray, n_groups: int, counts: np.ndarray) -> np.ndarray:
    """Sum the counts of the units of each group, for all resamples at once.

    Args:
        groups: int, shape (n,), in [0, n_groups).
        n_groups: how many groups there are.
        counts: shape (n, resamples).

    Returns:
        Shape (n_groups, resamples), dtype of `counts`.

    Example:
        >>> sum_by_group(np.array([1, 0, 1]), 3, np.array([[1.0], [2.0], [5.0]])).tolist()
        [[2.0], [6.0], [0.0]]
    """
    from scipy.sparse import csr_array

    # A narrow type lets numpy's stable sort be a radix sort.
    small = groups.astype(np.uint16) if n_groups <= 2**16 else groups
    ends = np.cumsum(np.bincount(groups, minlength=n_groups))
    members = csr_array(
        (
            np.ones(len(groups), dtype=counts.dtype),
            np.argsort(small, kind="stable"),
            np.concatenate([[0], ends]),
        ),
        shape=(n_groups, len(groups)),
    )
    return members @ counts


def percentile_interval(replicates: np.ndarray, confidence_level: float) -> tuple[float, float]:
    """Return the ends of the central `confidence_level` of the replicates, NaN if undefined.

    Raises:
        ConfigError: `confidence_level` is not strictly between 0 and 1.

    Example:
        >>> percentile_interval(np.arange(101.0), confidence_level=0.5)
        (25.0, 75.0)
    """
    if not 0 < confidence_level < 1:
        raise ConfigError(
            f"confidence_level is {confidence_level}; it must lie between 0 and 1, e.g. 0.95"
        )
    if not len(replicates) or np.isnan(replicates).all():
        return float("nan"), float("nan")
    tail = (1 - confidence_level) / 2
    low, high = np.nanquantile(replicates, [tail, 1 - tail])
    return float(low), float(high)


def paired_difference(
    first: Measurement, second: Measurement, *, confidence_level: float
) -> Measurement:
    """Measure `first - second` from replicates on the same resamples.

    The two must come from the same clips, seed and number of resamples (two prompts, two models).
    Its chance level is 0: no difference.

    Raises:
        DataError: the two were not resampled together.

    Example:
        >>> a = Measurement("top_1", 0.5, 0.4, 0.6, n=10, replicates=np.array([0.4, 0.5, 0.6]))
        >>> b = Measurement("top_1", 0.4, 0.3, 0.5, n=10, replicates=np.array([0.3, 0.4, 0.5]))
        >>> difference = paired_difference(a, b, confidence_level=0.9)
        >>> round(difference.value, 3), round(difference.ci_low, 3), round(difference.ci_high, 3)
        (0.1, 0.1, 0.1)
    """
    problems = [
        f"{name}: {left!r} and {right!r}"
        for name, left, right in [
            ("metric", first.metric, second.metric),
            ("n", first.n, second.n),
            ("resamples", len(first.replicates), len(second.replicates)),
        ]
        if left != right
    ]
    if problems:
        raise DataError("two measurements cannot be paired; they differ in " + "; ".join(problems))
    replicates = first.replicates - second.replicates
    low, high = percentile_interval(replicates, confidence_level)
    return Measurement(
        first.metric, first.value - second.value, low, high, first.n, 0.0, replicates
    )


def bootstrap(
    statistics: Callable[[np.ndarray], Mapping[str, np.ndarray]],
    strata: np.ndarray,
    resampling: Resampling,
    *,
    chance: Mapping[str, float] | None = None,
    bytes_per_resample: int = 0,
) -> list[Measurement]:
    """Measure statistics on the units as they are and on stratified resamples of them.

    Args:
        statistics: takes counts, shape (n, r), gives for each metric its r values.
        strata: int, shape (n,); see `bootstrap_counts`.
        resampling: how many resamples, the level of the interval, the seed.
        chance: chance level for each metric that has one.
        bytes_per_resample: what `statistics` needs for one resample; 16 per unit by default.

    Returns:
        One measurement for each metric, in the order of `statistics`.
    """
    values = statistics(np.ones((len(strata), 1)))
    replicates = {metric: np.empty(resampling.n) for metric in values}
    blocks = resample_blocks(
        strata, resampling, bytes_per_resample=bytes_per_resample or 16 * len(strata)
    )
    for block, counts in blocks:
        for metric, result in statistics(counts).items():
            replicates[metric][block] = result
    return [
        Measurement(
            metric,
            float(value[0]),
            *percentile_interval(replicates[metric], resampling.confidence_level),
            n=len(strata),
            chance=(chance or {}).get(metric, NO_CHANCE),
            replicates=replicates[metric],
        )
        for metric, value in values.items()
    ]


def over_variants(
    measure_one: Callable[[np.ndarray], list[Measurement]],
    variants: Iterable[np.ndarray],
    *,
    confidence_level: float,
) -> list[Measurement]:
    """Average measurements over the variants of one prompt, replicate by replicate.

    Args:
        measure_one: measures one variant; always the same metrics on the same resamples.
        variants: e.g. scores, shape (V, n, C).
        confidence_level: of the interval of the average.

    Raises:
        DataError: there is no variant.
    """
    return mean_of([measure_one(variant) for variant in variants], confidence_level)


def mean_of(
    variants: Sequence[Sequence[Measurement]], confidence_level: float
) -> list[Measurement]:
    """Average the measurements of variants, metric by metric and replicate by replicate.

    Raises:
        DataError: there is no variant.
    """
    if not variants:
        raise DataError("there is nothing to measure: the prompt has no variant")
    return [_mean(same, confidence_level) for same in zip(*variants, strict=True)]


def _mean(measurements: Sequence[Measurement], confidence_level: float) -> Measurement:
    first = measurements[0]
    if len(measurements) == 1:
        return first
    replicates = np.mean([one.replicates for one in measurements], axis=0)
    value = float(np.mean([one.value for one in measurements]))
    low, high = percentile_interval(replicates, confidence_level)
    return Measurement(first.metric, value, low, high, first.n, first.chance, replicates)
