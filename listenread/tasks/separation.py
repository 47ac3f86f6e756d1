"""Separation: are similarities of right pairs larger than those of wrong ones?"""

from pathlib import Path

from listenread.files import tables
from listenread.metrics import separation
from listenread.scores import class_indices, read_scores
from listenread.tasks import tidy
from listenread.tasks.classification import SPACES


def measure_separation(
    scores_path: str | Path,
    audio_path: str | Path,
    text_path: str | Path,
    output: str | Path,
    *,
    dataset: str,
    model: str,
    prompt: str,
    bins: int,
    resamples: int,
    confidence: float,
    seed: int,
) -> None:
    """Measure how text-audio similarities separate, and the modality gap, for one prompt."""
    cell = {"dataset": dataset, "model": model, "task": "separation", "prompt": prompt}
    settings = {"resamples": resamples, "confidence": confidence, "seed": seed}
    loaded = read_scores(scores_path)
    if isinstance(loaded, str):
        return tables.write_unavailable(output, loaded, **cell)
    scores, labels, _ = loaded
    variants = len(scores)
    profile = separation.text_audio_profile(scores, labels, bins=bins)
    del scores, loaded  # as large as what is read next
    measured = separation.measure(profile, labels, **settings)
    del profile
    audio, text = (tables.read_vectors(path, "joint") for path in (audio_path, text_path))
    gap = separation.measure_modality_gap(audio, text, labels, **settings)
    made = tidy.rows([*measured, gap], **cell, space="joint", protocol="corrected")
    tidy.write(output, made, cell, variants=variants)


def measure_audio_separation(
    embeddings_path: str | Path,
    output: str | Path,
    *,
    dataset: str,
    model: str,
    bins: int,
    max_others: int,
    resamples: int,
    confidence: float,
    seed: int,
) -> None:
    """Measure how similarities between clips separate, in both spaces."""
    cell = {"dataset": dataset, "model": model, "task": "separation"}
    clips = tables.read(embeddings_path, ["label"], only=["label"])
    if clips.unavailable:
        return tables.write_unavailable(output, clips.unavailable, **cell)
    names = clips.data["label"].to_pylist()
    labels = class_indices(names, sorted(set(names)))
    made, missing = [], {}
    for space in SPACES:
        vectors = tables.read_vectors(embeddings_path, space)
        if isinstance(vectors, str):
            missing[space] = vectors
            continue
        profile = separation.clip_pair_profile(
            vectors, labels, bins=bins, max_others=max_others, seed=seed
        )
        measured = separation.measure(
            profile, labels, resamples=resamples, confidence=confidence, seed=seed
        )
        made += tidy.rows(measured, **cell, space=space, protocol="corrected")
    tidy.write(output, made, cell, missing)
