"""Probes: what a classifier trained on the vectors can hear, the ceiling of the audio tower."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from listenread.datasets.manifest import read_manifest
from listenread.files import tables
from listenread.metrics import probes
from listenread.scores import class_indices
from listenread.tasks import classification, tidy


def measure_probes(
    embeddings_path: str | Path,
    manifest_path: str | Path,
    output: str | Path,
    *,
    dataset: str,
    model: str,
    inverse_regularisation: float,
    tolerance: float,
    max_iterations: int,
    neighbours: int,
    n_folds: int,
    top_k: Sequence[int],
    resamples: int,
    confidence: float,
    seed: int,
) -> None:
    """Measure a linear probe and nearest neighbours, in both spaces, always on held-out folds.

    Rows have the tasks `linear_probe` and `k_nearest`. Folds are the dataset's; where it has none,
    `n_folds` stratified ones are made with `seed`.
    """
    cell = {"dataset": dataset, "model": model}
    keys = ["clip_id", "label"]
    clips = tables.read(embeddings_path, keys, only=keys)
    if clips.unavailable:
        return tables.write_unavailable(output, clips.unavailable, **cell, task="linear_probe")
    manifest = read_manifest(manifest_path)
    labels = class_indices(clips.data["label"].to_pylist(), manifest.vocabulary)
    folds = classification.folds_of(manifest, clips.data["clip_id"])
    official = folds is not None
    if not official:
        folds = probes.stratified_folds(labels, n_folds=n_folds, seed=seed)
    solver = {
        "inverse_regularisation": inverse_regularisation,
        "tolerance": tolerance,
        "max_iterations": max_iterations,
    }
    made, missing = [], {}
    for space in classification.SPACES:
        vectors = tables.read_vectors(embeddings_path, space)
        if isinstance(vectors, str):
            missing[space] = vectors
            continue
        given = (vectors, labels, len(manifest.vocabulary), folds)
        for task, scores in _probed(given, solver, neighbours):
            measured = classification.measure(
                scores, labels, top_k=top_k, resamples=resamples, confidence=confidence, seed=seed
            )
            made += tidy.rows(measured, **cell, task=task, space=space, protocol="corrected")
    tidy.write(output, made, {**cell, "task": "linear_probe"}, missing, official_folds=official)


def _probed(
    given: tuple, solver: dict[str, float], neighbours: int
) -> Iterator[tuple[str, np.ndarray]]:
    """One after the other: scores are large."""
    yield "linear_probe", probes.linear_probe(*given, **solver)
    yield "k_nearest", probes.k_nearest(*given, neighbours=neighbours)
