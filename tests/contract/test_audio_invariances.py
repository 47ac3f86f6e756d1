"""What must not change a sound: its file format, the batch; and what remains the same sound."""

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from listenread.audio import loading
from listenread.audio.base import AudioInput
from listenread.datasets.base import ClipRow
from listenread.datasets.checking import build_manifest

#: Containers that keep PCM of these widths to the bit.
LOSSLESS = ["WAV", "WAVEX", "RF64", "W64", "AIFF", "CAF", "AU", "NIST", "FLAC"]


@dataclass
class Clip:
    """What the loader asks of a clip."""

    clip_id: str
    path: Path
    sha256: str


def noise(rng, shape):
    """Noise of a few hundred hertz: audible, and never silent."""
    sound = np.cumsum(rng.normal(size=shape), axis=0)
    sound -= sound.mean(axis=0)
    return sound / np.abs(sound).max()


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    frames=st.integers(1, 5000),
    channels=st.integers(1, 4),
    rate=st.sampled_from([8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000]),
    subtype=st.sampled_from(["PCM_16", "PCM_24"]),
    crop=st.sampled_from(["first", "centre", "mean_of_windows"]),
)
def test_the_container_of_the_same_samples_changes_nothing(
    seed, frames, channels, rate, subtype, crop
):
    # Integers, as libsndfile rounds floating-point samples for FLAC in a way of its own.
    width = {"PCM_16": np.int16, "PCM_24": np.int32}[subtype]
    sound = noise(np.random.default_rng(seed), (frames + 12, channels))
    sound = (sound * np.iinfo(width).max).astype(width) & {"PCM_16": ~0, "PCM_24": ~0xFF}[subtype]
    tower = AudioInput(16_000, 0.1, "repeat_pad", crop)
    heard = []
    for container in LOSSLESS:
        file = io.BytesIO()
        soundfile.write(file, sound, rate, format=container, subtype=subtype)
        decoded = loading.decode(file.getvalue(), Path(container))
        assert decoded.sample_rate == rate and decoded.waveform.shape == sound.shape
        heard.append(loading.prepare(decoded, tower))
    for container, other in zip(LOSSLESS, heard, strict=True):
        np.testing.assert_array_equal(other, heard[0], err_msg=container)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    decibels=st.floats(-30, 0),
    polarity=st.sampled_from([1, -1]),
    container=st.sampled_from(LOSSLESS),
    channels=st.integers(1, 2),
)
def test_a_sound_at_another_gain_is_a_copy(
    tmp_path_factory, seed, decibels, polarity, container, channels
):
    """Whatever the file is; and another sound at the same gain is none."""
    folder = tmp_path_factory.mktemp("gain")
    rng = np.random.default_rng(seed)
    one, other = noise(rng, (8_000,)), noise(rng, (8_000,))
    gain = polarity * 10 ** (decibels / 20)
    sounds = {"one": one, "softer": gain * one, "other": gain * other}
    rows = []
    for name, sound in sounds.items():
        path = folder / name
        stacked = np.stack([sound] * channels, axis=1)
        soundfile.write(path, stacked, 16_000, format=container, subtype="PCM_16")
        rows.append(ClipRow(name, path, ("x",)))
    assert build_manifest(rows).group_numbers() == [0, 0, 1]


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    batch_size=st.integers(1, 9),
    workers=st.integers(1, 3),
    crop=st.sampled_from(["centre", "mean_of_windows"]),
)
def test_batches_and_order_of_clips_change_no_row(
    tmp_path_factory, seed, batch_size, workers, crop
):
    folder = tmp_path_factory.mktemp("batch")
    rng = np.random.default_rng(seed)
    clips = []
    for number in range(6):
        path = folder / f"{number}.wav"
        soundfile.write(path, noise(rng, (int(rng.integers(200, 9_000)),)), 11_025)
        clips.append(Clip(path.name, path, hashlib.sha256(path.read_bytes()).hexdigest()))
    tower = AudioInput(16_000, 0.2, "repeat_pad", crop)

    def rows(clips, **options):
        batches = list(loading.ClipLoader(clips, tower, **options))
        place = np.concatenate([batch.clips for batch in batches])
        waveforms = np.concatenate([batch.waveforms for batch in batches])
        return {clip.clip_id: waveforms[place == i] for i, clip in enumerate(clips)}

    expected = rows(clips, batch_size=1, workers=1)
    order = [clips[i] for i in rng.permutation(len(clips))]
    found = rows(order, batch_size=batch_size, workers=workers)
    for name, waveforms in expected.items():
        np.testing.assert_array_equal(found[name], waveforms)
