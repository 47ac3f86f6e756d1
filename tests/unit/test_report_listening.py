"""Compact copies: which clips, in which order, and what a degraded dataset does to them."""

import io
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from listenread.datasets import degraded
from listenread.datasets.base import ClipRow, Places
from listenread.datasets.checking import build_manifest
from listenread.datasets.manifest import read_manifest, write_manifest
from listenread.errors import ConfigError, DataError
from listenread.files import tables
from listenread.report.listening import encode_clips

RATE = 32_000
SETTINGS = {"seconds": 0.5, "sample_rate": 22_050, "compression": 0.9}


def write_clips(folder, labels):
    """Write a dataset of one tone per entry of `labels`; return the path of its manifest."""
    rows = []
    for number, of_clip in enumerate(labels):
        path = folder / f"{number:02d}.wav"
        pitch = 440 * 2 ** (number / 12)
        tone = 0.4 * np.sin(2 * np.pi * pitch * np.arange(RATE // 2) / RATE)  # (frames,)
        soundfile.write(path, tone, RATE, subtype="FLOAT")
        rows.append(ClipRow(path.stem, path, of_clip))
    path = folder / "manifest.parquet"
    write_manifest(path, build_manifest(rows, vocabulary=["a", "b"]))
    return path


def degrade(path, level, **options):
    """Write the manifest of a dataset of kind `degraded`; return its path."""
    settings = {"degradation": "gain", "level": level, "seed": 0, "options": {}} | options
    derived = degraded.derive(read_manifest(path), Places(), settings, None)
    output = path.with_name(f"{path.stem}_{level:g}.parquet")
    write_manifest(output, derived)
    return output


def copies(path, megabytes=10.0):
    """Map clip ids to MP3 files, in the order in which they were copied."""
    output = path.with_suffix(".clips.parquet")
    encode_clips(path, output, megabytes=megabytes, **SETTINGS)
    table = tables.read(output, ["clip_id", "mp3"]).data
    return dict(zip(table["clip_id"].to_pylist(), table["mp3"].to_pylist(), strict=True))


def level_of(mp3):
    """Root mean square of the middle of a copy, in dB below full scale."""
    sound, rate = soundfile.read(io.BytesIO(mp3))
    assert rate == SETTINGS["sample_rate"]
    return 10 * np.log10(np.mean(sound[3000:8000] ** 2))


def test_two_labels_take_turns(tmp_path):
    path = write_clips(tmp_path, [("a",)] * 6 + [("b",)] * 4)
    # Spread over the six clips of `a` (0, 4, 2, 1, 5, 3) and the four of `b` (6, 8, 7, 9).
    order = ["00", "06", "04", "08", "02", "07", "01", "09", "05", "03"]
    assert list(copies(path)) == order


def test_what_does_not_fit_is_missing_from_every_label_alike(tmp_path):
    path = write_clips(tmp_path, [("a",)] * 6 + [("b",)] * 4)
    everything = copies(path)
    budget = sum(map(len, list(everything.values())[:4])) / 1e6
    assert list(copies(path, budget)) == ["00", "06", "04", "08"]
    assert list(copies(path, budget - 1e-6)) == ["00", "06", "04"]


def test_clips_of_several_labels_take_turns_as_a_class_of_their_own(tmp_path):
    path = write_clips(tmp_path, [("a",), ("a",), ("a", "b"), ("a", "b"), ("b",), (), ()])
    assert list(copies(path)) == ["00", "02", "04", "05", "01", "03", "06"]


@pytest.mark.parametrize("level", [-20.0, -6.0])
def test_a_degraded_copy_is_softer_by_the_level_of_the_gain(tmp_path, level):
    path = write_clips(tmp_path, [("a",), ("b",)])
    before, after = copies(path), copies(degrade(path, level))
    assert list(after) == list(before) == ["00", "01"]
    for clip in before:
        # A sine of amplitude 0.4 is at -11 dB; the encoder may add a little.
        assert level_of(before[clip]) == pytest.approx(20 * np.log10(0.4) - 3.01, abs=1.0)
        assert level_of(after[clip]) - level_of(before[clip]) == pytest.approx(level, abs=0.3)


def test_a_copy_is_degraded_by_every_step_of_the_chain(tmp_path):
    path = write_clips(tmp_path, [("a",), ("b",)])
    twice = degrade(degrade(path, -20.0), 14.0)
    assert [one["level"] for one in read_manifest(twice).degradations] == [-20.0, 14.0]
    change = level_of(copies(twice)["00"]) - level_of(copies(path)["00"])
    assert change == pytest.approx(-6.0, abs=0.3)


#: Noise whose seed is that of the clip.
NOISE = """
import numpy as np
from listenread.audio.degradations.base import Degradation

def noise(waveform, sample_rate, level, seed, settings):
    drawn = np.random.default_rng(seed).standard_normal(len(waveform), np.float32)
    return np.float32(10 ** (level / 20)) * drawn

NOISE = Degradation(name="noise_alone", title="Noise", level="dB", apply=noise, reference="own",
                    examples=(-20.0, -10.0))
"""


def test_clips_are_degraded_by_their_own_seeds_before_they_are_cut(tmp_path, monkeypatch):
    (tmp_path / "own_noise.py").write_text(NOISE)
    monkeypatch.syspath_prepend(tmp_path)
    path = write_clips(tmp_path, [("a",), ("b",)])
    noisy = degrade(path, -20.0, degradation="own_noise:NOISE")
    first = copies(noisy)
    assert first["00"] != first["01"]
    assert copies(noisy) == first
    reseeded = degrade(path, -20.0, degradation="own_noise:NOISE", seed=1)
    assert copies(reseeded)["00"] != first["00"]


def test_a_missing_file_is_left_out_and_the_others_keep_their_turns(tmp_path):
    path = write_clips(tmp_path, [("a",), ("a",), ("b",), ("b",)])
    (tmp_path / "00.wav").unlink()
    assert list(copies(path)) == ["01", "02", "03"]
    assert list(copies(degrade(path, -6.0))) == ["01", "02", "03"]
    for number in (1, 2, 3):
        (tmp_path / f"{number:02d}.wav").unlink()
    assert copies(path) == {}


def test_a_damaged_file_is_named(tmp_path):
    path = write_clips(tmp_path, [("a",), ("b",)])
    (tmp_path / "01.wav").write_bytes(b"no sound")
    with pytest.raises(DataError, match=r"01\.wav"):
        copies(path)


def test_an_unknown_degradation_in_a_manifest_is_refused(tmp_path):
    path = write_clips(tmp_path, [("a",), ("b",)])
    steps = [{"name": "gian", "level": 0.0, "seed": 0, "options": {}}]
    write_manifest(path, replace(read_manifest(path), degradations=steps))
    with pytest.raises(ConfigError, match="did you mean `gain`"):
        copies(path)
