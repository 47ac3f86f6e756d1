"""Semantic triplets: does the text tower place related instruments near each other?"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from listenread import ontology
from listenread.files import tables
from listenread.metrics import triplets
from listenread.metrics.uncertainty import Measurement
from listenread.tasks import tidy
from listenread.tasks.classification import SPACES

PROTOCOLS = ("published", "corrected")


def measure_triplets(
    text_path: str | Path,
    ontology_path: str | Path,
    output: str | Path,
    per_class_output: str | Path,
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
        per_class_output: accuracy of each anchor; see `tidy.PER_CLASS`.
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
        return _write_unavailable((output, per_class_output), text.unavailable, cell)
    tree = ontology.read(ontology_path, column=column, root=root)
    labels = list(dict.fromkeys(text.data["label"].to_pylist()))
    instruments = [_known(tree, names.get(label, [label])) for label in labels]
    absent = [label for label, known in zip(labels, instruments, strict=True) if known is None]
    if absent:
        why = (
            f"{Path(ontology_path).name} has no instrument or alias {', '.join(map(repr, absent))}"
        )
        return _write_unavailable((output, per_class_output), why, cell)
    write_measured(
        text,
        (output, per_class_output),
        cell,
        labels,
        (tree.distances(instruments), tree.shared_levels(instruments)),
        PROTOCOLS,
        ontology_name=Path(ontology_path).name,
        resamples=resamples,
        confidence=confidence,
        seed=seed,
    )


def write_measured(
    text: tables.Table,
    outputs: tuple[str | Path, str | Path],
    cell: dict[str, str],
    labels: list[str],
    relations: tuple[np.ndarray, np.ndarray],
    protocols: Sequence[str],
    *,
    ontology_name: str,
    **settings: float,
) -> None:
    """Measure text vectors in both spaces and write the rows of the cell, and of each anchor.

    Args:
        text: text vectors of one prompt.
        outputs: the tidy table to write, and that of each anchor.
        cell: the columns that all rows share.
        labels: of the L instruments, in the order of the vectors.
        relations: distances and shared levels, shape (L, L) each; see `triplets.evaluate`.
        protocols: of `PROTOCOLS`.
        ontology_name: file name of the ontology, for the metadata.
        **settings: `resamples`, `confidence` and `seed`.
    """
    made, by_anchor, missing = [], [], {}
    for space in SPACES:
        why = text.why_without(space)
        if why:
            missing[space] = why
            continue
        vectors = by_variant(text.data, space, len(labels))
        for protocol in protocols:
            measured = triplets.measure(vectors, *relations, protocol=protocol, **settings)
            keys = {**cell, "space": space, "protocol": protocol}
            made += tidy.rows(measured, **keys)
            by_anchor += anchor_rows(vectors, labels, *relations, **keys)
    tidy.write(outputs[0], made, cell, missing, ontology=ontology_name)
    tidy.write_per_class(outputs[1], by_anchor, cell, missing)


def anchor_rows(
    vectors: np.ndarray, labels: list[str], distances: np.ndarray, levels: np.ndarray, **keys: str
) -> list[dict[str, object]]:
    """Rows of `tidy.PER_CLASS` with the accuracy of each anchor, `n` being its triplets.

    There is no interval: the triplets of one anchor share its vector, so that nothing is left to
    draw from.

    Args:
        vectors: shape (V, L, d); the accuracy is the mean over variants.
        labels: of the L anchors.
        distances: see `triplets.evaluate`.
        levels: likewise.
        **keys: columns that all rows share, `protocol` among them.
    """
    outcomes = [
        triplets.evaluate(variant, distances, levels, protocol=keys["protocol"])
        for variant in vectors
    ]
    values = np.mean([outcome.by_anchor() for outcome in outcomes], axis=0)
    counts = outcomes[0].total.sum(axis=(1, 2))
    undefined = float("nan")
    return [
        {**row, "label": label}
        for label, value, n in zip(labels, values, counts, strict=True)
        for row in tidy.rows(
            [Measurement("accuracy", float(value), undefined, undefined, int(n), 0.5)], **keys
        )
    ]


def by_variant(text: pa.Table, space: str, labels: int) -> np.ndarray:
    """Text vectors of one space, float32 of shape (V, L, d), one block for each variant."""
    vectors = tables.to_numpy(text[space])
    return vectors.reshape(-1, labels, vectors.shape[1])


def _write_unavailable(paths: Iterable[str | Path], why: str, cell: Mapping[str, str]) -> None:
    for path in paths:
        tables.write_unavailable(path, why, **cell)


def _known(tree: ontology.Ontology, names: list[str]) -> str | None:
    return next((name for name in names if not tree.missing([name])), None)
