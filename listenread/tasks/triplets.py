"""Semantic triplets: does the text tower place related instruments near each other?"""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from listenread import ontology
from listenread.errors import Unavailable
from listenread.figures.base import Figure
from listenread.metrics import triplets
from listenread.metrics.base import Measurement, Metric, Resampling
from listenread.settings import NoSettings
from listenread.tasks.base import Answer, Row, Table, Task
from listenread.tasks.cell import Cell
from listenread.tasks.claims import Reading, above_chance, spread_of
from listenread.tasks.words import of_metric, percent, with_interval

if TYPE_CHECKING:
    import pandas as pd

PROTOCOLS: tuple[triplets.TripletProtocol, ...] = ("published", "corrected")
#: The figure of both tasks of triplets.
DEPTH = Figure(
    name="depth",
    caption="Triplet accuracy by the levels of the ontology that anchor and negative share",
    per="model",
    reads=("metrics",),
    draw="listenread.figures.depth:draw",
    question="reads",
    wide=True,
)


def measure(cell: Cell, settings: NoSettings, resampling: Resampling) -> Iterator[Row]:
    """Measure the triplets of one prompt in both spaces by both protocols, and each anchor.

    Labels that the ontology does not have make the cell empty, with the reason.
    """
    tree = cell.ontology

    def relations(labels: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        known = [_known(tree, cell.names.get(label, [label])) for label in labels]
        absent = [label for label, name in zip(labels, known, strict=True) if name is None]
        if absent:
            raise Unavailable(
                f"{cell.ontology_file} has no instrument or alias {', '.join(map(repr, absent))}"
            )
        instruments = [name for name in known if name is not None]
        return tree.distances(instruments), tree.shared_levels(instruments)

    yield from rows_of(cell, relations, PROTOCOLS, resampling)


def rows_of(
    cell: Cell,
    relations: Callable[[Sequence[str]], tuple[np.ndarray, np.ndarray]],
    protocols: Sequence[triplets.TripletProtocol],
    resampling: Resampling,
) -> Iterator[Row]:
    """Measure text vectors in both spaces, and each anchor.

    Args:
        cell: has the text vectors.
        relations: gives distances and shared levels of labels, shape (L, L) each; see
            `triplets.evaluate`.
        protocols: of `PROTOCOLS`.
        resampling: over instruments.
    """
    cell.facts["ontology"] = cell.ontology_file
    for space, (labels, vectors) in cell.spaces(cell.text):
        distances, levels = relations(labels)
        for protocol in protocols:
            measured = triplets.measure(
                vectors, distances, levels, protocol=protocol, resampling=resampling
            )
            yield from (Row(one, space, protocol) for one in measured)
            outcomes = [
                triplets.evaluate(variant, distances, levels, protocol=protocol)
                for variant in vectors
            ]
            for label, one in zip(labels, by_anchor(outcomes), strict=True):
                yield Row(one, space, protocol, label=label)


def by_anchor(outcomes: Sequence[triplets.Triplets]) -> list[Measurement]:
    """Accuracy of each anchor, the mean over variants; `n` counts its triplets.

    There is no interval: the triplets of one anchor share its vector, so that nothing is left to
    draw from.
    """
    values = np.mean([outcome.by_anchor() for outcome in outcomes], axis=0)  # (L,)
    counts = outcomes[0].total.sum(axis=(1, 2))  # (L,)
    chance = float(np.mean([outcome.chance for outcome in outcomes]))
    return [
        Measurement(triplets.ACCURACY.name, float(value), n=int(n), chance=chance)
        for value, n in zip(values, counts, strict=True)
    ]


def _known(tree: ontology.Ontology, names: Sequence[str]) -> str | None:
    return next((name for name in names if not tree.missing([name])), None)


def metrics(settings: NoSettings) -> Sequence[Metric]:
    """Every metric of triplets."""
    return triplets.all_metrics()


def sentences(rows: "pd.DataFrame", reading: Reading) -> list[str]:
    """Say for each model how many relations of instruments its text vectors reproduce."""
    found = []
    rows = of_metric(rows, triplets.ACCURACY.name)
    rows = rows[(rows["protocol"] == "corrected") & (rows["space"] == "joint")]
    for (dataset, model), part in rows.groupby(["dataset", "model"], sort=False):
        first = part.iloc[0]
        ordered = (
            f"{with_interval(first, reading.confidence_level)} as the ontology does (prompt "
            f"“{first.prompt}”)"
            if len(part) == 1
            else f"as the ontology does {spread_of(part)}"
        )
        low, high = (percent(end) for end in (part["chance"].min(), part["chance"].max()))
        sentence = (
            f"Of the relations between the instruments of {dataset}, the text vectors of {model} "
            f"order {ordered}; chance is {low if low == high else f'{low} to {high}'}. "
            f"{above_chance(part, reading)}"
        )
        found.append(sentence.strip())
    return found


TASK = Task(
    name="triplets",
    title="Triplets of the dataset's instruments",
    question="reads",
    per="prompt",
    reads=("text", "ontology"),
    measure=measure,
    metrics=metrics,
    per_class=True,
    tables=(
        Table(
            name="triplets",
            keys=("dataset", "protocol", "space", "model", "prompt"),
            comparable=("dataset", "protocol"),
            caption="Triplets of instruments whose text vectors are ordered as in the ontology",
            method="A triplet of instruments is right when the text vector of the anchor is nearer "
            "to that of the instrument which is also nearer in the ontology; chance is one half, "
            "less where texts have the same vector. "
            "Protocol <em>published</em> takes the triplets as the released code builds them, "
            "<em>corrected</em> as the paper words them. <em>accuracy, level k</em> takes the "
            "triplets whose anchor and negative share k levels of the tree: at 0 the family alone "
            "is asked for.",
            docs="triplets-which-of-two-instruments-is-the-positive-one",
        ),
    ),
    per_class_table=Table(
        name="triplets",
        keys=("dataset", "label", "space", "model", "prompt"),
        comparable=("dataset", "label", "space"),
        caption="Triplets, anchor by anchor (protocol corrected)",
        row_tasks=("triplets",),
        ranked=False,
        protocol="corrected",
        folded="Anchor by anchor",
    ),
    answers=(Answer("reads", sentences),),
    figures=(DEPTH,),
)
