"""Answers in words, computed from the tidy table: a value, its interval, its chance level."""

import math
from typing import Any

import pandas as pd

from listenread.report.naming import metric_name
from listenread.report.wide import three_digits

_SPACES = {"joint": "in the joint space", "pre_joint": "before the projection"}


def percent(share: float) -> str:
    """Write a share as percent.

    >>> percent(0.0714), percent(0.5)
    ('7.1\u202f%', '50.0\u202f%')
    """
    return f"{100 * share:.1f}\u202f%"


def with_interval(row: pd.Series, confidence: float) -> str:
    """Write a row's value with its interval, e.g. ``77.4 % (95 % interval 75.1 to 79.6 %)``."""
    if math.isnan(row.ci_low):
        return percent(row.value)
    level = f"{100 * confidence:g}\u202f%"
    ends = f"{100 * row.ci_low:.1f} to {percent(row.ci_high)}"
    return f"{percent(row.value)} ({level} interval {ends})"


def listens(rows: pd.DataFrame, confidence: float, metric: str = "top_1") -> list[str]:
    """Say for each dataset and system how well classes are told apart by sound alone.

    The protocol `corrected` is put into words where it is there: nothing is judged by a prototype
    that contains it.

    Args:
        rows: the tidy rows of the task `audio_only`.
        confidence: level of their intervals.
        metric: the one that is put into words.
    """
    said = []
    for (dataset, model), part in _headline(rows, metric).groupby(["dataset", "model"], sort=False):
        protocol = "corrected" if "corrected" in set(part["protocol"]) else "published"
        by_space = part[part["protocol"] == protocol].set_index("space")
        parts = [
            f"{with_interval(by_space.loc[space], confidence)} {where}"
            for space, where in _SPACES.items()
            if space in by_space.index
        ]
        sentence = (
            f"By sound alone, {model} finds the class of a clip in {dataset} in "
            f"{' and '.join(parts)}; chance is {percent(by_space['chance'].iloc[0])} "
            f"(nearest class mean, protocol {protocol})."
        )
        if len(parts) == 2:
            sentence += f" {_projection(by_space.loc['joint'], by_space.loc['pre_joint'])}"
        said.append(sentence)
    return said


def _projection(joint: pd.Series, pre_joint: pd.Series) -> str:
    if math.isnan(joint.ci_low) or math.isnan(pre_joint.ci_low):
        return ""
    if joint.ci_low > pre_joint.ci_high:
        return "The projection into the joint space helps, beyond both intervals."
    if pre_joint.ci_low > joint.ci_high:
        return "The projection into the joint space costs, beyond both intervals."
    return "The two intervals overlap: no effect of the projection is seen."


def probes(rows: pd.DataFrame, confidence: float, metric: str = "top_1") -> list[str]:
    """Say for each dataset and system what a linear classifier can hear in the audio vectors.

    Args:
        rows: the tidy rows of the task `linear_probe`.
        confidence: level of their intervals.
        metric: the one that is put into words.
    """
    said = []
    for (dataset, model), part in _headline(rows, metric).groupby(["dataset", "model"], sort=False):
        by_space = part.set_index("space")
        parts = [
            f"{with_interval(by_space.loc[space], confidence)} {where}"
            for space, where in _SPACES.items()
            if space in by_space.index
        ]
        said.append(
            f"A linear classifier that is trained on the audio vectors of {model} recognises "
            f"{' and '.join(parts)} of the clips of {dataset} that it has not seen."
        )
    return said


def reads(rows: pd.DataFrame, confidence: float, metric: str = "top_1") -> list[str]:
    """Say for each dataset and system what the wording of a prompt changes.

    Args:
        rows: the tidy rows of the task `zero_shot`.
        confidence: level of their intervals.
        metric: the one that is put into words.
    """
    said = []
    for (dataset, model), part in _headline(rows, metric).groupby(["dataset", "model"], sort=False):
        if len(part) > 1:
            best, worst = part.loc[part["value"].idxmax()], part.loc[part["value"].idxmin()]
            said.append(
                f"The same clips of {dataset} and the same labels, only worded in {len(part)} "
                f"ways, move the zero-shot {metric_name(metric)} of {model} from "
                f"{with_interval(worst, confidence)} with “{worst.prompt}” to "
                f"{with_interval(best, confidence)} with “{best.prompt}”{_apart(best, worst)}."
            )
    return said


def rewords(rows: pd.DataFrame, confidence: float, metric: str = "top_1") -> list[str]:
    """Say for each pair of prompts what the other wording changes.

    Args:
        rows: the tidy rows of the task `prompt_effects`.
        confidence: level of their intervals.
        metric: the zero-shot metric whose difference is put into words.
    """
    said = []
    keys = ["dataset", "model", "prompt"]
    ranking = _headline(rows, "rank_correlation").set_index(keys)
    for row in _headline(rows, f"{metric}_difference").itertuples():
        prompt, _, reference = row.prompt.partition(" - ")
        sentence = (
            f"On {row.dataset}, “{prompt}” in place of “{reference}” changes the "
            f"{metric_name(metric)} of {row.model} by {_points(row, confidence)}"
        )
        key = (row.dataset, row.model, row.prompt)
        if key in ranking.index:
            sentence += (
                f"; the two order the classes with a rank correlation of "
                f"{three_digits(ranking.loc[key].value)} (1 the same order, -1 the reverse)"
            )
        said.append(sentence + ".")
    return said


def _points(row: Any, confidence: float) -> str:
    points = f"{100 * row.value:+.1f} points"
    if math.isnan(row.ci_low):
        return points
    level = f"{100 * confidence:g}\u202f%"
    return f"{points} ({level} interval {100 * row.ci_low:+.1f} to {100 * row.ci_high:+.1f})"


def triplets(rows: pd.DataFrame, confidence: float) -> list[str]:
    """Say for each system how many relations of instruments its text vectors reproduce.

    Args:
        rows: the tidy rows of the task `triplets`.
        confidence: level of their intervals.
    """
    said = []
    rows = _headline(rows, "accuracy")
    rows = rows[(rows["protocol"] == "corrected") & (rows["space"] == "joint")]
    for (dataset, model), part in rows.groupby(["dataset", "model"], sort=False):
        best = part.loc[part["value"].idxmax()]
        above = int((part["ci_low"] > part["chance"]).sum())
        said.append(
            f"Of the relations between the instruments of {dataset}, the text vectors of {model} "
            f"order at most {with_interval(best, confidence)} as the ontology does (prompt "
            f"“{best.prompt}”); {above} of {len(part)} prompts are above chance, "
            f"{percent(best.chance)}, with their whole interval."
        )
    return said


def meets(rows: pd.DataFrame, confidence: float, metric: str = "top_1") -> list[str]:
    """Say for each dataset and system how well sound and prompts meet.

    Args:
        rows: the tidy rows of the task `zero_shot`.
        confidence: level of their intervals.
        metric: the one that is put into words.
    """
    said = []
    for (dataset, model), part in _headline(rows, metric).groupby(["dataset", "model"], sort=False):
        best = part.loc[part["value"].idxmax()]
        said.append(
            f"Asked in words, {model} gives at best {with_interval(best, confidence)} of the clips "
            f"of {dataset} to the right class (zero-shot {metric_name(metric)}, prompt "
            f"“{best.prompt}”); chance is {percent(best.chance)}. {_above_chance(part)}".strip()
        )
    return said


def knows(rows: pd.DataFrame, confidence: float) -> list[str]:
    """Say for each dataset and system whether confidence tells right from wrong.

    Args:
        rows: the tidy rows of the task `confidence`.
        confidence: level of their intervals.
    """
    said = []
    rows = _headline(rows, "margin_roc_auc")
    for (dataset, model), part in rows.groupby(["dataset", "model"], sort=False):
        row = part.iloc[0]
        ends = ""
        if not math.isnan(row.ci_low):
            level = f"{100 * confidence:g}\u202f%"
            ends = f" ({level} interval {three_digits(row.ci_low)} to {three_digits(row.ci_high)})"
        said.append(
            f"The difference of its two largest similarities tells right decisions of {model} on "
            f"{dataset} from wrong ones with a ROC-AUC of {three_digits(row.value)}{ends}, prompt "
            f"“{row.prompt}”; 0.500 would be no information."
        )
    return said


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
    parts = paper["verdict"].str.partition(":")
    counts = parts[parts[2] != ""].groupby([0, 2], sort=False).size()
    return [(verdict, why.strip(), int(count)) for (verdict, why), count in counts.items()]


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


def _headline(rows: pd.DataFrame, metric: str) -> pd.DataFrame:
    return rows[(rows["metric"] == metric) & rows["value"].notna()]


def _apart(high: pd.Series, low: pd.Series) -> str:
    if math.isnan(high.ci_low) or math.isnan(low.ci_high):
        return ""
    if low.ci_high >= high.ci_low:
        return "; the two intervals overlap"
    return "; the two intervals lie apart"


def _above_chance(part: pd.DataFrame) -> str:
    bounded = part[part["ci_low"].notna()]
    if len(bounded) < 2:
        return ""
    above = int((bounded["ci_low"] > bounded["chance"]).sum())
    if above == len(bounded):
        return f"All {above} prompts are above chance with their whole interval."
    return f"{above} of {len(bounded)} prompts are above chance with their whole interval."
