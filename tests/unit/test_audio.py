"""`listenread.audio.loading` against scipy, LAION-CLAP's own functions and real recordings."""

import ast
import hashlib
import importlib.util
import io
import threading
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import scipy.signal
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from listenread.audio import loading
from listenread.audio.base import AudioInput
from listenread.audio.degradations.apply import degrader
from listenread.errors import DataError


class FakeClip(NamedTuple):
    clip_id: str
    path: Path
    sha256: str


def as_bytes(samples: np.ndarray, rate: int = 16_000, **kwargs) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, **({"format": "WAV", "subtype": "PCM_16"} | kwargs))
    return buffer.getvalue()


def sine(seconds: float, rate: int, hertz: float = 440.0) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype("f4")


def make_clips(folder: Path, lengths: list[float], rate: int = 22_050) -> list[FakeClip]:
    clips = []
    for index, seconds in enumerate(lengths):
        path = folder / f"{index}.wav"
        path.write_bytes(as_bytes(sine(seconds, rate, 200.0 + 37 * index), rate))
        clips.append(FakeClip(str(index), path, hashlib.sha256(path.read_bytes()).hexdigest()))
    return clips


@pytest.mark.parametrize(
    ("file_format", "subtype", "tolerance"),
    [
        ("WAV", "PCM_16", 1e-4),
        ("WAV", "FLOAT", 1e-7),
        ("FLAC", "PCM_24", 1e-6),
        ("AIFF", "PCM_16", 1e-4),
        ("OGG", "VORBIS", 0.05),
        ("MP3", "MPEG_LAYER_III", 0.05),
    ],
)
def test_formats_decode(file_format, subtype, tolerance):
    wave = sine(1.0, 44_100)
    content = as_bytes(wave, 44_100, format=file_format, subtype=subtype)
    sound = loading.decode(content)
    assert sound.sample_rate == 44_100
    assert sound.waveform.dtype == np.float32
    assert sound.waveform.shape == (44_100, 1)
    assert np.abs(sound.waveform[2_000:-2_000, 0] - wave[2_000:-2_000]).max() < tolerance


def test_a_real_recording_decodes_as_soundfile_reads_it(shared_data):
    path = shared_data / "tinysol/audio/Winds/Flute/ordinario/Fl-ord-C4-mf-N-T14d.wav"
    expected, rate = soundfile.read(path, dtype="float32")
    sound = loading.decode(path.read_bytes(), path)
    assert sound.sample_rate == rate == 44_100
    np.testing.assert_array_equal(loading.mono(sound.waveform), expected)


@pytest.mark.parametrize(
    "file_format", ["WAV", "FLAC", "AIFF", "AU", "W64", "RF64", "CAF", "OGG", "MP3"]
)
@pytest.mark.parametrize("keep", [0.3, 0.97])
def test_a_file_that_is_cut_short_is_refused(file_format, keep):
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 32_000).astype("f4")
    content = as_bytes(noise, format=file_format, subtype=None)
    assert loading.decode(content).remarks == ()
    with pytest.raises(DataError, match=r"cut short|cannot be decoded"):
        loading.decode(content[: int(len(content) * keep)])


@pytest.mark.parametrize("announced", [0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFF000])
def test_a_file_from_a_pipe_is_whole(announced):
    wave = sine(0.5, 16_000)
    content = bytearray(as_bytes(wave))
    size = content.index(b"data") + 4
    content[size : size + 4] = announced.to_bytes(4, "little")
    assert len(loading.decode(bytes(content)).waveform) == 8_000
    content[size : size + 4] = (16_000 + 2_000).to_bytes(4, "little")
    with pytest.raises(DataError, match="16000 bytes of sound, but its header announces 18000"):
        loading.decode(bytes(content))


@pytest.mark.parametrize("content", [b"", b"not a sound", b"RIFF\0\0\0\0WAVE", b"\0" * 5000])
def test_what_is_no_sound_is_refused_with_its_name(content):
    with pytest.raises(DataError, match=r"my\.wav: "):
        loading.decode(content, "my.wav")


def test_mono_is_the_mean_of_the_channels():
    stereo = np.array([[1.0, 0.0], [-0.5, 0.5], [0.25, 0.75]], dtype="f4")
    np.testing.assert_allclose(loading.mono(stereo), [0.5, 0.0, 0.5])
    assert loading.mono(stereo).dtype == np.float32


@pytest.mark.parametrize(("resampler", "within"), [("HQ", 2e-5), ("torchaudio", 3e-3)])
@pytest.mark.parametrize(
    ("from_rate", "to_rate"),
    [(44_100, 48_000), (44_100, 16_000), (8_000, 48_000), (192_000, 16_000), (48_000, 44_100)],
)
def test_resampling_agrees_with_scipy(from_rate, to_rate, resampler, within):
    """Whole periods in a second: there the Fourier method of scipy is exact."""
    wave = sum(sine(1.0, from_rate, hertz) for hertz in (130.0, 441.0, 1_000.0, 2_900.0)) / 4
    ours = loading.resample(wave.astype("f4"), from_rate, to_rate, resampler)
    reference = scipy.signal.resample(wave.astype("f8"), to_rate)
    assert ours.dtype == np.float32
    assert abs(len(ours) - to_rate) <= 1
    edge = to_rate // 10
    np.testing.assert_allclose(
        ours[edge : to_rate - edge], reference[edge : to_rate - edge], atol=within
    )


def test_resampling_removes_what_the_new_rate_cannot_hold():
    aliased = loading.resample(sine(1.0, 44_100, 15_000.0), 44_100, 16_000)
    assert np.abs(aliased[1_000:-1_000]).max() < 1e-4


def test_resampling_to_the_same_rate_changes_nothing():
    wave = sine(0.1, 16_000)
    assert loading.resample(wave, 16_000, 16_000) is wave


def test_torchaudio_needs_whole_rates():
    with pytest.raises(DataError, match=r"whole rates, not 44100\.5 and 16000"):
        loading.resample(sine(0.1, 8_000), 44_100.5, 16_000, "torchaudio")


def test_an_unknown_resampler_is_named():
    with pytest.raises(DataError, match="'best' is not one of QQ"):
        loading.resample(sine(0.1, 8_000), 8_000, 16_000, "best")


def laion_clap_functions() -> dict:
    """Compile the two functions only: the package's import would ask the model hub."""
    spec = importlib.util.find_spec("laion_clap")
    source = Path(spec.submodule_search_locations[0]) / "training" / "data.py"
    wanted = {"int16_to_float32", "float32_to_int16"}
    tree = ast.parse(source.read_text(encoding="utf-8"))
    body = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in wanted]
    names: dict = {"np": np}
    exec(compile(ast.Module(body, []), str(source), "exec"), names)
    return names


@pytest.mark.skipif(importlib.util.find_spec("laion_clap") is None, reason="needs laion-clap")
def test_quantising_is_laion_claps_to_the_bit():
    theirs = laion_clap_functions()
    values = np.random.default_rng(1).uniform(-1.2, 1.2, 50_000).astype("f4")
    values[:6] = [0.0, 1.0, -1.0, 1.5, -1.5, 1 / 32767]
    expected = theirs["int16_to_float32"](theirs["float32_to_int16"](values))
    ours = loading.quantise_int16(values)
    np.testing.assert_array_equal(ours, expected)
    assert ours.dtype == np.float32
    # Rounding instead of truncating would be another function.
    assert not np.array_equal(ours, (np.round(values.clip(-1, 1) * 32767) / 32767).astype("f4"))


def test_repeat_pad_repeats_whole_clips_and_then_is_silent():
    padded = loading.pad(np.array([1.0, 2.0, 3.0], dtype="f4"), 8, "repeat_pad")
    np.testing.assert_array_equal(padded, [1, 2, 3, 1, 2, 3, 0, 0])


def test_zero_padding_is_at_the_end():
    np.testing.assert_array_equal(loading.pad(np.ones(3, "f4"), 5, "zeros"), [1, 1, 1, 0, 0])


def test_cropping():
    clip = np.arange(10, dtype="f4")
    assert loading.windows(clip, 4, "zeros", "first").tolist() == [[0, 1, 2, 3]]
    assert loading.windows(clip, 4, "zeros", "centre").tolist() == [[3, 4, 5, 6]]
    assert loading.windows(clip, 4, "zeros", "mean_of_windows").tolist() == [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
        [6, 7, 8, 9],
    ]
    with pytest.raises(DataError, match="'middle' is not"):
        loading.windows(clip, 4, "zeros", "middle")
    with pytest.raises(DataError, match="'wrap' is neither"):
        loading.windows(clip, 40, "wrap", "first")


@given(frames=st.integers(1, 400), samples=st.integers(1, 60))
@settings(max_examples=200, deadline=None)
def test_windows_cover_every_sample(frames, samples):
    clip = np.arange(1, frames + 1, dtype="f4")
    for padding in ("zeros", "repeat_pad"):
        rows = loading.windows(clip, samples, padding, "mean_of_windows")
        assert rows.shape == (-(-frames // samples), samples)
        assert set(rows.ravel()) - {0.0} == set(clip)
        assert len(loading.windows(clip, samples, padding, "centre")) == 1


def test_the_chain_quantises_after_resampling_and_before_padding():
    wave = sine(0.5, 44_100) * 1.7
    tower = AudioInput(48_000, 1.25, "repeat_pad", "centre", quantise_int16=True)
    prepared = loading.prepare(loading.Sound(wave[:, None], 44_100), tower)
    by_hand = loading.quantise_int16(loading.resample(wave, 44_100, 48_000))
    assert len(by_hand) == 24_000
    assert prepared.shape == (1, 60_000)
    np.testing.assert_array_equal(prepared[0, :24_000], by_hand)
    np.testing.assert_array_equal(prepared[0, 24_000:48_000], by_hand)
    assert not prepared[0, 48_000:].any()


def load(clips, tower, **kwargs) -> tuple[np.ndarray, np.ndarray]:
    batches = list(loading.ClipLoader(clips, tower, **kwargs))
    return (
        np.concatenate([batch.clips for batch in batches]),
        np.concatenate([batch.waveforms for batch in batches]),
    )


@pytest.mark.parametrize("cropping", ["centre", "mean_of_windows"])
def test_rows_do_not_depend_on_batch_size_or_workers(tmp_path, cropping):
    clips = make_clips(tmp_path, [0.2, 1.7, 0.5, 0.9, 2.6, 0.1, 0.3])
    tower = AudioInput(16_000, 0.5, "repeat_pad", cropping)
    clip_of, rows = load(clips, tower, batch_size=1, workers=1)
    if cropping == "mean_of_windows":
        assert np.bincount(clip_of).tolist() == [1, 4, 1, 2, 6, 1, 1]
    else:
        assert clip_of.tolist() == list(range(7))
    for batch_size, workers, prefetch in [(3, 1, 1), (4, 3, None), (64, 2, 2), (2, 4, 50)]:
        again = load(clips, tower, batch_size=batch_size, workers=workers, prefetch=prefetch)
        np.testing.assert_array_equal(again[0], clip_of)
        np.testing.assert_array_equal(again[1], rows)
    reversed_clips, reversed_rows = load(clips[::-1], tower, batch_size=3)
    for index in range(7):
        np.testing.assert_array_equal(
            reversed_rows[reversed_clips == 6 - index], rows[clip_of == index]
        )


def test_a_clip_is_degraded_before_it_is_resampled(tmp_path):
    clips = make_clips(tmp_path, [0.5, 0.7])
    tower = AudioInput(sample_rate=16_000, clip_seconds=0.6)
    seen = []

    def reverse(waveform, rate, clip_id):
        seen.append((waveform.shape, waveform.dtype, rate, clip_id))
        return waveform[::-1]

    (batch,) = loading.ClipLoader(clips, tower, 4, workers=1, degrade=reverse)
    frames = [round(seconds * 22_050) for seconds in (0.5, 0.7)]
    assert seen == [((n,), np.float32, 22_050, str(i)) for i, n in enumerate(frames)]
    for row, clip in zip(batch.waveforms, clips, strict=True):
        sound = loading.decode(clip.path.read_bytes())
        backwards = loading.Sound(sound.waveform[::-1], sound.sample_rate)
        np.testing.assert_array_equal(row, loading.prepare(backwards, tower)[0])


def test_the_gain_of_a_loaded_clip_is_exactly_that(tmp_path):
    clips = make_clips(tmp_path, [0.5], rate=16_000)
    tower = AudioInput(sample_rate=16_000, clip_seconds=0.5)
    (plain,) = loading.ClipLoader(clips, tower, 1)
    (softer,) = loading.ClipLoader(clips, tower, 1, degrade=degrader("gain", -20.0))
    np.testing.assert_array_equal(softer.waveforms, plain.waveforms * np.float32(0.1))
    sound = loading.decode(clips[0].path.read_bytes())
    np.testing.assert_array_equal(plain.waveforms, loading.prepare(sound, tower))


def test_batches_have_the_size_that_was_asked_for(tmp_path):
    clips = make_clips(tmp_path, [0.1] * 7)
    handed_over = []
    loader = loading.ClipLoader(
        clips, AudioInput(8_000, 0.2), 3, on_clip=lambda: handed_over.append(1)
    )
    assert [batch.waveforms.shape for batch in loader] == [(3, 1600), (3, 1600), (1, 1600)]
    assert len(handed_over) == 7


def test_the_loader_holds_no_more_clips_than_allowed(tmp_path, monkeypatch):
    clips = make_clips(tmp_path, [0.05] * 40)
    loaded, lock = [], threading.Lock()
    real = loading.prepare

    def counting(*args):
        with lock:
            loaded.append(1)
        return real(*args)

    monkeypatch.setattr(loading, "prepare", counting)
    batches = iter(loading.ClipLoader(clips, AudioInput(8_000, 0.1), 2, workers=4, prefetch=6))
    next(batches)
    time.sleep(0.3)
    assert len(loaded) <= 2 + 6
    batches.close()
    assert len(loaded) < 40


def test_a_changed_file_is_noticed(tmp_path):
    clips = make_clips(tmp_path, [0.2, 0.2, 0.2])
    clips[1].path.write_bytes(as_bytes(sine(0.2, 22_050, 999.0), 22_050))
    tower = AudioInput(16_000, 0.2)
    with pytest.raises(DataError, match=r"clip '1' .*changed since the manifest was made"):
        load(clips, tower, batch_size=2)
    assert len(load(clips, tower, batch_size=2, verify=False)[0]) == 3


def test_a_file_that_vanished_is_noticed(tmp_path):
    clips = make_clips(tmp_path, [0.2, 0.2])
    clips[0].path.unlink()
    with pytest.raises(DataError, match=r"clip '0' .*No such file"):
        load(clips, AudioInput(16_000, 0.2), batch_size=2)


def test_a_sound_of_which_no_sample_is_left_is_refused(tmp_path):
    clips = make_clips(tmp_path, [0.2])
    clips[0].path.write_bytes(as_bytes(np.ones(2), 96_000))
    message = r"clip '0' .*: its 2 frames at 96000 Hz are no sample at 8000 Hz"
    with pytest.raises(DataError, match=message):
        load(clips, AudioInput(8_000, 0.2), batch_size=1, verify=False)


def test_real_recordings_load(shared_data):
    paths = sorted((shared_data / "iowa").rglob("*.flac"))[:24]
    clips = [FakeClip(p.stem, p, hashlib.sha256(p.read_bytes()).hexdigest()) for p in paths]
    clip_of, rows = load(
        clips, AudioInput(48_000, 10.0, "repeat_pad", "centre", True), batch_size=5
    )
    assert clip_of.tolist() == list(range(24))
    assert rows.shape == (24, 480_000)
    assert np.isfinite(rows).all()
    assert (np.abs(rows).max(axis=1) > 1e-4).all()


def test_mean_by_clip_averages_windows():
    vectors = np.array([[1, 0], [3, 4], [5, 6], [7, 7]], dtype="f4")
    means = loading.mean_by_clip(np.array([0, 1, 1, 2]), vectors, 3)
    assert means.dtype == np.float32
    np.testing.assert_array_equal(means, [[1, 0], [4, 5], [7, 7]])
    with pytest.raises(ValueError, match="rows of 4 clips"):
        loading.mean_by_clip(np.array([0, 1, 1, 2]), vectors, 4)
