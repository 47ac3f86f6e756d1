"""Zero-shot classification: a clip belongs to the class whose prompt it is most similar to."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from listenread.files import tables
from listenread.metrics import chance, zero_shot
from listenread.metrics.uncertainty import Measurement, over_variants, percentile_interval
from listenread.scores import read_scores, read_templates
from listenread.tasks import classification, tidy

#: Task of the rows with what the same scores earn under permuted labels.
PERMUTED = "chance_by_permutation"


def measure_zero_shot(
    scores_path: str | Path,
    output: str | Path,
    per_class_output: str | Path,
    *,
    dataset: str,
    model: str,
    prompt: str,
    top_k: Sequence[int],
    resamples: int,
    confidence: float,
    permutations: int,
    seed: int,
) -> None:
    """Measure one prompt; write its rows of the tidy table, and those of each class.

    The published and the corrected protocol are one and the same here, because nothing is
    evaluated on what built it; the rows say `published`. A prompt set has the mean over its
    templates, and rows of each, whose prompt is ``<prompt>: <template>``.

    Rows of the task `chance_by_permutation` have, under the same metric names, the mean over
    permuted labels as `value` and its central interval: what luck alone reaches with these very
    scores, beside `chance` by definition. Prompt sets have none.

    Args:
        scores_path: similarities of clips and classes.
        output: the tidy table to write.
        per_class_output: precision, recall, ... of each class; see `tidy.PER_CLASS`.
        dataset: of the clips.
        model: of the similarities.
        prompt: name of the prompt.
        top_k: the k of top-k accuracy.
        resamples: of the bootstrap.
        confidence: of the intervals.
        permutations: of the labels; 0 for no such rows.
        seed: of resamples and permutations.
    """
    cell = {"dataset": dataset, "model": model, "task": "zero_shot", "prompt": prompt}
    loaded = read_scores(scores_path)
    if isinstance(loaded, str):
        for path in (output, per_class_output):
            tables.write_unavailable(path, loaded, **cell)
        return
    scores, labels, classes = loaded
    names = classification.metric_names(top_k)
    each = [
        zero_shot.measure_with_classes(
            variant, labels, metrics=names, resamples=resamples, confidence=confidence, seed=seed
        )
        for variant in scores
    ]
    measured = _mean([whole for whole, _ in each], confidence)
    by_class = [
        _mean([ones[index] for _, ones in each], confidence) for index in range(len(classes))
    ]
    keys = {**cell, "space": "joint", "protocol": "published"}
    made = tidy.rows(measured, **keys)
    templates = read_templates(scores_path)
    for template, (whole, _) in zip(templates, each if templates else [], strict=True):
        made += tidy.rows(whole, **{**keys, "prompt": f"{prompt}: {template}"})
    if permutations and not templates:
        by_luck = _by_luck(scores, labels, measured, permutations, confidence, seed)
        made += tidy.rows(by_luck, **{**keys, "task": PERMUTED})
    tidy.write(output, made, cell, variants=len(scores))
    per_class = [
        {**row, "label": label}
        for label, ones in zip(classes, by_class, strict=True)
        for row in tidy.rows(ones, **keys)
    ]
    tidy.write_per_class(per_class_output, per_class, cell)


def _mean(variants: list[list[Measurement]], confidence: float) -> list[Measurement]:
    return over_variants(lambda measured: measured, variants, confidence=confidence)


def _by_luck(
    scores: np.ndarray,
    labels: np.ndarray,
    measured: Sequence[Measurement],
    permutations: int,
    confidence: float,
    seed: int,
) -> list[Measurement]:
    """What permuted labels earn, averaged over variants permutation by permutation."""
    names = [one.metric for one in measured]
    by_variant = [
        chance.by_permutation(variant, labels, metrics=names, permutations=permutations, seed=seed)
        for variant in scores
    ]
    earned = {name: np.mean([one[name] for one in by_variant], axis=0) for name in names}
    return [
        Measurement(
            one.metric,
            float(earned[one.metric].mean()),
            *percentile_interval(earned[one.metric], confidence),
            n=one.n,
            chance=one.chance,
        )
        for one in measured
    ]
