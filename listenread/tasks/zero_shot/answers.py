"""What the page says in words about zero-shot classification."""

from typing import TYPE_CHECKING

import numpy as np

from listenread.metrics.classification import top
from listenread.tasks.claims import Reading, above_chance, difference, holm, spread_of
from listenread.tasks.words import of_metric, percent, with_interval

if TYPE_CHECKING:
    import pandas as pd

#: The metric that is put into words.
_TOP_1 = top(1)
#: Prompts whose pairs are all compared; of more, this many across their whole range.
_MOST = 50


def wordings(rows: "pd.DataFrame", reading: Reading) -> list[str]:
    """Say for each dataset and model what the wording of a prompt changes."""
    sentences = []
    headline = of_metric(rows, _TOP_1.name)
    for (dataset, model), part in headline.groupby(["dataset", "model"], sort=False):
        if len(part) > 1:
            sentences.append(
                f"The same clips of {dataset} and the same labels, only worded in {len(part)} "
                f"ways, give {model} a zero-shot {_TOP_1.title} of {spread_of(part)}."
                f"{_pairs(part, reading)}"
            )
    return sentences


def best_prompts(rows: "pd.DataFrame", reading: Reading) -> list[str]:
    """Say for each dataset and model how well sound and prompts meet."""
    sentences = []
    headline = of_metric(rows, _TOP_1.name)
    for (dataset, model), part in headline.groupby(["dataset", "model"], sort=False):
        first = part.iloc[0]
        found = (
            f"{with_interval(first, reading.confidence_level)} of the clips of {dataset} to the "
            f"right class (zero-shot {_TOP_1.title}, prompt “{first.prompt}”)"
            if len(part) == 1
            else f"the right class to {spread_of(part)}, of the clips of {dataset} (zero-shot "
            f"{_TOP_1.title})"
        )
        sentence = (
            f"Asked in words, {model} gives {found}; chance is {percent(first.chance)}. "
            f"{above_chance(part, reading)}"
        )
        sentences.append(sentence.strip())
    return sentences


def _pairs(part: "pd.DataFrame", reading: Reading) -> str:
    """Say how many pairs of prompts differ, by paired differences on the same clips."""
    ordered = list(part.sort_values("value", kind="stable").itertuples())
    chosen = np.unique(np.linspace(0, len(ordered) - 1, min(len(ordered), _MOST)).astype(int))
    shown = [ordered[index] for index in chosen]
    found = [
        difference(high, low, reading)
        for position, high in enumerate(shown)
        for low in shown[:position]
    ]
    p = holm([one.p for one in found])
    tested = int((~np.isnan(p)).sum())
    if not tested:
        return ""
    apart = int((p <= reading.level).sum())
    of = f"{apart} of the {tested} pairs of prompts" if tested > 1 else "the two"
    how = "(paired differences, corrected after Holm)"
    if apart:
        return f" On the same clips {of} differ beyond chance {how}."
    most = max(max(abs(one.low), abs(one.high)) for one in found if one.low == one.low)
    return (
        f" On the same clips no difference between the prompts was found, which could be as large "
        f"as {100 * most:.1f} points {how}."
    )
