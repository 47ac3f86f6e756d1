"""Rendering the notes of `listenread.datasets.gm_notes`, the same to the byte every time."""

import hashlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from listenread.datasets.gm.rendering import evaluated_midi_notes, pitch_name, write_csv, write_note
from listenread.datasets.gm.soundfont import RENDER_RATE, NoteRenderer, find_soundfont
from listenread.datasets.gm_notes import VELOCITIES, Dynamics
from listenread.datasets.tinysol import CSV_COLUMNS, INSTRUMENTS, VOCABULARY, Instrument
from listenread.errors import DataError
from listenread.files.material import Source
from listenread.progress import progress

#: General MIDI program (0-based) of each of TinySOL's instruments.
PROGRAMS = {
    "Bass Tuba": 58,
    "French Horn": 60,
    "Trombone": 57,
    "Trumpet in C": 56,
    "Accordion": 21,
    "Contrabass": 43,
    "Violin": 40,
    "Viola": 41,
    "Cello": 42,
    "Bassoon": 70,
    "Clarinet in Bb": 71,
    "Flute": 73,
    "Oboe": 68,
    "Alto Saxophone": 65,
}
#: TinySOL's ``Dynamics ID`` of each of its dynamics.
DYNAMICS_ID = {"pp": 0, "p": 1, "mf": 2, "f": 3, "ff": 4}


class Note(NamedTuple):
    """A note to be rendered."""

    instrument: Instrument
    midi_note: int
    dynamics: str
    velocity: int

    @property
    def clip_id(self) -> str:
        """TinySOL's ``<abbr>-ord-<pitch>-<dynamics>-<instance>-<retuning>``."""
        name = pitch_name(self.midi_note)
        return f"{self.instrument.abbreviation}-ord-{name}-{self.dynamics}-N-N"

    @property
    def path(self) -> str:
        """Path below the audio root, as in TinySOL's csv."""
        return f"{self.instrument.family}/{self.instrument.folder}/ordinario/{self.clip_id}.wav"


def make(outputs: Mapping[str, Path], settings: Mapping[str, Any], source: Source) -> None:
    """Render the notes of a dataset; see `listenread.files.material.Material`."""
    options = dict(settings)
    soundfont = find_soundfont(**options.pop("soundfont"))
    render(soundfont, outputs["audio"], outputs["metadata"], workers=source.threads, **options)


def render(
    soundfont: Path | str,
    root: Path | str,
    metadata: Path | str,
    *,
    midi_note_step: int = 3,
    midi_note_offset: int = 0,
    velocities: Mapping[Dynamics, int] = VELOCITIES,
    seconds: float = 3.0,
    release_seconds: float = 0.5,
    gain_db: float = 0.0,
    silence_dbfs: float = -60.0,
    folds: int = 5,
    workers: int = 2,
) -> int:
    """Render the notes as 44.1 kHz 16-bit mono wav and write the csv.

    Args:
        soundfont: an ``.sf2`` file (see `listenread.datasets.gm.soundfont.find_soundfont`).
        root: the folder that the family folders are made in.
        metadata: the csv, in TinySOL's columns; written last, so that it stands for the whole.
        midi_note_step: one MIDI note in this many is rendered.
        midi_note_offset: notes n with n % step == offset are rendered.
        velocities: MIDI velocity of each of the dynamics.
        seconds: length of a clip.
        release_seconds: how much of it comes after the key is released.
        gain_db: gain for all notes.
        silence_dbfs: a note whose peak stays below is left out: the SoundFont has no sample there
            (in TimGM6mb accordion 109 and alto saxophone 64).
        folds: how many folds, stratified by class as TinySOL's are.
        workers: threads.

    Returns:
        How many clips were written.

    Raises:
        DataError: a parameter is impossible, or the notes are so loud that they would clip.
    """
    unknown = [name for name in velocities if name not in DYNAMICS_ID]
    if unknown:
        raise DataError(f"dynamics {unknown} are not among TinySOL's: {list(DYNAMICS_ID)}")
    evaluated = evaluated_midi_notes(midi_note_step, midi_note_offset)
    root = Path(root)
    per_instrument = [
        [
            Note(instrument, midi_note, dynamics, velocity)
            for midi_note in range(instrument.low, instrument.high + 1)
            if midi_note in evaluated
            for dynamics, velocity in velocities.items()
        ]
        for instrument in INSTRUMENTS
    ]

    def render_instrument(notes: list[Note]) -> list[Note]:
        renderer = NoteRenderer(soundfont, gain_db)
        written = []
        for note in notes:
            program = PROGRAMS[note.instrument.label]
            waveform = renderer.render(
                program, note.midi_note, note.velocity, seconds, release_seconds
            )
            if write_note(root / note.path, waveform, RENDER_RATE, silence_dbfs):
                written.append(note)
            bar.update()
        return written

    total = sum(len(notes) for notes in per_instrument)
    with (
        progress(total=total, unit="notes", label="rendering notes") as bar,
        ThreadPoolExecutor(workers, thread_name_prefix="render") as pool,
    ):
        written = [note for notes in pool.map(render_instrument, per_instrument) for note in notes]
    _write_csv(Path(metadata), written, assign_folds(written, folds))
    return len(written)


def assign_folds(notes: list[Note], folds: int) -> dict[str, int]:
    """Give every note a fold, stratified by class; its dynamics, one sample, share it.

    The order within a class is that of the SHA-256 of instrument and pitch: arbitrary, and the same
    with any version of any random number generator. Classes continue where the one before stopped,
    so that the numbers of pitches in the folds differ by one at most.
    """
    fold_of: dict[str, int] = {}
    position = 0
    for label in VOCABULARY:
        by_pitch: dict[str, list[str]] = {}
        for note in notes:
            if note.instrument.label == label:
                name = f"{note.instrument.abbreviation}-{pitch_name(note.midi_note)}"
                by_pitch.setdefault(name, []).append(note.clip_id)
        for name in sorted(by_pitch, key=lambda name: hashlib.sha256(name.encode()).digest()):
            fold_of |= dict.fromkeys(by_pitch[name], position % folds)
            position += 1
    return fold_of


def _write_csv(metadata: Path, notes: list[Note], fold_of: Mapping[str, int]) -> None:
    records = [
        (
            note.path,
            fold_of[note.clip_id],
            note.instrument.family,
            note.instrument.abbreviation,
            note.instrument.label,
            "ord",
            "ordinario",
            pitch_name(note.midi_note),
            note.midi_note,
            note.dynamics,
            DYNAMICS_ID[note.dynamics],
            0,
            "",
            "FALSE",
        )
        for note in notes
    ]
    write_csv(metadata, CSV_COLUMNS, records)
