"""What the page says in words about zero-shot classification."""

from typing import TYPE_CHECKING, Any

import numpy as np

from listenread.metrics.classification import top
from listenread.tasks.claims import (
    Reading,
    above_chance,
    all_pairs,
    holm,
    pair_errors,
    spread_of,
    student,
)
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
    if "replicates" not in part:
        return ""
    ordered: list[Any] = list(part.sort_values("value", kind="stable").itertuples())
    shown = [row for row in ordered if row.replicates is not None and len(row.replicates) > 1]
    if len(shown) < 2 or len({(len(row.replicates), row.n_groups) for row in shown}) > 1:
        return ""
    if len(shown) > _MOST:
        shown = [shown[int(i)] for i in np.linspace(0, len(shown) - 1, _MOST)]
    values = np.array([row.value for row in shown])
    replicates = np.stack([row.replicates for row in shown])
    freedom = min(replicates.shape[1], int(shown[0].n_groups)) - 1
    upper = np.triu_indices(len(shown), 1)
    p = all_pairs(values, replicates, freedom)[upper]
    if np.isnan(p).any():
        return ""
    apart, tested = int((holm(p) <= reading.level).sum()), len(p)
    of = f"{apart} of the {tested:,} pairs of prompts" if tested > 1 else "the two"
    how = "(paired differences, corrected after Holm)"
    if apart:
        return f" On the same clips {of} differ beyond chance {how}."
    tail, errors = reading.level / (2 * tested), pair_errors(replicates)[upper]
    # of prompts with the same answers no group differs, of n: see `uncertainty.interval`
    same = 1 - tail ** (1 / shown[0].n_groups)
    reach = np.where(errors > 0, student(1 - tail, freedom) * errors, same)
    most = float((np.abs(values[:, None] - values)[upper] + reach).max())
    return (
        f" On the same clips no difference between the prompts was found, which could be as large "
        f"as {100 * most:.1f} points {how}."
    )
