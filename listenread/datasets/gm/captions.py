"""Rendering the captioned notes of `listenread.datasets.gm_captions`, the same to the byte."""

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import soxr

from listenread.datasets.gm import caption_grammar
from listenread.datasets.gm.instruments import INSTRUMENTS
from listenread.datasets.gm.rendering import evaluated_midi_notes, write_csv, write_note
from listenread.datasets.gm.soundfont import RENDER_RATE, NoteRenderer, find_soundfont
from listenread.datasets.gm_captions import CSV_COLUMNS, VELOCITIES
from listenread.errors import DataError
from listenread.files.material import Source
from listenread.progress import progress

#: One label per program: the usual name of the instrument.
VOCABULARY = [instrument.names[0] for instrument in INSTRUMENTS.values()]


def make(outputs: Mapping[str, Path], settings: Mapping[str, Any], source: Source) -> None:
    """Render the notes of a dataset; see `listenread.files.material.Material`."""
    options = dict(settings)
    soundfont = find_soundfont(**options.pop("soundfont"))
    render(soundfont, outputs["audio"], outputs["metadata"], workers=source.threads, **options)


def training_notes(
    program: int,
    notes_per_program: int,
    velocities: Sequence[int],
    evaluated: frozenset[int],
    seed: int,
) -> list[tuple[int, int]]:
    """Choose the (MIDI note, velocity) pairs of a program.

    The pitches are spread over the range: every one occurs before any occurs twice.

    Returns:
        Sorted pairs without repetition: `notes_per_program` of them, or all if there are fewer.
    """
    instrument = INSTRUMENTS[program]
    pitches = [n for n in range(instrument.low, instrument.high + 1) if n not in evaluated]

    def shuffled(values: Sequence[int], salt: str) -> list[int]:
        def key(value: int) -> bytes:
            return hashlib.sha256(f"{seed}/{program}/{salt}/{value}".encode()).digest()

        return sorted(values, key=key)

    pairs = []
    for turn in range(len(velocities)):
        for pitch in shuffled(pitches, f"turn {turn}"):
            velocity = shuffled(velocities, f"note {pitch}")[turn]
            pairs.append((pitch, velocity))
    return sorted(pairs[:notes_per_program])


def render(
    soundfont: Path | str,
    root: Path | str,
    metadata: Path | str,
    *,
    midi_note_step: int = 3,
    midi_note_offset: int = 0,
    evaluated_velocities: Sequence[int] = (40, 80, 120),
    velocities: Sequence[int] = VELOCITIES,
    notes_per_program: int = 48,
    sample_rate: int = 16_000,
    resampler: str = "HQ",
    seconds: float = 2.6,
    release_seconds: float = 0.3,
    gain_db: float = 0.0,
    silence_dbfs: float = -60.0,
    seed: int = 0,
    mix: Mapping[str, float] | None = None,
    workers: int = 2,
) -> int:
    """Render the notes as 16-bit mono FLAC and write the csv with one caption each.

    Args:
        soundfont: an ``.sf2`` file.
        root: the folder that one folder per program is made in.
        metadata: the csv; written last, so that it stands for the whole.
        midi_note_step: as for `gm.notes.render`, whose MIDI notes are left out here.
        midi_note_offset: see `midi_note_step`.
        evaluated_velocities: velocities of `gm.notes.render`; none may be among `velocities`.
        velocities: MIDI velocities to draw from.
        notes_per_program: how many notes of each program, where it has as many.
        sample_rate: of the files, in Hz. Notes are rendered at 44.1 kHz and resampled with soxr, as
            the evaluation's are on their way into a tower.
        resampler: see `listenread.audio.loading.RESAMPLERS`.
        seconds: length of a clip.
        release_seconds: how much of it comes after the key is released.
        gain_db: gain for all notes.
        silence_dbfs: a note whose peak stays below is left out.
        seed: chooses notes and captions.
        mix: see `listenread.datasets.gm.caption_grammar.sample`.
        workers: threads.

    Returns:
        How many clips were written.

    Raises:
        DataError: evaluated material would be trained on, or nothing is left to train on.
    """
    shared = sorted(set(velocities) & set(evaluated_velocities))
    evaluated = evaluated_midi_notes(midi_note_step, midi_note_offset)
    if shared or len(evaluated) == 128:
        what = f"the velocities {shared}" if shared else "all MIDI notes (midi_note_step is 1)"
        raise DataError(f"{what} are evaluated; training on them would spoil the evaluation")
    root = Path(root)

    def render_program(program: int) -> list[tuple]:
        renderer = NoteRenderer(soundfont, gain_db)
        records = []
        for midi_note, velocity in training_notes(
            program, notes_per_program, velocities, evaluated, seed
        ):
            waveform = renderer.render(program, midi_note, velocity, seconds, release_seconds)
            waveform = soxr.resample(waveform, RENDER_RATE, sample_rate, quality=resampler)
            path = f"{program:03d}/{midi_note:03d}-{velocity:03d}.flac"
            if write_note(root / path, waveform, sample_rate, silence_dbfs):
                records.append(_record(path, program, midi_note, velocity, seed, mix))
            bar.update()
        return records

    total = len(INSTRUMENTS) * notes_per_program
    with (
        progress(total=total, unit="notes", label="rendering training notes") as bar,
        ThreadPoolExecutor(workers, thread_name_prefix="render") as pool,
    ):
        records = [record for part in pool.map(render_program, INSTRUMENTS) for record in part]
    write_csv(Path(metadata), CSV_COLUMNS, records)
    return len(records)


def _record(
    path: str,
    program: int,
    midi_note: int,
    velocity: int,
    seed: int,
    mix: Mapping[str, float] | None,
) -> tuple[Any, ...]:
    instrument = INSTRUMENTS[program]
    row = {"program": program, "midi_note": midi_note, "velocity": velocity}
    caption = caption_grammar.sample(
        row, np.random.default_rng((seed, program, midi_note, velocity)), mix
    )
    return (
        path,
        instrument.names[0],
        program,
        instrument.family,
        midi_note,
        velocity,
        caption_grammar.register(midi_note, instrument.low, instrument.high),
        instrument.articulation,
        caption,
    )
