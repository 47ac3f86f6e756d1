"""Sound files of every format: damaged, lying about themselves, or merely unusual."""

import io
import random
import struct

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from listenread.audio import loading
from listenread.datasets.base import AudioLimits
from listenread.datasets.checking import check_file
from listenread.models.base import AudioInput

from .conftest import mutated, times

#: Format, subtype, and the highest rate that the format takes.
FORMATS = [
    ("WAV", "PCM_16"), ("WAV", "PCM_24"), ("WAV", "PCM_U8"), ("WAV", "FLOAT"), ("WAV", "DOUBLE"),
    ("WAV", "ULAW"), ("WAV", "IMA_ADPCM"), ("WAV", "MS_ADPCM"), ("WAV", "GSM610"),
    ("WAVEX", "PCM_16"), ("RF64", "PCM_16"), ("W64", "PCM_16"), ("AIFF", "PCM_16"),
    ("AIFF", "FLOAT"), ("AU", "PCM_16"), ("CAF", "PCM_16"), ("CAF", "ALAC_16"),
    ("FLAC", "PCM_16"), ("FLAC", "PCM_24"), ("OGG", "VORBIS"), ("OGG", "OPUS"),
    ("MP3", "MPEG_LAYER_III"), ("NIST", "PCM_16"), ("SVX", "PCM_16"), ("VOC", "PCM_16"),
    ("AVR", "PCM_16"), ("PAF", "PCM_16"), ("HTK", "PCM_16"), ("SDS", "PCM_16"), ("MAT5", "DOUBLE"),
]  # fmt: skip
TOWER = AudioInput(sample_rate=16_000, clip_seconds=0.25, padding="repeat_pad")


def sound(file_format: str, subtype: str, channels: int = 1, rate: int = 8_000) -> bytes:
    time = np.arange(2_000) / rate
    waveform = np.stack([0.5 * np.sin(2 * np.pi * 300 * (1 + c) * time) for c in range(channels)])
    content = io.BytesIO()
    soundfile.write(content, waveform.T, rate, subtype=subtype, format=file_format)
    return content.getvalue()


def hear(path):
    """What a run does with a file: look at it, then prepare what a tower hears."""
    check_file(path, AudioLimits())
    content = path.read_bytes()
    prepared = loading.prepare(loading.decode(content, path), TOWER)
    assert prepared.shape == (1, TOWER.samples) and np.isfinite(prepared).all()


@pytest.mark.parametrize(("file_format", "subtype"), FORMATS)
def test_damaged_sound_files(trial, file_format, subtype):
    channels = 1 if subtype in {"GSM610", "MPEG_LAYER_III"} or file_format == "HTK" else 2
    if file_format in {"SVX", "SDS"}:
        channels = 1
    whole = sound(file_format, subtype, channels)
    path = trial.folder / "clip"
    path.write_bytes(whole)
    hear(path)
    rng = random.Random(f"{file_format}/{subtype}")
    for number in range(times(40)):
        path.write_bytes(mutated(whole, rng))
        trial(lambda: hear(path), why=f"{file_format} {subtype} {number}")
        trial(lambda: loading.decode(path.read_bytes(), path), path, number)


def test_damaged_genuine_recordings(trial, shared_data):
    rng = random.Random("genuine")
    genuine = sorted(shared_data.rglob("*.wav")) + sorted(shared_data.rglob("*.flac"))
    path = trial.folder / "clip"
    for number in range(times(40)):
        path.write_bytes(mutated(rng.choice(genuine).read_bytes(), rng))
        trial(lambda: hear(path), why=number)


@settings(max_examples=times(300))
@given(
    code=st.sampled_from([1, 1, 1, 3, 6, 7]) | st.sampled_from([0, 2, 0x11, 0x31, 0x55, 0xFFFE]),
    channels=st.sampled_from([1, 1, 1, 2, 2, 0, 3, 9, 0xFFFF]),
    rate=st.sampled_from([8_000, 16_000, 44_100, 192_000])
    | st.sampled_from([0, 1, 7_999, 192_001, 2**31, 2**32 - 1]),
    bits=st.sampled_from([16, 16, 16, 8, 24, 32]) | st.sampled_from([0, 1, 12, 64, 0xFFFF]),
    align=st.none() | st.integers(0, 0xFFFF),
    announced=st.none() | st.integers(0, 0xFFFFFFFF),
    body=st.just(bytes(range(256)) * 16) | st.binary(max_size=200).map(lambda piece: piece * 20),
)
def test_headers_of_wav_files(trial, code, channels, rate, bits, align, announced, body):
    align = channels * bits // 8 & 0xFFFF if align is None else align
    form = struct.pack("<HHIIHH", code, channels, rate, rate * align & 0xFFFFFFFF, align, bits)
    size = len(body) if announced is None else announced
    riff = b"WAVEfmt " + struct.pack("<I", len(form)) + form
    riff += b"data" + struct.pack("<I", size) + body
    path = trial.folder / "clip.wav"
    path.write_bytes(b"RIFF" + struct.pack("<I", len(riff)) + riff)
    trial(lambda: hear(path), why=(code, channels, rate, bits, align, announced))


@settings(max_examples=times(100))
@given(
    rate=st.sampled_from([8_000, 11_025, 44_100, 192_000, 1, 7_999, 400_000]),
    channels=st.sampled_from([1, 2, 2, 1, 12]),
    frames=st.sampled_from([9_600, 30_000, 0, 1, 399, 400, 401]),
    level=st.sampled_from([0.5, 1.0, 30.0, 0.0, 1e-5, 1e35, np.inf, np.nan]),
    subtype=st.sampled_from(["PCM_16", "FLOAT", "DOUBLE"]),
)
def test_well_formed_sounds_of_any_shape(trial, rate, channels, frames, level, subtype):
    waveform = np.full((frames, channels), level)
    waveform[::2] *= -1
    path = trial.folder / "clip.wav"
    soundfile.write(path, waveform, rate, subtype=subtype)
    trial(lambda: hear(path), why=(rate, channels, frames, level, subtype))


@settings(max_examples=times(100))
@given(content=st.binary(max_size=600), head=st.sampled_from(
    [b"", b"RIFF", b"fLaC", b"OggS", b"ID3\x04", b"\xff\xfb\x90", b"FORM", b".snd", b"caff"]
))  # fmt: skip
def test_bytes_that_are_no_sound(trial, head, content):
    path = trial.folder / "clip.wav"
    path.write_bytes(head + content)
    trial(lambda: hear(path), why=(head, content))


def test_a_stream_that_does_not_announce_its_length(trial):
    """What `ffmpeg -f flac -` writes to a pipe: the number of samples in the header is 0."""
    whole = bytearray(sound("FLAC", "PCM_16"))
    assert whole[4:8] == b"\x00\x00\x00\x22"  # STREAMINFO first, 34 bytes
    whole[8 + 13] &= 0xF0
    whole[8 + 14 : 8 + 18] = bytes(4)
    expected = loading.decode(sound("FLAC", "PCM_16")).waveform
    heard = trial(lambda: loading.decode(bytes(whole), "pipe.flac").waveform, "pipe.flac")
    np.testing.assert_array_equal(heard, expected)
    for number in range(times(50)):
        damaged = mutated(bytes(whole), random.Random(number))
        trial(lambda content=damaged: loading.decode(content, "pipe.flac"), "pipe.flac", number)


def test_a_header_cannot_ask_for_memory(trial):
    """36 bits of samples, 275 GB: refused before anything is allocated."""
    whole = bytearray(sound("FLAC", "PCM_16"))
    whole[8 + 13] |= 0x0F
    whole[8 + 14 : 8 + 18] = b"\xff" * 4
    path = trial.folder / "bomb.flac"
    path.write_bytes(whole)
    assert trial(lambda: loading.decode(bytes(whole), path), path) is None
    assert trial(lambda: check_file(path, AudioLimits())) is None
