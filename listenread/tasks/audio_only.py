"""Audio-only classification: a clip belongs to the class whose prototype it is most similar to."""

from collections.abc import Sequence
from pathlib import Path

from listenread.datasets.manifest import read_manifest
from listenread.files import tables
from listenread.metrics import prototypes
from listenread.scores import class_indices
from listenread.tasks import classification, tidy

PROTOCOLS = ("published", "corrected")


def measure_audio_only(
    embeddings_path: str | Path,
    manifest_path: str | Path,
    output: str | Path,
    *,
    dataset: str,
    model: str,
    top_k: Sequence[int],
    resamples: int,
    confidence: float,
    seed: int,
) -> None:
    """Measure class prototypes in both spaces by both protocols; write rows of the tidy table.

    `corrected` uses the dataset's folds; leave-one-out where it has none.
    """
    cell = {"dataset": dataset, "model": model, "task": "audio_only"}
    keys = ["clip_id", "label"]
    clips = tables.read(embeddings_path, keys, only=keys)
    if clips.unavailable:
        return tables.write_unavailable(output, clips.unavailable, **cell)
    manifest = read_manifest(manifest_path)
    classes = len(manifest.vocabulary)
    labels = class_indices(clips.data["label"].to_pylist(), manifest.vocabulary)
    folds = classification.folds_of(manifest, clips.data["clip_id"])
    made, missing = [], {}
    for space in classification.SPACES:
        vectors = tables.read_vectors(embeddings_path, space)
        if isinstance(vectors, str):
            missing[space] = vectors
            continue
        for protocol in PROTOCOLS:
            # not kept under a name: the next protocol's are as large
            measured = classification.measure(
                prototypes.scores(vectors, labels, classes, protocol=protocol, folds=folds),
                labels,
                top_k=top_k,
                resamples=resamples,
                confidence=confidence,
                seed=seed,
            )
            made += tidy.rows(measured, **cell, space=space, protocol=protocol)
    by = "folds" if folds is not None else "leave-one-out"
    tidy.write(output, made, cell, missing, corrected_by=by)
