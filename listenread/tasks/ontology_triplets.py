"""Triplets of every instrument of an ontology: how it is related is asked without any recording."""

from pathlib import Path

from listenread import ontology, tables, tidy
from listenread.metrics import triplets
from listenread.tasks.classification import SPACES
from listenread.tasks.triplets import anchor_rows, by_variant

TASK = "ontology_triplets"
PROTOCOL = "corrected"


def measure_ontology_triplets(
    text_path: str | Path,
    ontology_path: str | Path,
    output: str | Path,
    per_class_output: str | Path,
    *,
    ontology_name: str,
    model: str,
    prompt: str,
    column: str,
    root: str | None,
    resamples: int,
    confidence: float,
    seed: int,
) -> None:
    """Measure the triplets of all instruments of an ontology for one prompt, in both spaces.

    Rows have the ontology's name as `dataset`. There is one protocol, `corrected`: the released
    loop depends on the order of a dataset's labels, and an ontology has none that means anything.

    Args:
        text_path: text vectors of the prompt, one row per instrument (and variant).
        ontology_path: the ontology that they are the instruments of.
        output: the tidy table to write.
        per_class_output: accuracy of each anchor; see `tidy.PER_CLASS`.
        ontology_name: how rows call it.
        model: whose text tower it is.
        prompt: name of the prompt.
        column: of the csv that has the places; see `ontology.read`.
        root: see `ontology.read`.
        resamples: bootstrap resamples, over anchors.
        confidence: of the intervals.
        seed: of the resamples.
    """
    cell = {"dataset": ontology_name, "model": model, "task": TASK, "prompt": prompt}
    text = tables.read(text_path, ["label"])
    if text.unavailable:
        for path in (output, per_class_output):
            tables.write_unavailable(path, text.unavailable, **cell)
        return
    tree = ontology.read(ontology_path, column=column, root=root)
    labels = list(dict.fromkeys(text.data["label"].to_pylist()))
    distances, levels = tree.distances(labels), tree.shared_levels(labels)
    made, by_anchor, missing = [], [], {}
    for space in SPACES:
        why = text.why_without(space)
        if why:
            missing[space] = why
            continue
        vectors = by_variant(text.data, space, len(labels))
        measured = triplets.measure(
            vectors,
            distances,
            levels,
            protocol=PROTOCOL,
            resamples=resamples,
            confidence=confidence,
            seed=seed,
        )
        keys = {**cell, "space": space, "protocol": PROTOCOL}
        made += tidy.rows(measured, **keys)
        by_anchor += anchor_rows(vectors, labels, distances, levels, **keys)
    tidy.write(output, made, cell, missing, ontology=Path(ontology_path).name)
    tidy.write_per_class(per_class_output, by_anchor, cell, missing)
