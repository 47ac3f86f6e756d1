"""Vectors: clips through an audio tower, prompts through a text tower."""

import contextlib
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from listenread import health, prompts
from listenread.audio.base import Resampler
from listenread.audio.degradations.apply import chain
from listenread.audio.heard import HEARD, decibels, noting_peaks
from listenread.audio.loading import Batch, ClipLoader, mean_by_clip
from listenread.datasets.manifest import read_manifest
from listenread.errors import Unavailable
from listenread.files import tables
from listenread.models import storage
from listenread.models.base import Vectors
from listenread.models.common.device import device_type, resolve_device
from listenread.progress import progress
from listenread.prompts import PromptText

#: Digits of a joint vector that two texts share if a tower reads them alike: batches differ beyond.
_SAME_DIGITS = 6


def embed_audio(
    model_dir: str | Path,
    manifest_path: str | Path,
    output: str | Path,
    *,
    health_path: str | Path,
    accept_unhealthy: bool,
    batch_size: int,
    device: str = "cpu",
    precision: str = "float32",
    threads: int = 1,
    shard: int | None = None,
    shard_clips: int | None = None,
    resampler: Resampler = "HQ",
) -> None:
    """Embed every clip of a manifest with a model's audio tower, both spaces from one pass.

    Writes one row per clip in manifest order: `clip_id, pre_joint, joint, heard_dbfs`; with
    ``cropping: mean_of_windows`` a clip's vectors are the means over its windows, `joint`
    normalised again. `heard_dbfs` is the peak of what the tower hears of a clip, in dB below full
    scale: a clip may be silent there.

    Args:
        model_dir: a prepared model.
        manifest_path: parquet of the manifest contract.
        output: the parquet file to write.
        health_path: what `check_model` found; the vectors of an unhealthy model are not computed.
        accept_unhealthy: compute them all the same.
        batch_size: rows per forward pass.
        device: a torch device.
        precision: one of `listenread.models.common.precision.PRECISIONS`.
        threads: CPU threads, for the tower and for decoding.
        shard: embed one shard only, the clips from ``shard * shard_clips``; None embeds all.
        shard_clips: clips of a shard.
        resampler: see `listenread.audio.loading.resample`.

    Raises:
        Unavailable: the model is unhealthy.
        ListenreadError: a clip is not the one of the manifest, or the model cannot be loaded.
    """
    health.refuse_unhealthy(health_path, accept_unhealthy)
    from listenread.models.common.inference import Encoder  # torch is imported by jobs only

    manifest = read_manifest(manifest_path)
    rows = shard_rows(len(manifest), shard, shard_clips)
    device = resolve_device(device)
    model = storage.load(
        model_dir, tower="audio", device=device, threads=threads, precision=precision
    )
    facts = {
        "model": storage.describe(model_dir),
        "device": device_type(device),
        "precision": precision,
        "resampler": resampler,
    }
    with (
        progress(total=len(rows), unit="clips", label="embedding audio") as bar,
        tables.writing(output, **facts, vocabulary=manifest.vocabulary) as table,
    ):
        loader = ClipLoader(
            manifest.clips[rows.start : rows.stop],
            model.audio_input,
            batch_size,
            workers=threads,
            resampler=resampler,
            on_clip=bar.update,
            degrade=chain(manifest.degradations),
        )
        peaks = np.zeros(len(rows), np.float32)
        for done, vectors in clip_vectors(Encoder(model.encode_audio), noting_peaks(loader, peaks)):
            part = manifest.table.slice(rows.start + done, len(vectors.joint))
            heard = peaks[done : done + len(vectors.joint)]
            table.add(
                {
                    "clip_id": part["clip_id"],
                    "pre_joint": tables.vectors(vectors.pre_joint),
                    "joint": tables.vectors(vectors.joint),
                    HEARD: decibels(heard),
                }
            )


@contextlib.contextmanager
def unavailable_as_table(output: str | Path) -> Iterator[None]:
    """Write a table that says why where the body raises `Unavailable`."""
    try:
        yield
    except Unavailable as error:
        tables.write_unavailable(output, str(error))


def shard_rows(clips: int, shard: int | None, shard_clips: int | None) -> range:
    """Rows of a manifest that belong to a shard; all of them where there are no shards.

    >>> shard_rows(10, 2, 4)
    range(8, 10)
    """
    if shard is None or shard_clips is None:
        return range(clips)
    return range(shard * shard_clips, min((shard + 1) * shard_clips, clips))


def count_shards(manifest_path: str | Path, output: str | Path, *, shard_clips: int) -> None:
    """Write how many shards of `shard_clips` clips a manifest has, as a number in a text file."""
    shards = math.ceil(len(read_manifest(manifest_path)) / shard_clips)
    Path(output).write_text(f"{shards}\n", encoding="utf-8")


def clip_vectors(
    encode: Callable[[np.ndarray], Vectors], batches: Iterable[Batch]
) -> Iterator[tuple[int, Vectors]]:
    """Encode batches and give the vectors of whole clips as soon as all their windows are there.

    The vectors of a clip with several windows are their means, `joint` normalised again; those of a
    clip with one are as the tower gave them.

    Yields:
        Number of the first clip, and the vectors of it and of those that follow.
    """
    first, clips, kept = 0, np.zeros(0, np.int64), None
    for batch in batches:
        clips = np.concatenate([clips, batch.clips])
        kept = _joined(kept, encode(batch.waveforms))
        whole = int(np.searchsorted(clips, clips[-1]))  # windows of the last clip may follow
        if whole:
            yield first, _by_clip(clips[:whole] - first, Vectors(*(v[:whole] for v in kept)))
            first, clips = int(clips[-1]), clips[whole:]
            kept = Vectors(*(v[whole:] for v in kept))
    if kept is not None:
        yield first, _by_clip(clips - first, kept)


def _joined(kept: Vectors | None, new: Vectors) -> Vectors:
    if kept is None:
        return new
    return Vectors(*(np.concatenate(pair) for pair in zip(kept, new, strict=True)))


def _by_clip(clips: np.ndarray, vectors: Vectors) -> Vectors:
    counts = np.bincount(clips)
    pre_joint, joint = (mean_by_clip(clips, part, len(counts)) for part in vectors)
    several = counts > 1
    joint[several] /= np.linalg.norm(joint[several], axis=1, keepdims=True)
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
    precision: str = "float32",
    threads: int = 1,
    templates: Sequence[str] = (),
    same_texts: Literal["stop", "flag"] = "flag",
) -> None:
    """Embed the texts of one prompt with a model's text tower; the audio tower is not loaded.

    Writes one row per label and variant: `label, text, pre_joint, joint`, with `variant` where the
    prompt has several, and `tokens, tokens_read` where the model counts them. The `templates` of a
    set, one for each variant, are written into the table's metadata, and so is which labels have
    the same text for the tower. See `embed_audio` for the other arguments.

    Args:
        same_texts: whether such labels refuse the prompt (`stop`; not of a model that is accepted
            though it is unhealthy) or are only written down.

    Raises:
        Unavailable: the model is unhealthy, or the tower reads all texts alike, as it does where
            the tokenizer knows none of the words; or some, with `stop`.
        ListenreadError: the model cannot be loaded.
    """
    health.refuse_unhealthy(health_path, accept_unhealthy)
    device = resolve_device(device)
    model = storage.load(
        model_dir, tower="text", device=device, threads=threads, precision=precision
    )
    texts = [row.text for row in prompt]
    parts = [
        model.encode_text(texts[start : start + batch_size])
        for start in range(0, len(texts), batch_size)
    ]
    pre_joint, joint = (np.concatenate(vectors) for vectors in zip(*parts, strict=True))
    if len(set(texts)) > 1 and (joint == joint[0]).all() and not accept_unhealthy:
        raise Unavailable(
            f"the text tower gives all {len(set(texts))} texts of the prompt the same vector, the "
            f"first is {texts[0]!r}"
        )
    same = prompts.alike(_as_read(prompt, joint))
    if same and same_texts == "stop" and not accept_unhealthy:
        raise Unavailable(
            f"for the text tower {prompts.say_alike(same)}, so that none can be told from the "
            "others; `same_texts: flag` in the prompt asks it nevertheless"
        )
    columns: dict[str, list[Any]] = {"label": [row.label for row in prompt], "text": texts}
    count_tokens = getattr(model, "count_tokens", None)
    if count_tokens is not None:
        tokens, most = count_tokens(texts)
        columns |= {"tokens": tokens, "tokens_read": [min(number, most) for number in tokens]}
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
        model=storage.describe(model_dir),
        device=device_type(device),
        precision=precision,
        **({"templates": list(templates)} if templates else {}),
        **({"same_texts": prompts.say_alike(same)} if same else {}),
    )


def _as_read(prompt: Sequence[PromptText], joint: np.ndarray) -> list[PromptText]:
    """Give texts with the same vector the text of the first of them, variant by variant."""
    vectors = np.round(joint, _SAME_DIGITS) + 0.0  # no -0.0, whose bytes differ from those of 0.0
    first: dict[tuple[int, bytes], str] = {}
    return [
        row._replace(text=first.setdefault((row.variant, vector.tobytes()), row.text))
        for row, vector in zip(prompt, vectors, strict=True)
    ]
