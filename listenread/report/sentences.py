"""Answers in words, computed from the tidy table: a value, its interval, its chance level."""

import math

import pandas as pd

from listenread.report.wide import metric_name

_SPACES = {"joint": "in the joint space", "pre_joint": "before the projection"}


def percent(share: float) -> str:
    """Write a share as percent.

    >>> percent(0.0714), percent(0.5)
    ('7.1 %', '50.0 %')
    """
    return f"{100 * share:.1f}\u202f%"


def with_interval(row: pd.Series, confidence: float) -> str:
    """Write a row's value with its interval, e.g. ``77.4 % (95 % interval 75.1 to 79.6 %)``."""
    if math.isnan(row.ci_low):
        return percent(row.value)
    level = f"{100 * confidence:g}\u202f%"
    return (
        f"{percent(row.value)} ({level} interval {100 * row.ci_low:.1f} to {percent(row.ci_high)})"
    )


def _headline(rows: pd.DataFrame, metric: str) -> pd.DataFrame:
    return rows[(rows["metric"] == metric) & rows["value"].notna()]


def zero_shot(rows: pd.DataFrame, confidence: float, metric: str = "top_1") -> list[str]:
    """Say for each system and dataset how well sound and prompts meet, and what the prompt changes.

    Args:
        rows: the tidy rows of the task `zero_shot`.
        confidence: level of their intervals.
        metric: the one that is put into words.
    """
    said = []
    for (dataset, model), part in _headline(rows, metric).groupby(["dataset", "model"], sort=False):
        best = part.loc[part["value"].idxmax()]
        worst = part.loc[part["value"].idxmin()]
        sentence = (
            f"On {dataset}, {model} reaches its highest zero-shot {metric_name(metric)} with the "
            f"prompt “{best.prompt}”: {with_interval(best, confidence)}; "
            f"chance is {percent(best.chance)}."
        )
        if len(part) > 1:
            sentence += (
                f" Its lowest is {with_interval(worst, confidence)} with “{worst.prompt}”, "
                f"{_apart(best, worst)}."
            )
            sentence += f" {_above_chance(part)}"
        said.append(sentence)
    return said


def _apart(high: pd.Series, low: pd.Series) -> str:
    points = f"{100 * (high.value - low.value):.1f} points lower"
    if math.isnan(high.ci_low) or math.isnan(low.ci_high):
        return points
    overlap = low.ci_high >= high.ci_low
    return f"{points} ({'the intervals overlap' if overlap else 'beyond both intervals'})"


def _above_chance(part: pd.DataFrame) -> str:
    bounded = part[part["ci_low"].notna()]
    if bounded.empty:
        return ""
    above = int((bounded["ci_low"] > bounded["chance"]).sum())
    if above == len(bounded):
        return f"All {above} prompts are above chance."
    return f"{above} of {len(bounded)} prompts are above chance with their whole interval."


def audio_only(rows: pd.DataFrame, confidence: float, metric: str = "top_1") -> list[str]:
    """Say for each system and dataset how well classes are told apart by sound alone.

    The protocol `corrected` is put into words where it is there: nothing is judged by a prototype
    that contains it.
    """
    said = []
    for (dataset, model), part in _headline(rows, metric).groupby(["dataset", "model"], sort=False):
        protocols = set(part["protocol"])
        protocol = "corrected" if "corrected" in protocols else "published"
        by_space = part[part["protocol"] == protocol].set_index("space")
        parts = [
            f"{with_interval(by_space.loc[space], confidence)} {where}"
            for space, where in (
                ("joint", "in the joint space"),
                ("pre_joint", "before the projection"),
            )
            if space in by_space.index
        ]
        chance = percent(by_space["chance"].iloc[0])
        said.append(
            f"On {dataset}, the class whose mean vector is nearest to a clip of {model} is the "
            f"right one for {' and '.join(parts)} (protocol {protocol}; chance is {chance})."
        )
    return said
