"""Probes: what a classifier trained on the vectors can hear, the ceiling of the audio tower."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from listenread import tables, tidy
from listenread.datasets.manifest import read_manifest
from listenread.metrics import probes
from listenread.scores import class_indices
from listenread.tasks import classification


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
    vectors = tables.read(embeddings_path, ["clip_id", "label"])
    if vectors.unavailable:
        return tables.write_unavailable(output, vectors.unavailable, **cell, task="linear_probe")
    manifest = read_manifest(manifest_path)
    labels = class_indices(vectors.data["label"].to_pylist(), manifest.vocabulary)
    folds = classification.folds_of(manifest, vectors.data["clip_id"])
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
        why = vectors.why_without(space)
        if why:
            missing[space] = why
            continue
        given = (tables.to_numpy(vectors.data[space]), labels, len(manifest.vocabulary), folds)
        for task, scores in _probed(given, solver, neighbours):
            measured = classification.measure(
                scores, labels, top_k=top_k, resamples=resamples, confidence=confidence, seed=seed
            )
            made += tidy.rows(measured, **cell, task=task, space=space, protocol="corrected")
    tidy.write(output, made, {**cell, "task": "linear_probe"}, missing, official_folds=official)


def _probed(
    given: tuple, solver: dict[str, float], neighbours: int
) -> list[tuple[str, np.ndarray]]:
    return [
        ("linear_probe", probes.linear_probe(*given, **solver)),
        ("k_nearest", probes.k_nearest(*given, neighbours=neighbours)),
    ]
