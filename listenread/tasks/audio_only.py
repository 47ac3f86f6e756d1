"""Audio-only classification: a clip belongs to the class whose prototype it is most similar to."""

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from listenread.figures.base import Figure
from listenread.figures.settings import AudioHistogramSettings
from listenread.metrics import prototypes
from listenread.metrics.base import Resampling, Target
from listenread.metrics.classification import measure as measure_classification
from listenread.metrics.classification import top
from listenread.metrics.uncertainty import ENOUGH_TO_LEARN
from listenread.tasks.base import Answer, Row, Table, Task
from listenread.tasks.cell import Cell
from listenread.tasks.claims import (
    Difference,
    Reading,
    difference,
    holm,
    no_difference,
    points_with_interval,
)
from listenread.tasks.held_out import why_undefined
from listenread.tasks.settings import ClassificationSettings, of_classification
from listenread.tasks.words import SPACES, of_metric, percent, with_interval

if TYPE_CHECKING:
    import pandas as pd

PROTOCOLS: tuple[prototypes.PrototypeProtocol, ...] = ("published", "corrected")


def measure(cell: Cell, settings: ClassificationSettings, resampling: Resampling) -> Iterator[Row]:
    """Measure class prototypes in both spaces by both protocols.

    `corrected` uses the dataset's folds; leave-one-group-out where it has none.
    """
    clip_ids = cell.clip_ids()
    target, folds = cell.target(clip_ids), cell.folds(clip_ids)
    groups = cell.groups(clip_ids)
    cell.facts["corrected_by"] = "folds" if folds is not None else "leave-one-group-out"
    why = None if folds is None else why_undefined(target.labels, folds, cell.classes)
    if why is not None:
        cell.missing["corrected"] = f"protocol corrected: {why}"
    for space, vectors in cell.spaces(cell.audio):
        for protocol in PROTOCOLS if why is None else PROTOCOLS[:1]:
            learned = _prototypes(vectors, target, folds, groups, protocol)
            measured = measure_classification(
                learned(None),
                target,
                metrics=settings.metrics(),
                resampling=resampling,
                groups=groups,
                learned=learned,
                enough=ENOUGH_TO_LEARN,
            )
            yield from (Row(one, space, protocol) for one in measured)


def _prototypes(
    vectors: np.ndarray,
    target: Target,
    folds: np.ndarray | None,
    groups: np.ndarray,
    protocol: prototypes.PrototypeProtocol,
) -> Callable[[np.ndarray | None], np.ndarray]:
    """Scores by prototypes from the clips that are kept: all of them for None."""
    return lambda kept: prototypes.scores(
        vectors,
        target.labels,
        target.n_classes,
        protocol=protocol,
        folds=folds,
        kept=kept,
        groups=groups,
    )


def sentences(rows: "pd.DataFrame", reading: Reading) -> list[str]:
    """Say for each dataset and model how well classes are told apart by sound alone.

    The protocol `corrected` is put into words where it is there: no clip is judged by a prototype
    that contains it.
    """
    found: list[str] = []
    headline = of_metric(rows, top(1).name)
    projections: dict[int, Difference] = {}
    for (dataset, model), part in headline.groupby(["dataset", "model"], sort=False):
        protocol = "corrected" if "corrected" in set(part["protocol"]) else "published"
        by_space = part[part["protocol"] == protocol].set_index("space")
        parts = [
            f"{with_interval(by_space.loc[space], reading.confidence_level)} {where}"
            for space, where in SPACES.items()
            if space in by_space.index
        ]
        sentence = (
            f"By sound alone, {model} finds the class of a clip in {dataset} in "
            f"{' and '.join(parts)}; chance is {percent(by_space['chance'].iloc[0])} "
            f"(nearest class mean, protocol {protocol})."
        )
        if len(parts) == 2:
            projections[len(found)] = difference(
                by_space.loc["joint"], by_space.loc["pre_joint"], reading
            )
        found.append(sentence)
    adjusted = holm([one.p for one in projections.values()])
    for (place, one), p in zip(projections.items(), adjusted, strict=True):
        found[place] = f"{found[place]} {_projection(one, p, reading)}".strip()
    return found


def _projection(found: Difference, p: float, reading: Reading) -> str:
    if math.isnan(p):
        return ""
    if p > reading.level:
        return no_difference(found, reading, "The projection into the joint space")
    effect = "helps" if found.value > 0 else "costs"
    return f"The projection into the joint space {effect}: {points_with_interval(found, reading)}."


TASK = Task(
    name="audio_only",
    title="Audio-only classification: the nearest class mean",
    question="listens",
    per="model",
    reads=("audio",),
    measure=measure,
    metrics=of_classification,
    settings=ClassificationSettings,
    tables=(
        Table(
            name="audio_only",
            keys=("dataset", "protocol", "model", "space"),
            comparable=("dataset", "protocol"),
            caption="Audio-only classification: the nearest class mean",
            method="Each class is represented by the normalised mean vector of its clips, and a "
            "clip is given to the class with the largest cosine. Protocol <em>published</em> is "
            "the paper's, in which the mean contains the clip under test; <em>corrected</em> "
            "takes the clips of the other official folds or, without folds, of the other groups. "
            "<em>joint</em> is the space that both towers share, <em>pre_joint</em> what the "
            "audio tower gives before the projection into it.",
            docs="audio-only-is-the-clip-under-test-part-of-its-classs-prototype",
        ),
    ),
    answers=(Answer("listens", sentences),),
    figures=(
        Figure(
            name="audio_similarity",
            caption="Similarities of clips with clips of the same class and of others",
            per="model",
            reads=("audio",),
            draw="listenread.figures.similarity:draw_audio",
            settings=AudioHistogramSettings,
            question="listens",
            wide=True,
        ),
    ),
    hub_task=("audio-classification", "Audio-only classification by class prototypes"),
)
