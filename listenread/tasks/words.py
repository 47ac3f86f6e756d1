"""How sentences of the page write numbers."""

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

#: How sentences name the spaces.
SPACES = {"joint": "in the joint space", "pre_joint": "before the projection"}


def percent(share: float) -> str:
    """Write a share as percent.

    >>> percent(0.0714), percent(0.5)
    ('7.1\u202f%', '50.0\u202f%')
    """
    return f"{100 * share:.1f}\u202f%"


def level(confidence_level: float) -> str:
    """Write a confidence level.

    >>> level(0.95)
    '95\u202f%'
    """
    return f"{100 * confidence_level:g}\u202f%"


def with_interval(row: Any, confidence_level: float) -> str:
    """Write a row's value with its interval, e.g. ``77.4 % (95 % interval 75.1 to 79.6 %)``."""
    if math.isnan(row.ci_low):
        return percent(row.value)
    ends = f"{100 * row.ci_low:.1f} to {percent(row.ci_high)}"
    return f"{percent(row.value)} ({level(confidence_level)} interval {ends})"


def of_metric(rows: "pd.DataFrame", metric: str) -> "pd.DataFrame":
    """Rows of one metric whose value is defined."""
    return rows[(rows["metric"] == metric) & rows["value"].notna()]


def three_digits(value: float) -> str:
    """Write a metric's value as tables do; exactly half a digit is rounded away from zero.

    The page's script rounds in this way, too, so that a number reads the same everywhere.

    >>> three_digits(0.8125), three_digits(-0.8125), three_digits(0.45284)
    ('0.813', '-0.813', '0.453')
    """
    from decimal import ROUND_HALF_UP, Decimal

    return str(Decimal(value).quantize(Decimal("0.001"), ROUND_HALF_UP))
