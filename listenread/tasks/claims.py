"""What sentences and tables may claim: tests of differences, corrected for how many there are.

A comparison of two numbers rests on the interval of their paired difference, from replicates that
leave out the same clips, never on two intervals.

Sources: Holm, Scandinavian Journal of Statistics 6, 1979; Benjamini and Hochberg, Journal of the
Royal Statistical Society B 57, 1995; equivalence by two one-sided tests: Schuirmann, Journal of
Pharmacokinetics and Biopharmaceutics 15, 1987.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from listenread.errors import DataError
from listenread.metrics.base import Measurement, Scale
from listenread.metrics.uncertainty import paired_difference, standard_error
from listenread.tasks.words import level, percent


@dataclass(frozen=True)
class Reading:
    """How numbers are read.

    Attributes:
        confidence_level: of intervals; 1 minus this is the level of tests.
        margin: a difference whose interval lies within plus and minus this is called none.
    """

    confidence_level: float = 0.95
    margin: float = 0.02

    @property
    def level(self) -> float:
        """Level of tests, e.g. 0.05."""
        return 1 - self.confidence_level


@dataclass(frozen=True)
class Difference:
    """A paired difference of two numbers.

    Attributes:
        value: first minus second.
        low: lower end of its interval; NaN where it has none.
        high: upper end.
        p: of the test that it is 0; NaN where there is none.
    """

    value: float
    low: float
    high: float
    p: float


def difference(first: Any, second: Any, reading: Reading, *, share: bool = True) -> Difference:
    """Subtract two rows of the tidy table that rest on the same clips.

    Args:
        first: a row, with attributes named like the columns.
        second: the row that is subtracted.
        reading: has the level of the interval.
        share: whether the numbers are shares of clips.

    Returns:
        A difference without interval and p where the rows do not rest on the same clips, or have no
        replicates.
    """
    one, other = (_measurement(row, share) for row in (first, second))
    value = one.value - other.value
    try:
        paired = paired_difference(one, other, confidence_level=reading.confidence_level)
    except DataError:
        return Difference(value, math.nan, math.nan, math.nan)
    if not len(paired.replicates):
        return Difference(value, math.nan, math.nan, math.nan)
    centre, error = standard_error(paired.value, paired.replicates)
    freedom = min(len(paired.replicates), paired.n_groups) - 1
    p = two_sided(centre, error, freedom)
    return Difference(paired.value, paired.ci_low, paired.ci_high, p)


def _measurement(row: Any, share: bool) -> Measurement:
    replicates = getattr(row, "replicates", None)
    return Measurement(
        row.metric,
        row.value,
        n=row.n,
        n_groups=int(getattr(row, "n_groups", 0) or 0),
        replicates=np.empty(0) if replicates is None else np.asarray(replicates, dtype=float),
        scale=Scale(0, 1, share) if share else Scale(),
    )


def two_sided(
    centre: "float | np.ndarray", error: "float | np.ndarray", freedom: "int | np.ndarray"
) -> Any:
    """p of Student's test that a difference is 0; 1 where nothing varies about 0.

    Args:
        centre: differences.
        error: their standard errors.
        freedom: degrees of freedom.

    Returns:
        In the shape of the arguments; NaN where the error is NaN.
    """
    from scipy.special import stdtr

    centre, error = np.asarray(centre, dtype=float), np.asarray(error, dtype=float)
    varies = error > 1e-12
    t = np.divide(np.abs(centre), error, out=np.zeros_like(centre + error), where=varies)
    p = 2 * stdtr(freedom, -t)
    p = np.where(varies, p, 1.0)
    p = np.where(np.isnan(error), np.nan, p)
    return float(p) if p.ndim == 0 else p


def student(share: float, freedom: int) -> float:
    """Quantile of Student's t distribution."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, share))


def holm(p: Sequence[float] | np.ndarray) -> np.ndarray:
    """Adjust p values of a family of claims, so that even one wrong claim is rare (Holm, 1979).

    Args:
        p: shape (m,); NaN for a claim that was not tested, which does not count.

    Returns:
        Float64, shape (m,).

    Example:
        >>> holm([0.01, 0.04, 0.03]).tolist()
        [0.03, 0.06, 0.06]
    """
    values = np.asarray(p, dtype=float)
    adjusted = np.full(values.shape, np.nan)
    order = np.argsort(values)[: int((~np.isnan(values)).sum())]
    m = len(order)
    if m:
        stepped = np.maximum.accumulate(values[order] * (m - np.arange(m)))
        adjusted[order] = np.minimum(stepped, 1)
    return adjusted


def benjamini_hochberg(p: np.ndarray) -> np.ndarray:
    """Adjust p values so that a given share of what is found is wrong (Benjamini, Hochberg, 1995).

    Args:
        p: shape (m,), without NaN.

    Returns:
        Float64, shape (m,).

    Example:
        >>> benjamini_hochberg(np.array([0.01, 0.04, 0.03])).round(3).tolist()
        [0.03, 0.04, 0.04]
    """
    m = len(p)
    order = np.argsort(p)[::-1]
    stepped = np.minimum.accumulate(p[order] * m / np.arange(m, 0, -1))
    adjusted = np.empty(m)
    adjusted[order] = np.minimum(stepped, 1)
    return adjusted


def pair_errors(replicates: np.ndarray) -> np.ndarray:
    """Standard error of the paired difference of each pair of numbers.

    Args:
        replicates: shape (k, R).

    Returns:
        Float64, shape (k, k); 0 where replicates differ by rounding alone.
    """
    n = replicates.shape[1]
    centred = replicates - replicates.mean(axis=1)[:, None]
    product = centred @ centred.T  # (k, k)
    squares = np.diag(product)
    spread = np.maximum(squares[:, None] + squares - 2 * product, 0)
    spread[spread < 1e-12 * (squares[:, None] + squares)] = 0
    errors: np.ndarray = np.sqrt((n - 1) / n * spread)
    return errors


def all_pairs(values: np.ndarray, replicates: np.ndarray, freedom: int) -> np.ndarray:
    """p of the paired difference of each pair of numbers, one against the other.

    Args:
        values: shape (k,).
        replicates: shape (k, R).
        freedom: degrees of freedom.

    Returns:
        Float64, shape (k, k), symmetric, 1 on the diagonal.
    """
    p: np.ndarray = two_sided(values[:, None] - values, pair_errors(replicates), freedom)
    return p


def one_against_all(
    values: np.ndarray, replicates: np.ndarray, freedom: int, one: int
) -> np.ndarray:
    """p of the paired differences of one number from each of all; see `all_pairs`.

    Returns:
        Float64, shape (k,).
    """
    n = replicates.shape[1]
    apart = replicates - replicates[one]
    spread = ((apart - apart.mean(axis=1)[:, None]) ** 2).sum(axis=1)
    p: np.ndarray = two_sided(values - values[one], np.sqrt((n - 1) / n * spread), freedom)
    return p


def points(value: float) -> str:
    """Write a difference of shares in percentage points.

    >>> points(0.0312), points(-0.1)
    ('+3.1 points', '-10.0 points')
    """
    return f"{100 * value:+.1f} points"


def points_with_interval(found: Difference, reading: Reading) -> str:
    """Write a difference with its interval."""
    if math.isnan(found.low):
        return points(found.value)
    ends = f"{100 * found.low:+.1f} to {100 * found.high:+.1f}"
    return f"{points(found.value)} ({level(reading.confidence_level)} interval {ends})"


def no_difference(found: Difference, reading: Reading, what: str) -> str:
    """Say that no difference was found: that it is small, or else how large it could be.

    Two one-sided tests at the level of the reading tell that it is within the margin, where its
    interval lies within it, which is a little stricter.
    """
    if math.isnan(found.low):
        return ""
    most = max(abs(found.low), abs(found.high))
    if most <= reading.margin:
        return (
            f"{what} makes no difference beyond {100 * reading.margin:g} points: "
            f"{points_with_interval(found, reading)}."
        )
    return (
        f"No difference by {what[0].lower() + what[1:]} was found, which could be as large as "
        f"{100 * most:.1f} points."
    )


def above_chance(rows: Any, reading: Reading) -> str:
    """Say how many prompts are above what permuted labels reach, corrected for their number."""
    p = rows["p"].to_numpy(dtype=float) if "p" in rows else np.array([])
    tested = int((~np.isnan(p)).sum())
    if not tested:
        return ""
    above = int((holm(p) <= reading.level).sum())
    corrected = "" if tested == 1 else f", corrected for {tested} tests after Holm"
    level_of = f"at the {percent(reading.level)} level{corrected}"
    if tested == 1:
        return f"This is {'' if above else 'not '}above chance {level_of}."
    if above == tested:
        return f"All {tested} prompts are above chance {level_of}."
    some = {0: "None", 1: "One"}.get(above, str(above))
    verb = "is" if above < 2 else "are"
    return f"{some} of {tested} prompts {verb} above chance {level_of}."


def spread_of(part: Any) -> str:
    """Say what several prompts reach: their median, and from which to which.

    The best of many looks better than it is: it is named as the end of a range, not as a result.
    """
    ordered = part.sort_values("value", kind="stable")
    worst, best = ordered.iloc[0], ordered.iloc[-1]
    return (
        f"{percent(float(part['value'].median()))} in the median of {len(part)} prompts, from "
        f"{percent(worst.value)} (“{worst.prompt}”) to {percent(best.value)} (“{best.prompt}”)"
    )
