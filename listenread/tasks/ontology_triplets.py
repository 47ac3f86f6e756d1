"""Triplets of every instrument of an ontology: how it is related is asked without any recording."""

from collections.abc import Iterator, Sequence

import numpy as np

from listenread.metrics.base import Resampling
from listenread.settings import NoSettings
from listenread.tasks.base import Answer, Row, Table, Task
from listenread.tasks.cell import Cell
from listenread.tasks.triplets import DEPTH, metrics, rows_of, sentences


def measure(cell: Cell, settings: NoSettings, resampling: Resampling) -> Iterator[Row]:
    """Measure the triplets of all instruments of an ontology for one prompt, in both spaces.

    Rows have the ontology's name as `dataset`. There is one protocol, `corrected`: the released
    loop depends on the order of a dataset's labels, and that of an ontology means nothing.
    """

    def relations(labels: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        return cell.ontology.distances(labels), cell.ontology.shared_levels(labels)

    yield from rows_of(cell, relations, ["corrected"], resampling)


TASK = Task(
    name="ontology_triplets",
    title="Triplets of all instruments of the ontology",
    question="reads",
    per="ontology",
    reads=("ontology_text", "ontology"),
    measure=measure,
    metrics=metrics,
    per_class=True,
    tables=(
        Table(
            name="ontology_triplets",
            keys=("dataset", "space", "model", "prompt"),
            comparable=("dataset", "space"),
            caption="Triplets of all instruments of the ontology",
            method="All instruments of the ontology stand for {label} in the prompts that are "
            "templates, in the ontology's spelling; no recording is involved. Protocol "
            "<em>corrected</em>.",
            docs="triplets-of-a-whole-ontology",
        ),
    ),
    per_class_table=Table(
        name="ontology_triplets",
        keys=("dataset", "label", "space", "model", "prompt"),
        comparable=("dataset", "label", "space"),
        caption="Triplets of the ontology, anchor by anchor",
        ranked=False,
        protocol="corrected",
        folded="Anchor by anchor of the ontology",
    ),
    answers=(Answer("reads", sentences),),
    figures=(DEPTH,),
)
