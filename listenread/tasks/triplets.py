"""Semantic triplets: does the text tower place related instruments near each other?"""

from pathlib import Path

import numpy as np
import pyarrow as pa

from listenread import ontology, tables, tidy
from listenread.metrics import triplets
from listenread.tasks.classification import SPACES

PROTOCOLS = ("published", "corrected")


def measure_triplets(
    text_path: str | Path,
    ontology_path: str | Path,
    output: str | Path,
    *,
    dataset: str,
    model: str,
    prompt: str,
    column: str,
    root: str | None,
    names: dict[str, list[str]],
    resamples: int,
    confidence: float,
    seed: int,
) -> None:
    """Measure the triplets of one prompt in both spaces by both protocols.

    Labels that the ontology does not have make the cell unavailable, which the table then says.

    Args:
        text_path: text vectors of the prompt.
        ontology_path: the ontology, a csv or AudioSet's json.
        output: the tidy table to write.
        dataset: of the labels.
        model: whose text tower it is.
        prompt: name of the prompt.
        column: of the csv that has the places; see `ontology.read`.
        root: see `ontology.read`.
        names: label -> its words in every spelling; the first that the ontology knows is taken.
        resamples: bootstrap resamples, over anchors.
        confidence: of the intervals.
        seed: of the resamples.
    """
    cell = {"dataset": dataset, "model": model, "task": "triplets", "prompt": prompt}
    text = tables.read(text_path, ["label"])
    if text.unavailable:
        return tables.write_unavailable(output, text.unavailable, **cell)
    tree = ontology.read(ontology_path, column=column, root=root)
    labels = list(dict.fromkeys(text.data["label"].to_pylist()))
    instruments = [_known(tree, names.get(label, [label])) for label in labels]
    absent = [label for label, known in zip(labels, instruments, strict=True) if known is None]
    if absent:
        why = (
            f"{Path(ontology_path).name} has no instrument or alias {', '.join(map(repr, absent))}"
        )
        return tables.write_unavailable(output, why, **cell)
    distances, levels = tree.distances(instruments), tree.shared_levels(instruments)
    made, missing = [], {}
    for space in SPACES:
        why = text.why_without(space)
        if why:
            missing[space] = why
            continue
        for protocol in PROTOCOLS:
            measured = triplets.measure(
                by_variant(text.data, space, len(labels)),
                distances,
                levels,
                protocol=protocol,
                resamples=resamples,
                confidence=confidence,
                seed=seed,
            )
            made += tidy.rows(measured, **cell, space=space, protocol=protocol)
    tidy.write(output, made, cell, missing, ontology=Path(ontology_path).name)


def by_variant(text: pa.Table, space: str, labels: int) -> np.ndarray:
    """Text vectors of one space, float32 of shape (V, L, d), one block for each variant."""
    vectors = tables.to_numpy(text[space])
    return vectors.reshape(-1, labels, vectors.shape[1])


def _known(tree: ontology.Ontology, names: list[str]) -> str | None:
    return next((name for name in names if not tree.missing([name])), None)
