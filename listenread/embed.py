"""Vectors: clips through an audio tower, prompts through a text tower."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from listenread import health, tables
from listenread.audio import ClipLoader, mean_by_clip
from listenread.datasets.manifest import read_manifest
from listenread.models import registry
from listenread.models.base import TwoTower, Vectors
from listenread.progress import progress
from listenread.prompts import PromptText


def embed_audio(
    model_dir: str | Path,
    manifest_path: str | Path,
    output: str | Path,
    *,
    health_path: str | Path,
    accept_unhealthy: bool,
    batch_size: int,
    device: str = "cpu",
    threads: int = 1,
) -> None:
    """Embed every clip of a manifest with a model's audio tower, both spaces from one pass.

    Writes one row per clip in manifest order: `clip_id, label, pre_joint, joint`; with
    ``cropping: mean_of_windows`` a clip's vectors are the means over its windows, `joint`
    normalised again.

    Args:
        model_dir: a prepared model.
        manifest_path: parquet of the manifest contract.
        output: the parquet file to write.
        health_path: what `check_model` found; the vectors of an unhealthy model are not computed,
            the table says why.
        accept_unhealthy: compute them all the same.
        batch_size: rows per forward pass.
        device: a torch device.
        threads: CPU threads, for the tower and for decoding.

    Raises:
        ListenreadError: a clip is not the one of the manifest, or the model cannot be loaded.
    """
    why = health.refusal(health_path, accept_unhealthy)
    if why:
        return tables.write_unavailable(output, why)
    manifest = read_manifest(manifest_path)
    model = registry.load(model_dir, tower="audio", device=device, threads=threads)
    with progress(total=len(manifest), unit="clips", label="embedding audio") as bar:
        loader = ClipLoader(
            manifest.clips,
            model.audio_input,
            batch_size,
            workers=threads,
            on_clip=bar.update,
        )
        vectors = _encode_clips(model, loader)
    tables.write(
        output,
        {
            "clip_id": manifest.table["clip_id"],
            "label": manifest.table["label"],
            "pre_joint": tables.vectors(vectors.pre_joint),
            "joint": tables.vectors(vectors.joint),
        },
        model=registry.describe(model_dir),
        device=device,
        vocabulary=manifest.vocabulary,
    )


def _encode_clips(model: TwoTower, loader: ClipLoader) -> Vectors:
    """Encode batch by batch; the vectors of a clip's windows are averaged, most clips have one."""
    clips, batches = [], []
    for batch in loader:
        clips.append(batch.clips)
        batches.append(model.encode_audio(batch.waveforms))
    row_clips = np.concatenate(clips)
    pre_joint, joint = (
        mean_by_clip(row_clips, np.concatenate(parts), len(loader))
        for parts in zip(*batches, strict=True)
    )
    if len(row_clips) > len(loader):
        joint /= np.linalg.norm(joint, axis=1, keepdims=True)
    return Vectors(pre_joint, joint)


def embed_text(
    model_dir: str | Path,
    prompt: Sequence[PromptText],
    output: str | Path,
    *,
    health_path: str | Path,
    accept_unhealthy: bool,
    batch_size: int = 64,
    device: str = "cpu",
    threads: int = 1,
) -> None:
    """Embed the texts of one prompt with a model's text tower; the audio tower is not loaded.

    Writes one row per label and variant: `label, text, pre_joint, joint`, with `variant` where the
    prompt has several; or that the cell is unavailable, where the tower reads all texts alike, as a
    tokenizer does that knows none of the words. See `embed_audio` for the arguments.
    """
    why = health.refusal(health_path, accept_unhealthy)
    if why:
        return tables.write_unavailable(output, why)
    model = registry.load(model_dir, tower="text", device=device, threads=threads)
    texts = [row.text for row in prompt]
    parts = [
        model.encode_text(texts[start : start + batch_size])
        for start in range(0, len(texts), batch_size)
    ]
    pre_joint, joint = (np.concatenate(vectors) for vectors in zip(*parts, strict=True))
    if len(set(texts)) > 1 and (joint == joint[0]).all() and not accept_unhealthy:
        return tables.write_unavailable(
            output,
            f"the text tower gives all {len(set(texts))} texts of the prompt the same vector, the "
            f"first is {texts[0]!r}",
        )
    columns = {"label": [row.label for row in prompt], "text": texts}
    variants = [row.variant for row in prompt]
    if max(variants) > 0:
        columns["variant"] = variants
    tables.write(
        output,
        {
            **columns,
            "pre_joint": tables.vectors(pre_joint),
            "joint": tables.vectors(joint),
        },
        model=registry.describe(model_dir),
        device=device,
    )
