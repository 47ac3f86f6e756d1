"""Audio-only classification: a clip belongs to the class whose prototype it is most similar to."""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from listenread.figures.base import Figure
from listenread.figures.settings import AudioHistogramSettings
from listenread.metrics import prototypes
from listenread.metrics.base import Resampling
from listenread.metrics.classification import measure as measure_classification
from listenread.metrics.classification import top
from listenread.tasks.base import Answer, Row, Table, Task
from listenread.tasks.cell import Cell
from listenread.tasks.held_out import why_undefined
from listenread.tasks.settings import ClassificationSettings, of_classification
from listenread.tasks.words import SPACES, of_metric, percent, with_interval

if TYPE_CHECKING:
    import pandas as pd

PROTOCOLS: tuple[prototypes.PrototypeProtocol, ...] = ("published", "corrected")


def measure(cell: Cell, settings: ClassificationSettings, resampling: Resampling) -> Iterator[Row]:
    """Measure class prototypes in both spaces by both protocols.

    `corrected` uses the dataset's folds; leave-one-out where it has none.
    """
    clip_ids = cell.clip_ids()
    target, folds = cell.target(clip_ids), cell.folds(clip_ids)
    cell.facts["corrected_by"] = "folds" if folds is not None else "leave-one-out"
    why = None if folds is None else why_undefined(target.labels, folds, cell.classes)
    if why is not None:
        cell.missing["corrected"] = f"protocol corrected: {why}"
    for space, vectors in cell.spaces(cell.audio):
        for protocol in PROTOCOLS if why is None else PROTOCOLS[:1]:
            # not kept under a name: the next protocol's scores are as large
            measured = measure_classification(
                prototypes.scores(
                    vectors, target.labels, target.n_classes, protocol=protocol, folds=folds
                ),
                target,
                metrics=settings.metrics(),
                resampling=resampling,
            )
            yield from (Row(one, space, protocol) for one in measured)


def sentences(rows: "pd.DataFrame", confidence_level: float) -> list[str]:
    """Say for each dataset and model how well classes are told apart by sound alone.

    The protocol `corrected` is put into words where it is there: no clip is judged by a prototype
    that contains it.
    """
    found = []
    headline = of_metric(rows, top(1).name)
    for (dataset, model), part in headline.groupby(["dataset", "model"], sort=False):
        protocol = "corrected" if "corrected" in set(part["protocol"]) else "published"
        by_space = part[part["protocol"] == protocol].set_index("space")
        parts = [
            f"{with_interval(by_space.loc[space], confidence_level)} {where}"
            for space, where in SPACES.items()
            if space in by_space.index
        ]
        sentence = (
            f"By sound alone, {model} finds the class of a clip in {dataset} in "
            f"{' and '.join(parts)}; chance is {percent(by_space['chance'].iloc[0])} "
            f"(nearest class mean, protocol {protocol})."
        )
        if len(parts) == 2:
            sentence += f" {_projection(by_space.loc['joint'], by_space.loc['pre_joint'])}"
        found.append(sentence)
    return found


def _projection(joint: Any, pre_joint: Any) -> str:
    if math.isnan(joint.ci_low) or math.isnan(pre_joint.ci_low):
        return ""
    if joint.ci_low > pre_joint.ci_high:
        return "The projection into the joint space helps, beyond both intervals."
    if pre_joint.ci_low > joint.ci_high:
        return "The projection into the joint space costs, beyond both intervals."
    return "The two intervals overlap: no effect of the projection is seen."


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
            "takes the clips of the other official folds or, without folds, all other clips. "
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
