"""Zero-shot classification: a clip belongs to the class whose prompt it is most similar to."""

from collections.abc import Sequence
from pathlib import Path

from listenread import tables, tidy
from listenread.scores import read_scores
from listenread.tasks import classification


def measure_zero_shot(
    scores_path: str | Path,
    output: str | Path,
    *,
    dataset: str,
    model: str,
    prompt: str,
    top_k: Sequence[int],
    resamples: int,
    confidence: float,
    seed: int,
) -> None:
    """Measure one prompt; write its rows of the tidy table.

    The published and the corrected protocol are one and the same here, because nothing is
    evaluated on what built it; the rows say `published`.
    """
    cell = {"dataset": dataset, "model": model, "task": "zero_shot", "prompt": prompt}
    loaded = read_scores(scores_path)
    if isinstance(loaded, str):
        return tables.write_unavailable(output, loaded, **cell)
    scores, labels, _ = loaded
    measured = classification.measure(
        scores, labels, top_k=top_k, resamples=resamples, confidence=confidence, seed=seed
    )
    made = tidy.rows(measured, **cell, space="joint", protocol="published")
    tidy.write(output, made, cell, variants=len(scores))
