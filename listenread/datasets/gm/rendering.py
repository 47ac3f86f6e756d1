"""What the two sets of rendered notes share: pitches kept apart, and how a note is written."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import soundfile

from listenread.errors import DataError
from listenread.files import atomic

_PITCH_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


def pitch_name(midi_note: int) -> str:
    """Name a MIDI note as TinySOL does: C4 is 60, black keys are sharps."""
    return f"{_PITCH_NAMES[midi_note % 12]}{midi_note // 12 - 1}"


def evaluated_midi_notes(midi_note_step: int, midi_note_offset: int) -> frozenset[int]:
    """List the MIDI notes that are evaluated; all others may train.

    Args:
        midi_note_step: evaluate every n-th MIDI note; 1 evaluates all and leaves none to train on.
        midi_note_offset: the notes n with n % step == offset are evaluated.
    """
    if midi_note_step < 1 or not 0 <= midi_note_offset < midi_note_step:
        raise DataError(
            f"midi_note_step ({midi_note_step}) must be at least 1 and midi_note_offset "
            f"({midi_note_offset}) at least 0 and below midi_note_step"
        )
    return frozenset(range(midi_note_offset, 128, midi_note_step))


def write_note(path: Path, waveform: np.ndarray, sample_rate: int, silence_dbfs: float) -> bool:
    """Write a rendered note with 16 bits, atomically, unless it is silent.

    Args:
        path: ``.wav`` or ``.flac``; its folder is created.
        waveform: float32, shape (frames,).
        sample_rate: in Hz.
        silence_dbfs: a note whose peak is not above this level is not written.

    Returns:
        Whether the note was written.

    Raises:
        DataError: the note is so loud that it would be clipped.
    """
    peak = float(np.abs(waveform).max())
    if peak <= 10 ** (silence_dbfs / 20):
        return False
    if peak > 1.0:
        raise DataError(
            f"{path.name} would be clipped: its peak is {20 * np.log10(peak):.1f} dB above full "
            "scale. Lower the dataset's `gain_db`."
        )
    integers = np.round(waveform * 32767.0).astype(np.int16)
    content = io.BytesIO()  # libsndfile would not say why it cannot write
    file_format = path.suffix[1:].upper()
    soundfile.write(content, integers, sample_rate, subtype="PCM_16", format=file_format)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(content.getbuffer())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return True


def write_csv(path: Path, columns: Iterable[str], records: Iterable[tuple]) -> None:
    """Write a csv atomically, with the same bytes on every platform."""
    with (
        atomic.replacing(path) as partial,
        partial.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(records)
