"""Confidence: the difference of a clip's two largest similarities, and what it says."""

from pathlib import Path

from listenread.files import tables
from listenread.metrics import confidence as metric
from listenread.scores import read_scores
from listenread.tasks import tidy


def measure_confidence(
    scores_path: str | Path,
    output: str | Path,
    *,
    dataset: str,
    model: str,
    prompt: str,
    resamples: int,
    confidence: float,
    seed: int,
) -> None:
    """Measure one prompt's margins and their relation to being right."""
    cell = {"dataset": dataset, "model": model, "task": "confidence", "prompt": prompt}
    loaded = read_scores(scores_path)
    if isinstance(loaded, str):
        return tables.write_unavailable(output, loaded, **cell)
    scores, labels, _ = loaded
    measured = metric.measure(scores, labels, resamples=resamples, confidence=confidence, seed=seed)
    made = tidy.rows(measured, **cell, space="joint", protocol="corrected")
    tidy.write(output, made, cell)
