"""Audio-only classification: a clip belongs to the class whose prototype it is most similar to."""

from collections.abc import Sequence
from pathlib import Path

from listenread import tables, tidy
from listenread.datasets.manifest import read_manifest
from listenread.metrics import prototypes
from listenread.scores import class_indices
from listenread.tasks import classification

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
    vectors = tables.read(embeddings_path, ["clip_id", "label"])
    if vectors.unavailable:
        return tables.write_unavailable(output, vectors.unavailable, **cell)
    manifest = read_manifest(manifest_path)
    labels = class_indices(vectors.data["label"].to_pylist(), manifest.vocabulary)
    folds = classification.folds_of(manifest, vectors.data["clip_id"])
    made, missing = [], {}
    for space in classification.SPACES:
        why = vectors.why_without(space)
        if why:
            missing[space] = why
            continue
        for protocol in PROTOCOLS:
            scores = prototypes.scores(
                tables.to_numpy(vectors.data[space]),
                labels,
                len(manifest.vocabulary),
                protocol=protocol,
                folds=folds,
            )
            measured = classification.measure(
                scores, labels, top_k=top_k, resamples=resamples, confidence=confidence, seed=seed
            )
            made += tidy.rows(measured, **cell, space=space, protocol=protocol)
    by = "folds" if folds is not None else "leave-one-out"
    tidy.write(output, made, cell, missing, corrected_by=by)
