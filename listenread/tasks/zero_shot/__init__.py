"""Zero-shot classification: a clip belongs to the class whose prompt it is most similar to."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from pydantic import Field

from listenread.figures.base import Figure
from listenread.figures.settings import HistogramSettings, IntervalSettings, MarginSettings
from listenread.metrics.base import Measurement, Metric, Resampling, Target
from listenread.metrics.chance import by_permutation, p_value
from listenread.metrics.classification import (
    OF_CLASS,
    defined,
    measure_with_classes,
    top_of_class,
)
from listenread.metrics.uncertainty import mean_of, percentile_interval
from listenread.tasks.base import Answer, Row, Table, Task
from listenread.tasks.cell import Cell
from listenread.tasks.settings import ClassificationSettings
from listenread.tasks.zero_shot.answers import best_prompts, wordings

#: Column `task` of the rows with what the same scores earn under permuted labels.
PERMUTED = "chance_by_permutation"


class ZeroShotSettings(ClassificationSettings):
    """Zero-shot classification by prompts."""

    permutations: int = Field(
        default=200,
        ge=0,
        le=1_000_000,
        description="Of the labels, for chance levels in addition to those by definition; 0 leaves "
        "them out.",
    )


def metrics(settings: ZeroShotSettings) -> Sequence[Metric]:
    """Metrics of the whole and of single classes; those that name the same number once."""
    of_class = (one.metric for one in OF_CLASS)
    return list({metric.name: metric for metric in (*settings.metrics(), *of_class)}.values())


def measure(cell: Cell, settings: ZeroShotSettings, resampling: Resampling) -> Iterator[Row]:
    """Measure one prompt, each of its classes, and what permuted labels earn.

    The published and the corrected protocol are the same here, because nothing is evaluated on what
    built it; the rows say `published`. A prompt set has the mean over its templates, and rows of
    each, whose prompt is ``<prompt>: <template>``.

    Rows of the task `chance_by_permutation` have, under the same metric names, the mean over
    permuted labels as `value` and its central interval: what luck alone reaches with these very
    scores, next to `chance` by definition. Prompt sets have none.
    """
    scores = cell.scores()
    target, groups = cell.target(scores.clip_ids), cell.groups(scores.clip_ids)
    chosen = defined(settings.metrics(), target)
    of_class = (*OF_CLASS, *(top_of_class(k) for k in settings.top_k if k != 1))
    each = [
        measure_with_classes(
            variant,
            target,
            metrics=chosen,
            of_class=of_class,
            resampling=resampling,
            groups=groups,
        )
        for variant in scores.values
    ]
    level = resampling.confidence_level
    measured = mean_of([whole for whole, _ in each], level)
    cell.facts["variants"] = len(scores.values)
    luck: list[Measurement] = []
    if settings.permutations and target.single:
        measured, luck = _with_luck(
            scores.values, target, groups, chosen, measured, settings, resampling
        )
    yield from (Row(one, "joint", "published") for one in measured)
    for template, (whole, _) in zip(
        scores.templates, each if scores.templates else [], strict=True
    ):
        prompt = f"{cell.keys.get('prompt')}: {template}"
        yield from (Row(one, "joint", "published", prompt=prompt) for one in whole)
    if not scores.templates:
        yield from (Row(one, "joint", "published", task=PERMUTED) for one in luck)
    for index, label in enumerate(scores.classes):
        for one in mean_of([ones[index] for _, ones in each], level):
            yield Row(one, "joint", "published", label=label)


def _with_luck(
    scores: np.ndarray,
    target: Target,
    groups: np.ndarray,
    metrics: Sequence[Metric],
    measured: Sequence[Measurement],
    settings: ZeroShotSettings,
    resampling: Resampling,
) -> tuple[list[Measurement], list[Measurement]]:
    """The measurements with their p, and what permuted labels earn, averaged over variants."""
    by_variant = [
        by_permutation(
            variant,
            target,
            metrics=metrics,
            permutations=settings.permutations,
            seed=resampling.seed,
            groups=groups,
        )
        for variant in scores
    ]
    earned = {
        metric.name: np.mean([one[metric.name] for one in by_variant], axis=0) for metric in metrics
    }
    tested = [replace(one, p=p_value(one.value, earned[one.metric])) for one in measured]
    luck = [
        Measurement(
            one.metric,
            float(earned[one.metric].mean()),
            *percentile_interval(earned[one.metric], resampling.confidence_level),
            n=one.n,
            chance=one.chance,
            n_groups=one.n_groups,
            interval="permutations",
        )
        for one in measured
    ]
    return tested, luck


TASK = Task(
    name="zero_shot",
    title="Zero-shot classification by prompts",
    question="meets",
    per="prompt",
    reads=("scores",),
    measure=measure,
    metrics=metrics,
    settings=ZeroShotSettings,
    row_tasks=("zero_shot", PERMUTED),
    per_class=True,
    tables=(
        Table(
            name="zero_shot",
            keys=("dataset", "model", "prompt"),
            comparable=("dataset",),
            caption="Zero-shot classification by prompts",
            row_tasks=("zero_shot",),
            method="A clip is given to the class whose prompt has the largest cosine with it in "
            "the joint space. Top-k is the share of clips whose class is among the k largest; F1 "
            "is weighted by class size or not; the areas under the ROC and precision-recall "
            "curves are means over one-against-rest questions.",
            docs="what-we-add",
        ),
        Table(
            name=PERMUTED,
            keys=("dataset", "model", "prompt"),
            comparable=("dataset",),
            caption="Zero-shot classification of permuted labels",
            row_tasks=(PERMUTED,),
            method="The same similarities, judged by labels that were permuted among the clips: "
            "mean and central interval of the permutations. Rows called <em>chance</em> are the "
            "levels by definition, which know nothing of how often each class occurs and is "
            "answered.",
            ranked=False,
            folded="What luck alone would reach",
        ),
    ),
    per_class_table=Table(
        name="zero_shot",
        keys=("dataset", "label", "model", "prompt"),
        comparable=("dataset", "label"),
        caption="Zero-shot classification, class by class",
        row_tasks=("zero_shot",),
        folded="Class by class: precision, recall, F1, areas",
    ),
    answers=(Answer("reads", wordings), Answer("meets", best_prompts)),
    figures=(
        Figure(
            name="similarity",
            caption="Similarities of clips with the prompts of their own class and of the others",
            per="prompt",
            reads=("scores",),
            draw="listenread.figures.similarity:draw",
            settings=HistogramSettings,
            pools_variants=True,
        ),
        Figure(
            name="confusion",
            caption="Confusion matrix",
            per="prompt",
            reads=("scores",),
            draw="listenread.figures.confusion:draw",
        ),
        Figure(
            name="margin",
            caption="Difference of the two largest similarities, and the share that is right",
            per="prompt",
            reads=("scores",),
            draw="listenread.figures.margin:draw",
            settings=MarginSettings,
            wide=True,
        ),
        Figure(
            name="map",
            caption="Clips, class means and prompts on two principal axes",
            per="prompt",
            reads=("audio", "text"),
            draw="listenread.figures.map:draw",
            wide=True,
        ),
        Figure(
            name="prompts",
            caption="Top-k accuracy of every prompt and model, for the smallest k, with intervals",
            per="dataset",
            reads=("metrics",),
            draw="listenread.figures.prompts:draw",
            settings=IntervalSettings,
            question="reads",
            wide=True,
        ),
    ),
    priority=1,  # the figure of all prompts waits for it, and the page for that
    hub_task=("zero-shot-audio-classification", "Zero-shot audio classification"),
)
