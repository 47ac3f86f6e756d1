"""Rendered notes: TinySOL's layout, the same bytes every time, training apart from evaluation."""

import csv
import hashlib
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pretty_midi
import pytest
import soundfile

from listenread.datasets import gm_captions, gm_notes, tinysol
from listenread.datasets.base import Places
from listenread.datasets.checking import build_manifest
from listenread.datasets.gm import captions
from listenread.datasets.gm import notes as gm
from listenread.datasets.gm.instruments import INSTRUMENTS
from listenread.datasets.gm.rendering import evaluated_midi_notes, pitch_name, write_note
from listenread.datasets.gm.soundfont import (
    DEFAULT_SOUNDFONT_SHA256,
    RENDER_RATE,
    NoteRenderer,
    find_soundfont,
)
from listenread.errors import DataError


@pytest.fixture(scope="module")
def soundfont():
    return find_soundfont()


@pytest.fixture(scope="module")
def notes(soundfont, tmp_path_factory):
    folder = tmp_path_factory.mktemp("notes")
    count = gm.render(
        soundfont,
        folder / "audio",
        folder / "metadata.csv",
        midi_note_step=9,
        midi_note_offset=1,
        seconds=0.6,
        release_seconds=0.2,
    )
    return folder, count


def hashes(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def read(module, folder: Path):
    return module.KIND.read_clips(Places(folder / "audio", folder / "metadata.csv"), {})


def fundamental(wave: np.ndarray, rate: int) -> float:
    """Estimate the fundamental frequency by the autocorrelation's first high peak."""
    wave = wave[rate // 10 : rate // 2]
    spectrum = np.abs(np.fft.rfft(wave, 4 * len(wave))) ** 2
    correlation = np.fft.irfft(spectrum)[: len(wave) // 2]
    start = int(np.argmax(correlation < 0))
    peak = start + int(np.argmax(correlation[start:]))
    return rate / peak


def test_the_default_soundfont_is_pretty_midis():
    path = find_soundfont()
    assert path == Path(pretty_midi.__file__).parent / "TimGM6mb.sf2"
    assert hashlib.sha256(path.read_bytes()).hexdigest() == DEFAULT_SOUNDFONT_SHA256


def test_another_soundfont_is_checked(tmp_path, soundfont):
    mine = tmp_path / "mine.sf2"
    shutil.copyfile(soundfont, mine)
    assert find_soundfont(mine) == mine
    assert find_soundfont(mine, DEFAULT_SOUNDFONT_SHA256.upper()) == mine
    with pytest.raises(DataError, match="would differ"):
        find_soundfont(mine, "0" * 64)
    with pytest.raises(DataError, match="does not exist"):
        find_soundfont(tmp_path / "none.sf2")
    mine.write_bytes(b"no soundfont")
    with pytest.raises(DataError, match="cannot be loaded"):
        NoteRenderer(mine)


def test_a_note_does_not_depend_on_the_notes_before(soundfont):
    renderer = NoteRenderer(soundfont)
    first = renderer.render(40, 60, 80, 0.6, 0.1)
    for key in (55, 90, 61):
        renderer.render(73, key, 120, 0.3, 0.0)
    np.testing.assert_array_equal(renderer.render(40, 60, 80, 0.6, 0.1), first)
    np.testing.assert_array_equal(NoteRenderer(soundfont).render(40, 60, 80, 0.6, 0.1), first)
    assert first.shape == (round(0.6 * RENDER_RATE),)


@pytest.mark.parametrize("label", ["Violin", "Flute", "Trombone", "Clarinet in Bb", "Accordion"])
def test_notes_sound_at_their_pitch(soundfont, label):
    renderer = NoteRenderer(soundfont)
    for midi_note in (60, 64, 67):
        wave = renderer.render(gm.PROGRAMS[label], midi_note, 80, 1.0, 0.1)
        expected = 440 * 2 ** ((midi_note - 69) / 12)
        cents = 1200 * np.log2(fundamental(wave, RENDER_RATE) / expected)
        assert abs(cents) < 40, (label, midi_note, cents)


def test_rendering_is_the_same_to_the_byte(notes, soundfont, tmp_path):
    folder, _ = notes
    gm.render(
        soundfont,
        tmp_path / "audio",
        tmp_path / "metadata.csv",
        midi_note_step=9,
        midi_note_offset=1,
        seconds=0.6,
        release_seconds=0.2,
        workers=1,
    )
    assert hashes(tmp_path) == hashes(folder)
    assert len(hashes(folder)) > 150


def test_the_layout_is_tinysols(notes, published_files):
    folder, count = notes
    with (folder / "metadata.csv").open(newline="") as file:
        ours = list(csv.DictReader(file))
    official = published_files / "zenodo.org/record/3685367/files/TinySOL_metadata.csv"
    with official.open(newline="") as file:
        theirs = list(csv.DictReader(file))
    assert list(ours[0]) == list(theirs[0])
    assert len(ours) == count
    for columns in (
        ("Family", "Instrument (abbr.)", "Instrument (in full)", "Technique (in full)"),
        ("Pitch", "Pitch ID"),
        ("Dynamics", "Dynamics ID"),
    ):
        combinations = {tuple(record[name] for name in columns) for record in theirs}
        assert {tuple(record[name] for name in columns) for record in ours} <= combinations
    assert {str(Path(r["Path"]).parent) for r in ours} == {
        str(Path(r["Path"]).parent) for r in theirs
    }


def test_tinysols_reader_reads_it(notes):
    folder, count = notes
    rows = read(gm_notes, folder)
    assert [replace(row, group=None) for row in rows] == read(tinysol, folder)
    manifest = build_manifest(rows, tinysol.VOCABULARY, working_directory=folder)
    assert len(manifest) == count
    assert manifest.skipped == []
    table = manifest.table.to_pydict()
    assert {label for (label,) in table["labels"]} == set(tinysol.VOCABULARY)
    assert all(note % 9 == 1 for note in table["midi_note"])
    assert set(table["dynamics"]) == {"pp", "mf", "ff"}
    assert table["duration_s"] == [0.6] * count
    assert set(table["sample_rate"]) == {44_100}
    assert table["path"][0].startswith("audio/Brass/Bass_Tuba/ordinario/BTb-ord-")
    info = soundfile.info(folder / table["path"][0])
    assert (info.subtype, info.channels) == ("PCM_16", 1)


def test_folds_are_stratified_and_never_split_a_note(notes):
    folder, _ = notes
    rows = read(gm_notes, folder)
    fold_of = {}
    for row in rows:
        assert fold_of.setdefault(row.group, row.fold) == row.fold
        assert row.group == f"{row.labels[0]} {row.known['pitch']}"
    sizes = Counter(fold_of.values())
    assert set(sizes) == set(range(5))
    assert max(sizes.values()) - min(sizes.values()) <= 1
    for label in tinysol.VOCABULARY:
        mine = Counter(fold for group, fold in fold_of.items() if group.startswith(f"{label} "))
        assert max(mine.values()) - min(mine[fold] for fold in range(5)) <= 1


def test_louder_dynamics_are_louder(notes):
    folder, _ = notes
    rows = read(gm_notes, folder)
    peaks: dict[str, list[float]] = {"pp": [], "mf": [], "ff": []}
    for row in rows:
        peaks[row.known["dynamics"]].append(float(np.abs(soundfile.read(row.path)[0]).max()))
    assert np.median(peaks["pp"]) < np.median(peaks["mf"]) < np.median(peaks["ff"]) <= 1


@pytest.mark.parametrize(("label", "midi_note"), [("Accordion", 109), ("Alto Saxophone", 64)])
def test_silent_notes_are_left_out(soundfont, tmp_path, label, midi_note):
    """Both are silent in TimGM6mb."""
    wave = NoteRenderer(soundfont).render(gm.PROGRAMS[label], midi_note, 100, 1.0, 0.1)
    assert not write_note(tmp_path / "x.wav", wave, RENDER_RATE, -60.0)
    assert not (tmp_path / "x.wav").exists()
    wave = NoteRenderer(soundfont).render(gm.PROGRAMS[label], midi_note - 1, 100, 1.0, 0.1)
    assert write_note(tmp_path / "x.wav", wave, RENDER_RATE, -60.0)


def test_notes_that_would_clip_are_refused(soundfont, tmp_path):
    with pytest.raises(DataError, match=r"would be clipped.*gain_db"):
        gm.render(soundfont, tmp_path / "a", tmp_path / "m.csv", gain_db=40.0, seconds=0.5)
    assert not (tmp_path / "m.csv").exists()


def test_impossible_parameters_are_named(soundfont, tmp_path):
    with pytest.raises(DataError, match=r"dynamics \['fff'\]"):
        gm.render(soundfont, tmp_path, tmp_path / "m.csv", velocities={"fff": 127})
    for step, offset in ((0, 0), (3, 3), (3, -1)):
        with pytest.raises(DataError, match="midi_note_step"):
            evaluated_midi_notes(step, offset)


def test_pitch_names_are_the_official_ones(published_files):
    official = published_files / "zenodo.org/record/3685367/files/TinySOL_metadata.csv"
    with official.open(newline="") as file:
        pairs = {(int(r["Pitch ID"]), r["Pitch"]) for r in csv.DictReader(file)}
    assert {pitch_name(midi_note) for midi_note, _ in pairs} == {name for _, name in pairs}
    assert all(pitch_name(midi_note) == name for midi_note, name in pairs)


# Training notes


@pytest.fixture(scope="module")
def training(soundfont, tmp_path_factory):
    folder = tmp_path_factory.mktemp("captions")
    count = captions.render(
        soundfont, folder / "audio", folder / "metadata.csv", notes_per_program=2, seconds=0.4
    )
    return folder, count


def test_training_notes_are_written_and_read(training):
    folder, count = training
    rows = read(gm_captions, folder)
    manifest = build_manifest(rows, working_directory=folder)
    assert set(manifest.vocabulary) == {instrument.names[0] for instrument in INSTRUMENTS.values()}
    assert len(manifest) == count >= 2 * len(INSTRUMENTS) - 10
    table = manifest.table.to_pydict()
    assert set(table["sample_rate"]) == {16_000}
    assert table["duration_s"] == pytest.approx([0.4] * count, abs=1e-3)
    assert set(table["program"]) == set(INSTRUMENTS)
    assert all(table["caption"])
    assert {type(value) for value in table["midi_note"]} == {int}
    for (label,), program in zip(table["labels"], table["program"], strict=True):
        assert label == INSTRUMENTS[program].names[0]
    assert soundfile.info(folder / table["path"][0]).subtype == "PCM_16"


def test_training_rendering_is_the_same_to_the_byte(training, soundfont, tmp_path):
    folder, _ = training
    settings = {"notes_per_program": 2, "seconds": 0.4, "workers": 1}
    captions.render(soundfont, tmp_path / "audio", tmp_path / "metadata.csv", **settings)
    assert hashes(tmp_path) == hashes(folder)


@pytest.mark.parametrize(("step", "offset"), [(2, 0), (3, 0), (3, 2), (7, 4)])
def test_no_evaluated_pitch_or_velocity_is_trained_on(step, offset):
    evaluated = evaluated_midi_notes(step, offset)
    for program in INSTRUMENTS:
        pairs = captions.training_notes(program, 48, gm_captions.VELOCITIES, evaluated, 0)
        assert pairs
        assert len(set(pairs)) == len(pairs)
        assert all(midi_note % step != offset for midi_note, _ in pairs)
        assert not {velocity for _, velocity in pairs} & set(gm_notes.VELOCITIES.values())
    assert set(gm.PROGRAMS.values()) <= INSTRUMENTS.keys()


def test_training_pitches_cover_the_range_before_any_repeats():
    evaluated = evaluated_midi_notes(3, 0)
    free = [n for n in range(55, 101) if n % 3]
    few = captions.training_notes(40, 12, gm_captions.VELOCITIES, evaluated, 0)
    assert len({midi_note for midi_note, _ in few}) == 12
    many = captions.training_notes(40, 48, gm_captions.VELOCITIES, evaluated, 0)
    assert {midi_note for midi_note, _ in many} == set(free)
    assert many != captions.training_notes(40, 48, gm_captions.VELOCITIES, evaluated, 1)
    everything = captions.training_notes(40, 10**6, gm_captions.VELOCITIES, evaluated, 0)
    assert len(everything) == len(free) * len(gm_captions.VELOCITIES)


def test_the_ranges_of_the_14_are_tinysols():
    for instrument in tinysol.INSTRUMENTS:
        program = INSTRUMENTS[gm.PROGRAMS[instrument.label]]
        assert (program.low, program.high) == (instrument.low, instrument.high)


def test_training_on_what_is_evaluated_is_refused(soundfont, tmp_path):
    with pytest.raises(DataError, match=r"the velocities \[80\] are evaluated"):
        captions.render(soundfont, tmp_path, tmp_path / "m.csv", velocities=(70, 80))
    with pytest.raises(DataError, match="all MIDI notes"):
        captions.render(soundfont, tmp_path, tmp_path / "m.csv", midi_note_step=1)
