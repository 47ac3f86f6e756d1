"""Probes: what a classifier trained on the vectors can hear, the ceiling of the audio tower."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from listenread.errors import Unavailable
from listenread.metrics import probes
from listenread.metrics.base import Resampling, Target
from listenread.metrics.classification import measure as measure_classification
from listenread.metrics.classification import top
from listenread.metrics.uncertainty import ENOUGH_TO_LEARN
from listenread.tasks.base import Answer, Row, Table, Task
from listenread.tasks.cell import Cell
from listenread.tasks.claims import Reading
from listenread.tasks.held_out import why_undefined
from listenread.tasks.settings import ClassificationSettings, of_classification
from listenread.tasks.words import SPACES, of_metric, with_interval

if TYPE_CHECKING:
    import pandas as pd

LINEAR, NEAREST = "linear_probe", "k_nearest"


class ProbeSettings(ClassificationSettings):
    """Probes on the audio vectors."""

    inverse_regularisation: float = Field(
        default=1.0,
        gt=0,
        description="Scikit-learn's `C` of the linear probe; a larger one fits closer.",
    )
    tolerance: float = Field(
        default=1e-8,
        gt=0,
        description="The linear probe's solver stops where no gradient is larger. With a loose one "
        "the outcome depends on the last bits of the vectors, and so on batch size and threads.",
    )
    max_iterations: int = Field(default=10_000, ge=1, description="Of the linear probe's solver.")
    neighbours: int = Field(
        default=5, ge=1, description="Neighbours that vote in the nearest-neighbour probe."
    )
    folds: int = Field(
        default=5, ge=2, description="Stratified folds where a dataset has none of its own."
    )


def measure(cell: Cell, settings: ProbeSettings, resampling: Resampling) -> Iterator[Row]:
    """Measure a linear probe and nearest neighbours, in both spaces, always on held-out folds.

    Folds are the dataset's; where it has none, stratified ones are made with the seed.
    """
    clip_ids = cell.clip_ids()
    target, folds = cell.target(clip_ids), cell.folds(clip_ids)
    groups = cell.groups(clip_ids)
    cell.facts["official_folds"] = folds is not None
    if folds is not None and (why := why_undefined(target.labels, folds, cell.classes)):
        raise Unavailable(why)
    if folds is None:
        folds = probes.stratified_folds(
            target.labels, n_folds=settings.folds, seed=resampling.seed, groups=groups
        )
    for space, vectors in cell.spaces(cell.audio):
        for task, scores in _probed(vectors, target, folds, settings):
            measured = measure_classification(
                scores,
                target,
                metrics=settings.metrics(),
                resampling=resampling,
                groups=groups,
                enough=ENOUGH_TO_LEARN,
            )
            yield from (Row(one, space, "corrected", task=task) for one in measured)


def _probed(
    vectors: np.ndarray, target: Target, folds: np.ndarray, settings: ProbeSettings
) -> Iterator[tuple[str, np.ndarray]]:
    """Scores of one probe after the other: they are large."""
    labels, n_classes = target.labels, target.n_classes
    yield (
        LINEAR,
        probes.linear_probe(
            vectors,
            labels,
            n_classes,
            folds,
            inverse_regularisation=settings.inverse_regularisation,
            tolerance=settings.tolerance,
            max_iterations=settings.max_iterations,
        ),
    )
    yield (
        NEAREST,
        probes.k_nearest(vectors, labels, n_classes, folds, neighbours=settings.neighbours),
    )


def sentences(rows: "pd.DataFrame", reading: Reading) -> list[str]:
    """Say for each dataset and model what a linear classifier can hear in the audio vectors."""
    found = []
    headline = of_metric(rows, top(1).name)
    for (dataset, model), part in headline.groupby(["dataset", "model"], sort=False):
        by_space = part.set_index("space")
        parts = [
            f"{with_interval(by_space.loc[space], reading.confidence_level)} {where}"
            for space, where in SPACES.items()
            if space in by_space.index
        ]
        found.append(
            f"A linear classifier that is trained on the audio vectors of {model} recognises "
            f"{' and '.join(parts)} of the clips of {dataset} that it has not seen."
        )
    return found


TASK = Task(
    name="probes",
    title="Probes: classifiers trained on the audio vectors",
    question="listens",
    per="model",
    reads=("audio",),
    measure=measure,
    metrics=of_classification,
    settings=ProbeSettings,
    row_tasks=(LINEAR, NEAREST),
    tables=(
        Table(
            name="probes",
            keys=("dataset", "task", "model", "space"),
            comparable=("dataset",),
            caption="Probes: classifiers trained on the audio vectors, on held-out folds",
            method="<em>linear_probe</em> is a logistic regression and <em>k_nearest</em> a vote "
            "of the nearest clips by cosine, both on held-out folds: what is in the vectors, "
            "whatever a prompt makes of it.",
            docs="what-we-add",
        ),
    ),
    answers=(Answer("listens", sentences, LINEAR),),
    minutes=20,
    priority=1,  # the longest of the metrics: started first, it ends with the others
)
