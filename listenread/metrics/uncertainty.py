"""Uncertainty of every value and every difference: a jackknife that leaves out groups of clips.

Clips that are not independent share a group. The groups are dealt to sets of equal size, and a
*replicate* is a value on all clips but those of one set. Metrics take the clips of a replicate as
weights, 1 or 0, so that all replicates are evaluated at once and no score is ever copied. The deal
depends on the groups and the seed alone: it is the same for every prompt and model of a dataset,
and replicates can be subtracted in pairs.

Why this method, and what its intervals cover: docs/uncertainty.md.

Sources: Kott, Journal of Official Statistics 17, 2001 (delete-a-group jackknife, interval by
Student's t); Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 11 (correction
of bias); Clopper and Pearson, Biometrika 26, 1934 (shares that are 0 or 1).
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from listenread.errors import ConfigError, DataError
from listenread.metrics.base import LINEAR, NO_CHANCE, Measurement, Metric, Resampling, Scale

#: How the column `interval` names the methods.
JACKKNIFE, EXACT, UNDEFINED = "jackknife", "Clopper-Pearson", "not defined"
#: The jackknife over fewer groups than `Scale.enough`.
FEW_GROUPS = "jackknife, few groups"
#: How many are enough for scores that were learned from the clips, such as those of class means.
ENOUGH_TO_LEARN = 600
#: And groups for each class, of what is a mean over classes.
ENOUGH_FOR_A_CLASS = 20
#: Sets that carry the spread of replicates; of 60 normal ones about 20 do.
_ENOUGH_SETS = 4
#: Units times groups below which they are summed without importing scipy, which takes 0.2 s: what
#: checks a metric's contract, in the process that plans, has some ten of each.
_FEW_CELLS = 1024
#: Spread of replicates that is rounding.
_ROUNDING = 1e-12


def deal(groups: np.ndarray, resampling: Resampling) -> tuple[np.ndarray, int]:
    """Deal groups of clips to the sets that replicates leave out.

    Sets have as many groups each, but for the last ones, which lack one: a few groups more than
    there are replicates make fewer sets of two groups, not a mixture of one and two.

    Args:
        groups: int, shape (n,): the group of each clip.
        resampling: at most how many sets, and the seed.

    Returns:
        The set of each clip, intp, shape (n,), and the number of sets; 0 sets where there are
        fewer than two groups or replicates.

    Raises:
        DataError: there is no clip.

    Example:
        >>> sets, n_sets = deal(np.array([0, 0, 1, 2]), Resampling(60))
        >>> n_sets, len(set(sets.tolist())), sets[0] == sets[1]
        (3, 3, np.True_)
    """
    groups = np.asarray(groups)
    if groups.ndim != 1 or not len(groups):
        raise DataError(f"a jackknife needs at least one clip in one dimension, got {groups.shape}")
    _, group = np.unique(groups, return_inverse=True)
    n_groups = int(group.max()) + 1
    if min(n_groups, resampling.n) < 2:
        return np.zeros(len(groups), dtype=np.intp), 0
    n_sets = math.ceil(n_groups / math.ceil(n_groups / resampling.n))
    order = np.random.default_rng(resampling.seed).permutation(n_groups)
    return (order % n_sets)[group], n_sets


def replicate_blocks(
    sets: np.ndarray, n_sets: int, resampling: Resampling, *, bytes_per_replicate: int
) -> Iterator[tuple[slice, np.ndarray]]:
    """Weigh clips in all replicates, in blocks that fit into `Resampling.max_bytes`.

    Args:
        sets: see `deal`.
        n_sets: how many.
        resampling: has the bound; at least one replicate is made at a time.
        bytes_per_replicate: what the caller needs in memory for one replicate, weights included.

    Yields:
        The slice of replicates and the weights, float32, shape (n, slice length): 0 for the clips
        of the set that a replicate leaves out, 1 for the others; float64 from 2**24 clips on, which
        float32 cannot count.
    """
    size = int(np.clip(resampling.max_bytes // max(bytes_per_replicate, 1), 1, max(n_sets, 1)))
    dtype = np.float32 if len(sets) < 2**24 else np.float64
    for start in range(0, n_sets, size):
        stop = min(start + size, n_sets)
        yield slice(start, stop), (sets[:, None] != np.arange(start, stop)).astype(dtype)


def sum_by_group(groups: np.ndarray, n_groups: int, counts: np.ndarray) -> np.ndarray:
    """Sum the counts of the units of each group, for all replicates at once.

    Args:
        groups: int, shape (n,), in [0, n_groups).
        n_groups: how many groups there are.
        counts: shape (n, replicates).

    Returns:
        Shape (n_groups, replicates), dtype of `counts`.

    Example:
        >>> sum_by_group(np.array([1, 0, 1]), 3, np.array([[1.0], [2.0], [5.0]])).tolist()
        [[2.0], [6.0], [0.0]]
    """
    if len(groups) * n_groups < _FEW_CELLS:
        return (groups == np.arange(n_groups)[:, None]).astype(counts.dtype) @ counts
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


def check_level(confidence_level: float) -> None:
    """Refuse what is no confidence level.

    Raises:
        ConfigError: `confidence_level` is not strictly between 0 and 1.
    """
    if not 0 < confidence_level < 1:
        raise ConfigError(
            f"confidence_level is {confidence_level}; it must lie between 0 and 1, e.g. 0.95"
        )


def percentile_interval(values: np.ndarray, confidence_level: float) -> tuple[float, float]:
    """Return the ends of the central `confidence_level` of the values, NaN if undefined.

    Raises:
        ConfigError: `confidence_level` is not strictly between 0 and 1.

    Example:
        >>> percentile_interval(np.arange(101.0), confidence_level=0.5)
        (25.0, 75.0)
    """
    check_level(confidence_level)
    if not len(values) or np.isnan(values).all():
        return float("nan"), float("nan")
    tail = (1 - confidence_level) / 2
    low, high = np.nanquantile(values, [tail, 1 - tail])
    return float(low), float(high)


def standard_error(value: float, replicates: np.ndarray) -> tuple[float, float]:
    """Correct a value's bias and estimate its standard error, from replicates of a jackknife.

    Args:
        value: from all clips.
        replicates: shape (R,), each from all clips but those of one of R sets of equal size.

    Returns:
        The value without its bias, and its standard error; NaN where a replicate is undefined, for
        then the value hangs on the few clips which that replicate leaves out.

    Example:
        >>> clips = np.array([1.0, 2.0, 4.0, 9.0])
        >>> mean, error = standard_error(clips.mean(), (clips.sum() - clips) / 3)
        >>> mean, bool(np.isclose(error, clips.std(ddof=1) / 2))
        (4.0, True)
    """
    n = len(replicates)
    if n < 2 or np.isnan(value) or np.isnan(replicates).any():
        return float("nan"), float("nan")
    mean = float(replicates.mean())
    spread = math.sqrt((n - 1) / n * float(((replicates - mean) ** 2).sum()))
    return float(n * value - (n - 1) * mean), spread


def interval(
    value: float,
    replicates: np.ndarray,
    scale: Scale,
    n_groups: int,
    confidence_level: float,
) -> tuple[float, float, str]:
    """Return the ends of a value's interval and the method that gives them.

    The interval is Student's around the value without its bias, on the logit scale of what lies
    between two bounds, so that it never leaves them. A share of 0 or 1, where nothing varies, has
    the interval of Clopper and Pearson, as if every group were right or wrong as a whole. Whatever
    else does not vary has none.

    Args:
        value: from all clips.
        replicates: see `standard_error`.
        scale: bounds of the value, whether it is a share of clips, and how many groups are enough.
        n_groups: that the value rests on.
        confidence_level: strictly between 0 and 1.

    Raises:
        ConfigError: see `check_level`.

    Example:
        >>> low, high, method = interval(1.0, np.ones(20), Scale(0.0, 1.0, share=True), 20, 0.95)
        >>> round(low, 3), high, method
        (0.832, 1.0, 'Clopper-Pearson')
    """
    from scipy.special import stdtrit

    check_level(confidence_level)
    if not len(replicates):
        return float("nan"), float("nan"), ""
    if n_groups < 2:
        return float("nan"), float("nan"), UNDEFINED
    centre, error = standard_error(value, replicates)
    if np.isnan(error):
        return float("nan"), float("nan"), UNDEFINED
    if scale.learned:
        centre = value
    if error <= _ROUNDING:
        return *_without_variation(value, scale, n_groups, confidence_level), (
            EXACT if scale.share else UNDEFINED
        )
    freedom = min(len(replicates), n_groups) - 1
    few = n_groups < scale.enough or _sets_behind(replicates) < _ENOUGH_SETS
    method = FEW_GROUPS if few else JACKKNIFE
    reach = error * float(stdtrit(freedom, (1 + confidence_level) / 2))
    if not scale.bounded:
        return centre - reach, centre + reach, method
    width = scale.high - scale.low
    share = (min(max(centre, scale.low), scale.high) - scale.low) / width
    if not 0 < share < 1:  # a correction beyond the bounds
        share = (value - scale.low) / width
    if not 0 < share < 1:
        return float("nan"), float("nan"), UNDEFINED
    logit = math.log(share / (1 - share))
    reach /= width * share * (1 - share)  # the derivative of the logit
    ends = (scale.low + width * _expit(logit + sign * reach) for sign in (-1, 1))
    low, high = ends
    return low, high, method


def _sets_behind(replicates: np.ndarray) -> float:
    """Say how many sets carry the spread, as if they did so equally: the participation ratio."""
    squares = (replicates - replicates.mean()) ** 2
    return float(squares.sum() ** 2 / (squares**2).sum())


def _expit(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def _without_variation(
    value: float, scale: Scale, n_groups: int, confidence_level: float
) -> tuple[float, float]:
    """Interval of a share that no replicate changes: all groups are right, or all wrong.

    For a difference of two shares no group differs. Another share than these has no interval, nor
    has what is not a share.
    """
    undefined = float("nan"), float("nan")
    if not scale.share or n_groups < 1:
        return undefined
    rest = 1 - ((1 - confidence_level) / 2) ** (1 / n_groups)
    if not scale.bounded:
        return (-rest, rest) if abs(value) <= _ROUNDING else undefined
    if value <= scale.low + _ROUNDING:
        return scale.low, scale.low + rest * (scale.high - scale.low)
    if value >= scale.high - _ROUNDING:
        return scale.high - rest * (scale.high - scale.low), scale.high
    return undefined


def paired_difference(
    first: Measurement, second: Measurement, *, confidence_level: float
) -> Measurement:
    """Measure `first - second` from replicates that leave out the same clips.

    The two must come from the same clips and seed (two prompts, two models). Its chance level is 0:
    no difference.

    Raises:
        DataError: the two were not measured on the same clips.

    Example:
        >>> a = Measurement("top_1", 0.5, n=10, replicates=np.array([0.4, 0.5, 0.6]))
        >>> b = Measurement("top_1", 0.4, n=10, replicates=np.array([0.4, 0.4, 0.4]))
        >>> difference = paired_difference(a, b, confidence_level=0.9)
        >>> round(difference.value, 3), difference.replicates.round(3).tolist()
        (0.1, [0.0, 0.1, 0.2])
    """
    problems = [
        f"{name}: {left!r} and {right!r}"
        for name, left, right in [
            ("metric", first.metric, second.metric),
            ("clips", first.n, second.n),
            ("groups of clips", first.n_groups, second.n_groups),
            ("replicates", len(first.replicates), len(second.replicates)),
        ]
        if left != right
    ]
    if problems:
        raise DataError("two measurements cannot be paired; they differ in " + "; ".join(problems))
    return measurement(
        first.metric,
        first.value - second.value,
        first.replicates - second.replicates,
        n=first.n,
        n_groups=first.n_groups,
        chance=0.0,
        scale=replace(
            first.scale,
            low=LINEAR.low,
            high=LINEAR.high,
            enough=max(first.scale.enough, second.scale.enough),
        ),
        confidence_level=confidence_level,
    )


def p_above(one: Measurement, level: float) -> float:
    """Probability that a value this far above a level is found where the truth is that level.

    Student's test, one-sided, from the replicates; NaN where these do not vary.
    """
    from scipy.special import stdtr

    centre, error = standard_error(one.value, one.replicates)
    if np.isnan(error) or error <= _ROUNDING or np.isnan(level):
        return float("nan")
    freedom = min(len(one.replicates), one.n_groups) - 1
    return float(stdtr(freedom, (level - centre) / error))


def measurement(
    metric: str,
    value: float,
    replicates: np.ndarray,
    *,
    n: int,
    n_groups: int,
    chance: float = NO_CHANCE,
    scale: Scale = LINEAR,
    confidence_level: float,
) -> Measurement:
    """Complete a value by its interval."""
    low, high, method = interval(value, replicates, scale, n_groups, confidence_level)
    return Measurement(
        metric, value, low, high, n, chance, n_groups, method, replicates=replicates, scale=scale
    )


def jackknife(
    statistics: Callable[[np.ndarray], Mapping[str, np.ndarray]],
    groups: np.ndarray,
    metrics: Mapping[str, Metric] | Sequence[Metric],
    resampling: Resampling,
    *,
    chance: Mapping[str, float] | None = None,
    bytes_per_replicate: int = 0,
    relearned: Callable[[np.ndarray], Mapping[str, np.ndarray]] | None = None,
    enough: Mapping[str, int] | None = None,
) -> list[Measurement]:
    """Measure statistics on all clips (or labels, or anchors), and without one set after the other.

    Args:
        statistics: takes weights of the clips, shape (n, r), gives for each name its r values.
        groups: int, shape (n,): what is left out together.
        metrics: those that names stand for; a sequence where names are those of the metrics.
        resampling: how many replicates, the level of the interval, the seed.
        chance: chance level for each name that has one.
        bytes_per_replicate: what `statistics` needs for one replicate; 16 per clip by default.
        relearned: takes the weights of one replicate, shape (n, 1), and gives values, of shape
            (1,), of the names whose replicates need what was learned from the clips to be learned
            from the rest of them.
        enough: groups that are enough for a name, where these are more than those of its scale.

    Returns:
        One measurement for each name, in the order of `statistics`.
    """
    if not isinstance(metrics, Mapping):
        metrics = {metric.name: metric for metric in metrics}
    sets, n_sets = deal(groups, resampling)
    n, n_groups = len(sets), len(np.unique(groups))
    values = statistics(np.ones((n, 1)))
    replicates = {name: np.empty(n_sets) for name in values}
    blocks = replicate_blocks(
        sets, n_sets, resampling, bytes_per_replicate=bytes_per_replicate or 16 * n
    )
    for block, weights in blocks:
        for name, result in statistics(weights).items():
            replicates[name][block] = result
    again: set[str] = set()
    if relearned is not None:
        for one in range(n_sets):
            for name, result in relearned((sets != one)[:, None].astype(np.float64)).items():
                replicates[name][one] = result[0]
                again.add(name)
    if not n_sets and resampling.n:  # a single group: nothing can be left out
        replicates = {name: np.full(2, np.nan) for name in values}
    return [
        measurement(
            name,
            float(value[0]),
            replicates[name],
            n=n,
            n_groups=n_groups,
            chance=(chance or {}).get(name, NO_CHANCE),
            scale=replace(
                metrics[name].scale,
                learned=name in again,
                enough=max(metrics[name].scale.enough, (enough or {}).get(name, 0)),
            ),
            confidence_level=resampling.confidence_level,
        )
        for name, value in values.items()
    ]


def over_variants(
    measure_one: Callable[[np.ndarray], list[Measurement]],
    variants: "Sequence[np.ndarray] | np.ndarray",
    *,
    confidence_level: float,
) -> list[Measurement]:
    """Average measurements over the variants of one prompt, replicate by replicate.

    Args:
        measure_one: measures one variant; always the same metrics on the same clips.
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
    levels = {one.chance for one in measurements}
    return measurement(
        first.metric,
        float(np.mean([one.value for one in measurements])),
        np.mean([one.replicates for one in measurements], axis=0),
        n=first.n,
        n_groups=first.n_groups,
        # a mean of equal numbers differs in its last bit
        chance=first.chance
        if len(levels) == 1
        else float(np.mean([one.chance for one in measurements])),
        scale=first.scale,
        confidence_level=confidence_level,
    )
