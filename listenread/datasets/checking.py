"""Checking every sound file of a dataset before a model hears it.

A dataset kind reads its own metadata into `ClipRow`s; `build_manifest` decodes every file, decides
about the bad ones and returns a `Manifest`, which is all that the workflow knows of a dataset.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from listenread.datasets import copies
from listenread.datasets.bad_audio import BadAudioError
from listenread.datasets.base import AudioLimits, ClipRow, vocabulary_of
from listenread.datasets.csv_files import listed, refuse
from listenread.datasets.manifest import Checked, Manifest, manifest_table
from listenread.datasets.notes import counted, note
from listenread.errors import DataError
from listenread.progress import progress

if TYPE_CHECKING:
    from listenread.audio.loading import Sound


#: Channels whose mean is softer by more than this cancel one another: wide stereo costs some 6 dB.
_CANCELLED_DB = 20


def check_file(path: Path, limits: AudioLimits) -> Checked:
    """Decode a file wholly and measure it.

    Raises:
        DataError: the reason why the file cannot be used, without its name.
    """
    from listenread.audio import loading  # not at the top: planning a run decodes nothing

    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise DataError("the file does not exist") from error
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror or error})") from error
    try:
        sound = loading.decode(content, "", max_seconds=limits.max_seconds)
    except DataError as error:
        raise DataError(str(error).removeprefix(": ")) from error
    remarks = (*sound.remarks, *_check_sound(sound, limits))
    return Checked(
        duration_s=len(sound.waveform) / sound.sample_rate,
        sample_rate=sound.sample_rate,
        sha256=hashlib.sha256(content).hexdigest(),
        remarks=remarks,
        frames=len(sound.waveform),
        fingerprint=copies.fingerprint(loading.mono(sound.waveform)),
    )


def _check_sound(sound: "Sound", limits: AudioLimits) -> list[str]:
    """Refuse a sound that cannot be used; remark upon what is peculiar."""
    from listenread.audio import loading

    frames, channels = sound.waveform.shape
    seconds = frames / sound.sample_rate
    if frames == 0:
        raise DataError("empty: the file holds no sound")
    if not np.isfinite(sound.waveform).all():
        raise DataError("holds values that are not finite (NaN or infinity)")
    if channels > limits.max_channels:
        raise DataError(f"{channels} channels (max_channels is {limits.max_channels})")
    if not limits.min_sample_rate <= sound.sample_rate <= limits.max_sample_rate:
        raise DataError(
            f"sample rate {sound.sample_rate} Hz (min_sample_rate is {limits.min_sample_rate}, "
            f"max_sample_rate {limits.max_sample_rate})"
        )
    loudest = float(np.abs(sound.waveform).max())
    if loudest > 10 ** (limits.max_dbfs / 20):
        raise DataError(
            f"has a peak of {20 * np.log10(loudest):.0f} dB above full scale (max_dbfs is "
            f"{limits.max_dbfs:g})"
        )
    # What a tower hears is the mean: two channels in opposite phase are silent.
    peak = float(np.abs(loading.mono(sound.waveform)).max())
    silence = 10 ** (limits.silence_dbfs / 20)
    if loudest <= silence:
        raise DataError(f"silent: its peak is not above {limits.silence_dbfs:g} dBFS")
    if peak <= silence:
        raise DataError(
            f"its channels are opposite: their mean, which is what a model hears, is not above "
            f"{limits.silence_dbfs:g} dBFS; keep one channel"
        )
    if not limits.min_seconds <= seconds <= limits.max_seconds:
        raise DataError(
            f"lasts {seconds:.3f} s (min_seconds is {limits.min_seconds:g}, "
            f"max_seconds {limits.max_seconds:g})"
        )
    if peak < loudest * 10 ** (-_CANCELLED_DB / 20):
        return [
            f"has nearly opposite channels: their mean, which is what a model hears, is more than "
            f"{_CANCELLED_DB} dB softer"
        ]
    return []


def build_manifest(
    rows: Sequence[ClipRow],
    vocabulary: Sequence[str] | None = None,
    *,
    on_bad_audio: Literal["error", "skip"] = "error",
    limits: AudioLimits | None = None,
    workers: int = 2,
    working_directory: Path | None = None,
) -> Manifest:
    """Look at every file and make the manifest.

    Args:
        rows: the clips as the dataset's metadata describes them.
        vocabulary: the labels in the order of the classes; by default those of the clips, sorted.
        on_bad_audio: ``error`` lists every bad file at once; ``skip`` leaves them out and records
            each with its reason in the manifest.
        limits: what a file must be like.
        workers: threads that decode.
        working_directory: paths below it are written relative to it (default: the current one).

    Raises:
        DataError: the metadata contradict themselves or the vocabulary, a file cannot be used (with
            ``on_bad_audio="error"``), or no clip is left.
    """
    if on_bad_audio not in {"error", "skip"}:
        raise DataError(f"on_bad_audio is {on_bad_audio!r}; it can be 'error' or 'skip'")
    labels = list(vocabulary) if vocabulary is not None else vocabulary_of(rows)
    _check_metadata(rows, labels)
    limits = limits or AudioLimits()
    good, skipped = _check_files(rows, limits, workers)
    sounds = copies.of_clips(good, limits)
    contradicting = copies.contradictions(good, sounds)
    skipped += [
        {"clip_id": row.clip_id, "path": str(row.path), "reason": reason}
        for row, reason in ((good[clip][0], reason) for clip, reason in contradicting.items())
    ]
    if skipped and (on_bad_audio == "error" or len(contradicting) == len(good)):
        raise BadAudioError(skipped, len(rows), skipping=on_bad_audio == "skip")
    grouped = copies.group(good, sounds)
    refuse("the dataset cannot be used", copies.divided(grouped))
    good = [clip for index, clip in enumerate(grouped) if index not in contradicting]
    clips, checked = zip(*good, strict=True)
    table = manifest_table(clips, checked, working_directory or Path.cwd())
    return Manifest(table, labels, skipped, [*_notes(good, labels), *copies.notes(grouped, sounds)])


def _check_metadata(rows: Sequence[ClipRow], vocabulary: list[str]) -> None:
    problems = []
    if not rows:
        problems.append("the metadata describe no clip")
    twice = [name for name, count in Counter(vocabulary).items() if count > 1]
    if twice:
        problems.append(f"labels that occur twice in the vocabulary: {listed(twice)}")
    repeated = [name for name, count in Counter(row.clip_id for row in rows).items() if count > 1]
    if repeated:
        problems.append(f"clip_ids that occur more than once: {listed(repeated)}")
    without = [row.clip_id for row in rows if row.fold is None]
    if 0 < len(without) < len(rows):
        problems.append(f"clips without a fold, which others have: {listed(without)}")
    known = set(vocabulary)
    strangers = Counter(
        label for row in rows for label in (*row.labels, *row.unknown) if label not in known
    )
    if strangers:
        counted = [f"{label!r} ({count} clips)" for label, count in strangers.items()]
        problems.append(
            f"labels that are not in the vocabulary: {listed(counted)}; it has {vocabulary}"
        )
    # A label is said once of a clip: it has it, or it is not known whether it has it.
    several = [
        row.clip_id
        for row in rows
        if len({*row.labels, *row.unknown}) < len(row.labels) + len(row.unknown)
    ]
    if several:
        problems.append(
            f"clips that name a label twice, or as both present and unknown: {listed(several)}"
        )
    refuse("the dataset cannot be used", problems)


def _check_files(
    rows: Sequence[ClipRow], limits: AudioLimits, workers: int
) -> tuple[list[tuple[ClipRow, Checked]], list[dict[str, str]]]:
    good, skipped = [], []
    with ThreadPoolExecutor(workers, thread_name_prefix="check") as pool:
        outcomes = pool.map(partial(_outcome, limits=limits), rows)
        bar = progress(outcomes, total=len(rows), unit="clips", label="checking audio")
        for row, outcome in zip(rows, bar, strict=True):
            if isinstance(outcome, str):
                skipped.append({"clip_id": row.clip_id, "path": str(row.path), "reason": outcome})
            else:
                good.append((row, outcome))
    return good, skipped


def _outcome(row: ClipRow, limits: AudioLimits) -> Checked | str:
    try:
        return check_file(row.path, limits)
    except DataError as error:
        return str(error)


def _notes(good: list[tuple[ClipRow, Checked]], vocabulary: list[str]) -> list[str]:
    notes = []
    if len(good) > 1 and len({row.fold for row, _ in good} - {None}) == 1:
        notes.append("All clips are in one fold, which is as good as none.")
    present = {label for row, _ in good for label in row.labels}
    absent = [label for label in vocabulary if label not in present]
    if absent:
        notes.append(f"No clip has the label(s) {', '.join(absent)}.")
    low = Counter(checked.sample_rate for _, checked in good if checked.sample_rate < 16_000)
    for rate, count in sorted(low.items()):
        notes.append(
            f"{count} clip(s) have a sample rate of {rate} Hz: nothing above {rate // 2} Hz can be "
            "heard in them, whatever rate a model works at."
        )
    peculiar: dict[str, list[str]] = {}
    for row, checked in good:
        for remark in checked.remarks:
            peculiar.setdefault(remark, []).append(row.clip_id)
    for remark, clips in peculiar.items():
        notes.append(note(f"The file of {counted(len(clips), 'clip')} {remark}", clips))
    return notes
