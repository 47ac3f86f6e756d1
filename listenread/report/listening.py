"""Compact copies of clips, small enough to travel inside the page."""

import io
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import soundfile

from listenread.audio import loading
from listenread.audio.degradations.apply import Degrade, chain
from listenread.datasets.manifest import Clip, read_manifest
from listenread.errors import DataError
from listenread.files import tables
from listenread.progress import progress

#: Over this time a copy that is cut off is faded out, so that it does not click.
_FADE_SECONDS = 0.02


def encode_clips(
    manifest_path: str | Path,
    output: str | Path,
    *,
    megabytes: float,
    seconds: float,
    sample_rate: int,
    compression: float,
) -> None:
    """Write compact copies of as many clips as fit: `clip_id` and `mp3`.

    The clips are taken class by class in turn, evenly over a class's clips, so that what does not
    fit is missing from every class alike. MP3 is what every browser plays; the page says that these
    are copies and not what a tower heard. Clips without a file (only their vectors were
    released) are left out.

    Args:
        manifest_path: of the dataset.
        output: the parquet file to write.
        megabytes: for all copies of the dataset, in units of 10**6 bytes, before base64.
        seconds: of each clip, from its start.
        sample_rate: of the copies, in Hz, one that MP3 knows.
        compression: of the MP3 encoder, 0 (largest) to 1.

    Raises:
        DataError: a clip cannot be decoded.
    """
    names, copies, left = [], [], megabytes * 1e6
    manifest = read_manifest(manifest_path)
    degrade = chain(manifest.degradations)
    classes = manifest.table["labels"].to_pylist()
    here = [
        (tuple(of), clip)
        for of, clip in zip(classes, manifest.clips, strict=True)
        if clip.path.is_file()
    ]
    for clip in progress(_in_turn(here), total=len(here), unit="clips", label="compact copies"):
        copy = compact(clip, seconds, sample_rate, compression, degrade)
        left -= len(copy)
        if left < 0:
            break
        names.append(clip.clip_id)
        copies.append(copy)
    columns = {"clip_id": pa.array(names, pa.string()), "mp3": pa.array(copies, pa.binary())}
    tables.write(output, columns, seconds=seconds, sample_rate=sample_rate)


def compact(
    clip: Clip,
    seconds: float,
    sample_rate: int,
    compression: float,
    degrade: Degrade | None = None,
) -> bytes:
    """Encode the start of a clip as mono MP3; the same file gives the same bytes.

    Args:
        clip: of a manifest.
        seconds: at most.
        sample_rate: of the copy, in Hz.
        compression: of the encoder, 0 to 1.
        degrade: what the dataset does to the clip before the tower hears it.

    Raises:
        DataError: the file cannot be read or decoded.
    """
    try:
        content = clip.path.read_bytes()
    except OSError as error:
        raise DataError(f"{clip.path} cannot be read ({error.strerror or error})") from error
    sound = loading.decode(content, clip.path)
    wanted = round(seconds * sound.sample_rate)
    waveform = loading.mono(sound.waveform)  # (frames,)
    if degrade is not None:
        waveform = degrade(waveform, sound.sample_rate, clip.clip_id)
    if len(waveform) > wanted:
        fade = min(wanted, round(_FADE_SECONDS * sound.sample_rate))
        waveform = waveform[:wanted].copy()
        waveform[wanted - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    waveform = loading.resample(waveform, sound.sample_rate, sample_rate)
    file = io.BytesIO()
    soundfile.write(
        file,
        np.clip(waveform, -1, 1),
        sample_rate,
        format="MP3",
        subtype="MPEG_LAYER_III",
        bitrate_mode="VARIABLE",
        compression_level=compression,
    )
    return file.getvalue()


def _in_turn(clips: Iterable[tuple[tuple[str, ...], Clip]]) -> Iterator[Clip]:
    """Yield one clip of each class, then a second one of each, ...; spread over each class.

    Clips come with their labels; each combination of several labels counts as a class.
    """
    by_class: dict[tuple[str, ...], list[Clip]] = {}
    for labels, clip in clips:
        by_class.setdefault(labels, []).append(clip)
    queues = [_spread(members) for members in by_class.values()]
    for turn in range(max(map(len, queues), default=0)):
        yield from (queue[turn] for queue in queues if turn < len(queue))


def _spread(clips: list[Clip]) -> list[Clip]:
    """Order clips so that any number of first ones is spread over the list.

    >>> "".join(_spread(list("abcdefgh")))
    'aecgbfdh'
    """
    digits = max(len(clips) - 1, 1).bit_length()
    # Counting with the bits reversed (van der Corput's sequence).
    order = sorted(range(len(clips)), key=lambda index: f"{index:0{digits}b}"[::-1])
    return [clips[index] for index in order]
