"""What the page says in words about zero-shot classification."""

import math
from typing import TYPE_CHECKING, Any

from listenread.metrics.classification import top
from listenread.tasks.words import largest, of_metric, percent, with_interval

if TYPE_CHECKING:
    import pandas as pd

#: The metric that is put into words.
_TOP_1 = top(1)


def wordings(rows: "pd.DataFrame", confidence_level: float) -> list[str]:
    """Say for each dataset and model what the wording of a prompt changes."""
    sentences = []
    headline = of_metric(rows, _TOP_1.name)
    for (dataset, model), part in headline.groupby(["dataset", "model"], sort=False):
        if len(part) > 1:
            best, worst = largest(part), part.iloc[int(part["value"].argmin())]
            sentences.append(
                f"The same clips of {dataset} and the same labels, only worded in {len(part)} "
                f"ways, move the zero-shot {_TOP_1.title} of {model} from "
                f"{with_interval(worst, confidence_level)} with “{worst.prompt}” to "
                f"{with_interval(best, confidence_level)} with “{best.prompt}”"
                f"{_apart(best, worst)}."
            )
    return sentences


def best_prompts(rows: "pd.DataFrame", confidence_level: float) -> list[str]:
    """Say for each dataset and model how well sound and prompts meet."""
    sentences = []
    headline = of_metric(rows, _TOP_1.name)
    for (dataset, model), part in headline.groupby(["dataset", "model"], sort=False):
        best = largest(part)
        sentence = (
            f"Asked in words, {model} gives at best {with_interval(best, confidence_level)} of the "
            f"clips of {dataset} to the right class (zero-shot {_TOP_1.title}, prompt "
            f"“{best.prompt}”); chance is {percent(best.chance)}. {_above_chance(part)}"
        )
        sentences.append(sentence.strip())
    return sentences


def _apart(high: Any, low: Any) -> str:
    if math.isnan(high.ci_low) or math.isnan(low.ci_high):
        return ""
    if low.ci_high >= high.ci_low:
        return "; the two intervals overlap"
    return "; the two intervals lie apart"


def _above_chance(part: "pd.DataFrame") -> str:
    bounded = part[part["ci_low"].notna()]
    if len(bounded) < 2:
        return ""
    above = int((bounded["ci_low"] > bounded["chance"]).sum())
    if above == len(bounded):
        return f"All {above} prompts are above chance with their whole interval."
    return f"{above} of {len(bounded)} prompts are above chance with their whole interval."
