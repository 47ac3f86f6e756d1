"""Triplets of every instrument of an ontology: how it is related is asked without any recording."""

from pathlib import Path

from listenread import ontology
from listenread.files import tables
from listenread.tasks.triplets import write_measured

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
    write_measured(
        text,
        (output, per_class_output),
        cell,
        labels,
        (tree.distances(labels), tree.shared_levels(labels)),
        [PROTOCOL],
        ontology_name=Path(ontology_path).name,
        resamples=resamples,
        confidence=confidence,
        seed=seed,
    )
