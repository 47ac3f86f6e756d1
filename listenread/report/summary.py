"""What the page says in words about the experiment as a whole."""

from collections import Counter

import pandas as pd


def compares(paper: pd.DataFrame) -> list[str]:
    """Count what became of the published numbers, by verdict.

    Args:
        paper: a row for each published number, with its `verdict`; reasons follow a colon.
    """
    if paper.empty:
        return []
    counts = paper["verdict"].str.partition(":")[0].value_counts()
    listed = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    return [f"Of {_counted(len(paper), 'published number')}: {listed}."]


def reasons(paper: pd.DataFrame) -> list[tuple[str, str, int]]:
    """List why published and own numbers differ or cannot be compared: verdict, reason, count."""
    if paper.empty:
        return []
    parts = [verdict.partition(":") for verdict in paper["verdict"].dropna()]
    counts = Counter((verdict, why.strip()) for verdict, _, why in parts if why)
    return [(verdict, why, count) for (verdict, why), count in counts.items()]


def missing(unavailable: int, skipped: int) -> str:
    """Say how much of what was asked for could not be computed.

    >>> missing(0, 1)
    'Every cell of the experiment was computed; 1 clip was left out.'
    """
    cells = (
        "Every cell of the experiment was computed"
        if not unavailable
        else f"{_counted(unavailable, 'cell')} of the experiment could not be computed"
    )
    clips = f"; {_counted(skipped, 'clip')} {'was' if skipped == 1 else 'were'} left out"
    return cells + (clips if skipped else ", and no clip was left out") + "."


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
