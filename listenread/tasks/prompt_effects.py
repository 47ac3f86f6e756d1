"""Prompt effects: what another wording does to the vectors, the ranking and the numbers."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from listenread.errors import Unavailable
from listenread.metrics import prompt_effects
from listenread.metrics.base import Measurement, Metric, Resampling
from listenread.metrics.classification import measure as measure_classification
from listenread.metrics.classification import top
from listenread.metrics.uncertainty import paired_difference
from listenread.tasks.base import Answer, Row, Table, Task
from listenread.tasks.cell import SPACES, Cell
from listenread.tasks.claims import Difference, Reading, points_with_interval
from listenread.tasks.settings import ClassificationSettings
from listenread.tasks.words import of_metric, three_digits

if TYPE_CHECKING:
    import pandas as pd


def measure(cell: Cell, settings: ClassificationSettings, resampling: Resampling) -> Iterator[Row]:
    """Compare a prompt with a reference prompt on the same clips.

    Rows have the prompt ``<prompt> - <reference>``: differences of every metric of a
    classification, agreement and rank correlation of the two rankings, and in both spaces cosines
    of the texts.
    """
    if cell.reference is None:
        raise TypeError("prompts are compared in a cell with a reference prompt")
    reasons = []
    for space in SPACES:
        try:
            effects = _text_effects(cell, cell.reference, space, resampling)
        except Unavailable as error:
            reasons.append(str(error))
            continue
        yield from (Row(one, space, "corrected") for one in effects)
    if len(reasons) == len(SPACES):
        raise Unavailable(reasons[0])
    try:
        scored = _score_effects(cell, cell.reference, settings, resampling)
    except Unavailable:
        return
    yield from (Row(one, "joint", "corrected") for one in scored)


def _text_effects(
    cell: Cell, reference: Cell, space: str, resampling: Resampling
) -> list[Measurement]:
    """The first variant of each prompt stands for it: a pair of texts is compared, not a set."""
    first, second = (one.text(space).vectors[0] for one in (cell, reference))  # (L, d) each
    return prompt_effects.measure_vectors(first, second, resampling)


def _score_effects(
    cell: Cell, reference: Cell, settings: ClassificationSettings, resampling: Resampling
) -> list[Measurement]:
    first, second = cell.scores(), reference.scores()
    target, groups = cell.target(first.clip_ids), cell.groups(first.clip_ids)
    measured = [
        measure_classification(
            one.values,
            target,
            metrics=settings.metrics(),
            resampling=resampling,
            groups=groups,
        )
        for one in (first, second)
    ]
    named = {metric.name: prompt_effects.difference(metric).name for metric in settings.metrics()}
    differences = [
        replace(
            paired_difference(one, other, confidence_level=resampling.confidence_level),
            metric=named[one.metric],
        )
        for one, other in zip(*measured, strict=True)
    ]
    ranking = prompt_effects.measure_ranking(
        np.ascontiguousarray(first.values[0]),
        np.ascontiguousarray(second.values[0]),
        target,
        groups,
        resampling,
    )
    return differences + ranking


def metrics(settings: ClassificationSettings) -> Sequence[Metric]:
    """Differences of the metrics of a classification, and how texts and rankings compare."""
    differences = (prompt_effects.difference(metric) for metric in settings.metrics())
    return (*prompt_effects.OF_TEXTS, *differences, *prompt_effects.OF_RANKINGS)


def sentences(rows: "pd.DataFrame", reading: Reading) -> list[str]:
    """Say for each pair of prompts what the other wording changes."""
    found = []
    keys = ["dataset", "model", "prompt"]
    ranking = (
        of_metric(rows, prompt_effects.RANK_CORRELATION.name).set_index(keys)["value"].to_dict()
    )
    row: Any
    for row in of_metric(rows, prompt_effects.difference(top(1)).name).itertuples():
        prompt, _, reference = row.prompt.partition(" - ")
        change = Difference(row.value, row.ci_low, row.ci_high, math.nan)
        sentence = (
            f"On {row.dataset}, “{prompt}” in place of “{reference}” changes the "
            f"{top(1).title} of {row.model} by {points_with_interval(change, reading)}"
        )
        key = (row.dataset, row.model, row.prompt)
        if key in ranking:
            sentence += (
                f"; the two order the classes with a rank correlation of "
                f"{three_digits(ranking[key])} (1 the same order, -1 the reverse)"
            )
        found.append(sentence + ".")
    return found


TASK = Task(
    name="prompt_effects",
    title="What another wording changes",
    question="reads",
    per="pair",
    reads=("scores", "text"),
    measure=measure,
    metrics=metrics,
    settings=ClassificationSettings,
    tables=(
        Table(
            name="prompt_effects",
            keys=("dataset", "space", "model", "prompt"),
            comparable=("dataset", "space"),
            caption="What another wording changes, on the same clips",
            method="“a - b” is prompt a in place of prompt b, on the same clips: Δ is the "
            "difference of a metric with its paired interval, <em>top-1 agreement</em> the share "
            "of clips with the same answer, <em>rank correlation</em> that of the two orders of "
            "the classes, <em>pair cosine</em> the similarity of the two texts of a label, to be "
            "held against <em>label cosine</em>, that of different labels.",
            docs="label-spellings-trumpet-in-c-or-trumpet",
        ),
    ),
    answers=(Answer("reads", sentences),),
)
