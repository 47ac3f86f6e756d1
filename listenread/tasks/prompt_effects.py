"""Prompt effects: what another wording does to the vectors, the ranking and the numbers."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from listenread.files import tables
from listenread.metrics import prompt_effects
from listenread.metrics.uncertainty import Measurement, paired_difference
from listenread.scores import read_scores
from listenread.tasks import classification, tidy
from listenread.tasks.triplets import by_variant


def compare_prompts(
    scores_paths: Sequence[str | Path],
    text_paths: Sequence[str | Path],
    output: str | Path,
    *,
    dataset: str,
    model: str,
    prompt: str,
    reference: str,
    top_k: Sequence[int],
    resamples: int,
    confidence: float,
    seed: int,
) -> None:
    """Compare a prompt with a reference prompt on the same clips and the same resamples.

    Rows have the task `prompt_effects` and the prompt ``<prompt> - <reference>``: differences of
    every zero-shot metric (``top_1_difference``, ...), `top_1_agreement` and `rank_correlation` of
    the two rankings, and in both spaces `pair_cosine` and `label_cosine` of the texts.

    Args:
        scores_paths: scores of the prompt and of the reference.
        text_paths: text vectors of the prompt and of the reference.
        output: the tidy table to write.
        dataset: of the clips.
        model: of the vectors.
        prompt: name of the prompt.
        reference: name of the reference.
        top_k: the k of top-k accuracy.
        resamples: bootstrap resamples.
        confidence: of the intervals.
        seed: of the resamples.
    """
    cell = {
        "dataset": dataset,
        "model": model,
        "task": "prompt_effects",
        "prompt": f"{prompt} - {reference}",
    }
    settings = {"resamples": resamples, "confidence": confidence, "seed": seed}
    texts = [tables.read(path, ["label"]) for path in text_paths]
    scores = [read_scores(path) for path in scores_paths]
    why = next((t.unavailable for t in texts if t.unavailable), None)
    if why:
        return tables.write_unavailable(output, why, **cell)
    made = []
    for space in classification.SPACES:
        if all(space in text.data.column_names for text in texts):
            made += tidy.rows(
                _text_effects([text.data for text in texts], space, settings),
                **cell,
                space=space,
                protocol="corrected",
            )
    if not any(isinstance(loaded, str) for loaded in scores):
        measured = _score_effects(scores, top_k, settings)
        made += tidy.rows(measured, **cell, space="joint", protocol="corrected")
    tidy.write(output, made, cell)


def _text_effects(texts: list, space: str, settings: dict) -> list[Measurement]:
    """The first variant of each prompt stands for it: a pair of texts is compared, not a set."""
    first, second = (
        by_variant(text, space, len(set(text["label"].to_pylist())))[0] for text in texts
    )
    return prompt_effects.measure_vectors(first, second, **settings)


def _score_effects(scores: list, top_k: Sequence[int], settings: dict) -> list[Measurement]:
    (first, labels, _), (second, _, _) = scores
    measured = [
        classification.measure(values, labels, top_k=top_k, **settings)
        for values in (first, second)
    ]
    differences = [
        replace(
            paired_difference(one, other, confidence=settings["confidence"]),
            metric=f"{one.metric}_difference",
        )
        for one, other in zip(*measured, strict=True)
    ]
    ranking = prompt_effects.measure_ranking(
        np.ascontiguousarray(first[0]), np.ascontiguousarray(second[0]), labels, **settings
    )
    return differences + ranking
