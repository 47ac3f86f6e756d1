"""Margin: the difference of a clip's two largest similarities, and what it says."""

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from listenread.metrics import margin
from listenread.metrics.base import Metric, Resampling
from listenread.settings import NoSettings
from listenread.tasks.base import Answer, Row, Table, Task
from listenread.tasks.cell import Cell
from listenread.tasks.claims import Reading
from listenread.tasks.words import level, of_metric, three_digits

if TYPE_CHECKING:
    import pandas as pd


def measure(cell: Cell, settings: NoSettings, resampling: Resampling) -> Iterator[Row]:
    """Measure one prompt's margins and their relation to being right."""
    scores = cell.scores()
    labels, groups = cell.target(scores.clip_ids).labels, cell.groups(scores.clip_ids)
    measured = margin.measure(scores.values, labels, groups, resampling=resampling)
    yield from (Row(one, "joint", "corrected") for one in measured)


def metrics(settings: NoSettings) -> Sequence[Metric]:
    """Margins and what they tell apart."""
    return margin.ALL


def sentences(rows: "pd.DataFrame", reading: Reading) -> list[str]:
    """Say for each dataset and model whether the margin tells right from wrong."""
    found = []
    rows = of_metric(rows, margin.MARGIN_ROC_AUC.name)
    for (dataset, model), part in rows.groupby(["dataset", "model"], sort=False):
        row = part.iloc[0]
        ends = ""
        if not math.isnan(row.ci_low):
            between = f"{three_digits(row.ci_low)} to {three_digits(row.ci_high)}"
            ends = f" ({level(reading.confidence_level)} interval {between})"
        found.append(
            f"The difference of its two largest similarities tells right decisions of {model} on "
            f"{dataset} from wrong ones with a ROC-AUC of {three_digits(row.value)}{ends}, prompt "
            f"“{row.prompt}”; 0.500 would be no information."
        )
    return found


TASK = Task(
    name="margin",
    title="Margin: the difference of the two largest similarities",
    question="meets",
    per="prompt",
    reads=("scores",),
    measure=measure,
    metrics=metrics,
    tables=(
        Table(
            name="margin",
            keys=("dataset", "model", "prompt"),
            comparable=("dataset",),
            caption="Margin: the difference of the two largest similarities",
            method="The margin is the difference of a clip's two largest similarities, the paper's "
            "measure of confidence; its ROC-AUC is the chance that of a right and a wrong decision "
            "the right one has the larger margin.",
        ),
    ),
    answers=(Answer("meets", sentences),),
    renamed_from=("confidence",),
)
