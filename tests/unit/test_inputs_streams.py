"""Streams whose length is not in a header, or is wrong there, against the same streams with it."""

import io
import struct

import input_cases
import numpy as np
import pytest
import soundfile

from listenread.audio import flac, loading, mpeg
from listenread.datasets.base import ClipRow, Places
from listenread.datasets.building import build
from listenread.datasets.checking import build_manifest
from listenread.errors import DataError

RATE = 44_100


def encoded(wave: np.ndarray, rate: int = RATE, **how) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, wave, rate, **({"format": "MP3"} | how))
    return buffer.getvalue()


def music(seconds: float, rate: int, channels: int = 1) -> np.ndarray:
    """Two notes and a loud noisy start; the channels differ."""
    wave = input_cases.note("violin", 50, seconds, rate)
    wave[: len(wave) // 8] += np.random.default_rng(0).uniform(-0.3, 0.3, len(wave) // 8)
    return np.stack([wave * (1 - 0.3 * channel) for channel in range(channels)], axis=1)


def aligned(late: np.ndarray, reference: np.ndarray) -> int:
    """Samples by which one starts after the other."""
    lags = range(0, 3000)
    part = reference[4000:9000, 0]
    return min(lags, key=lambda lag: np.abs(late[4000 + lag : 9000 + lag, 0] - part).max())


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mp3") / "mp3_without_xing"
    input_cases.mp3_without_xing(folder)
    return folder


@pytest.mark.parametrize("instrument", input_cases.PARTIALS)
def test_the_same_sound_with_and_without_a_header_frame(case, instrument):
    whole, bare, tagged = (
        loading.decode((case / f"{instrument}_{kind}.mp3").read_bytes())
        for kind in ("whole", "bare", "tagged")
    )
    assert len(whole.waveform) == 3 * RATE
    for sound in (bare, tagged):
        assert len(sound.waveform) / RATE == pytest.approx(3, abs=0.06)
        lag = aligned(sound.waveform, whole.waveform)
        assert lag <= 1_105  # the delay of the codec, which only the header frame tells
        np.testing.assert_array_equal(sound.waveform[lag : lag + 3 * RATE], whole.waveform)
        assert sound.remarks == ()
    flac = encoded(input_cases.note(instrument, 60, 3.0, RATE), format="FLAC")
    quiet = slice(RATE, 3 * RATE - 2_000)  # after the noise
    error = whole.waveform[quiet] - loading.decode(flac).waveform[quiet]
    assert np.abs(error).max() < 0.02


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 24_000, 32_000, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("mode", ["CONSTANT", "VARIABLE"])
def test_every_version_of_mpeg(rate, channels, mode):
    content = encoded(music(3.0, rate, channels), rate, bitrate_mode=mode, compression_level=0.5)
    whole = loading.decode(content)
    stream = mpeg.find_stream(content)
    assert stream.announced == stream.frames
    bare = loading.decode(content[: stream.start] + content[_second(content, stream) :])
    lag = aligned(bare.waveform, whole.waveform)
    assert lag < 2_000
    same = slice(lag, lag + len(whole.waveform))
    np.testing.assert_allclose(bare.waveform[same], whole.waveform, atol=1e-6)


def _second(content: bytes, stream: mpeg.Stream) -> int:
    """Where the header frame ends, by its own length in the file: the next sync of that kind."""
    head = content[stream.start : stream.start + 2]
    return content.find(head, stream.counter)


def test_a_header_frame_that_counts_wrongly():
    content = encoded(music(3.0, RATE), bitrate_mode="VARIABLE")
    stream = mpeg.find_stream(content)
    expected = loading.decode(content).waveform

    def announcing(frames):
        return content[: stream.counter] + struct.pack(">I", frames) + content[stream.counter + 4 :]

    for frames in (0, 10, stream.frames - 1, stream.frames + 1):
        np.testing.assert_array_equal(loading.decode(announcing(frames)).waveform, expected)
    with pytest.raises(DataError, match=r"cut short: \d+ of \d+ MPEG frames are there"):
        loading.decode(announcing(stream.frames + 2))


def test_an_mp3_that_is_cut_short_is_refused():
    content = encoded(music(3.0, RATE))
    for keep in (0.3, 0.9, 0.99):
        with pytest.raises(DataError, match="cut short"):
            loading.decode(content[: int(keep * len(content))])


def test_what_may_be_missing_of_a_bare_mp3_is_said(case, tmp_path):
    content = (case / "oboe_bare.mp3").read_bytes()
    (tmp_path / "half.mp3").write_bytes(content[: len(content) // 2])
    (tmp_path / "whole.mp3").write_bytes(content)
    strange = bytes(90)
    middle = content.index(b"\xff\xfb", len(content) // 2)
    (tmp_path / "strange.mp3").write_bytes(content[:middle] + strange + content[middle:])
    rows = [ClipRow(path.stem, path, ("x",)) for path in sorted(tmp_path.glob("*.mp3"))]
    assert build_manifest(rows).notes == [
        "The file of 1 clip ends within an MPEG frame; its end may be missing: half.",
        "The file of 1 clip has bytes between its MPEG frames that are not sound: strange.",
    ]


def test_tags_are_not_sound(case):
    content = (case / "flute_bare.mp3").read_bytes()
    expected = loading.decode(content)
    picture = np.random.default_rng(0).bytes(30_000)
    for tagged in (
        content + b"TAG" + bytes(125),
        content + b"APETAGEX" + picture,
        b"ID3\x03\0\0\0\0\x07\x76" + bytes(1014) + content,
        b"ID3\x03\0\0\0\0\0\x0a" + bytes(10 + 700) + content,  # padding that is not counted
        b"ID3\x04\0\x10\0\0\0\x0a" + bytes(10) + b"3DI" + bytes(7) + content,
    ):
        sound = loading.decode(tagged)
        np.testing.assert_array_equal(sound.waveform, expected.waveform)
        assert sound.remarks == ()


@pytest.mark.parametrize("size", [700, 4_000])
def test_damage_within_a_bare_mp3_is_not_passed_over(case, size):
    content = (case / "flute_bare.mp3").read_bytes()
    noise = np.random.default_rng(size).bytes(size)
    damaged = content[:9_000] + noise + content[9_000 + size :]
    try:
        sound = loading.decode(damaged)
    except DataError as error:
        assert "cut short" in str(error) or "cannot be decoded" in str(error)
    else:
        assert sound.remarks


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_ogg_streams(subtype):
    content = encoded(music(3.0, 48_000), 48_000, format="OGG", subtype=subtype)
    sound = loading.decode(content)
    assert (len(sound.waveform), sound.remarks) == (3 * 48_000, ())
    for keep in (0.3, 0.7, 0.999):
        with pytest.raises(DataError, match="cut short: the file ends within a page"):
            loading.decode(content[: int(keep * len(content))])
    pages = [place for place in range(len(content)) if content[place : place + 4] == b"OggS"]
    assert loading.decode(content[: pages[-1]]).remarks == (
        "has no last page; its end may be missing",
    )
    with pytest.raises(DataError, match="holds 2 streams one after the other"):
        loading.decode(content + content)


@pytest.mark.parametrize(
    ("rate", "channels", "subtype", "frames"),
    [
        (44_100, 1, "PCM_16", 132_300),
        (48_000, 2, "PCM_24", 4_096),
        (11_025, 1, "PCM_16", 33_075),
        (96_000, 2, "PCM_16", 300_001),
        (8_000, 1, "PCM_S8", 401),
        (12_345, 1, "PCM_16", 5 * 4_096),  # a rate of its own in every frame, a whole last frame
        (123_450, 1, "PCM_16", 40_000),
        (13_000, 2, "PCM_16", 40_000),
        (48_000, 1, "PCM_S8", 2_100 * 4_096 + 7),  # frame numbers of one, two and three bytes
    ],
)
def test_a_flac_from_a_pipe_is_whole(rate, channels, subtype, frames):
    """One whose header does not say how long it is: zeros in the last 36 bits of the field."""
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (frames, channels))
    noise *= np.linspace(0, 1, frames)[:, np.newaxis]
    content = encoded(noise, rate, format="FLAC", subtype=subtype)
    piped = content[:21] + bytes([content[21] & 0xF0]) + bytes(4) + content[26:]
    assert flac.with_length(piped) == content
    np.testing.assert_array_equal(loading.decode(piped).waveform, loading.decode(content).waveform)
    for keep in (0.3, 0.99):
        with pytest.raises(DataError, match=r"cannot be decoded|cut short|does not say"):
            loading.decode(piped[: int(keep * len(piped))])


def test_a_message_about_many_files_is_one_line_and_a_list(tmp_path):
    content = encoded(music(1.0, RATE))
    folder = tmp_path / "clips" / "x"
    folder.mkdir(parents=True)
    for number in range(40):
        (folder / f"{number}.mp3").write_bytes(content[: len(content) - 3_000 - 100 * number])
    (folder / "empty.mp3").write_bytes(b"")
    output = tmp_path / "own.parquet"
    listing = tmp_path / "own.bad_audio.txt"
    with pytest.raises(DataError) as error:
        build("folder", {}, Places(tmp_path / "clips"), output)
    message = str(error.value)
    assert message.startswith(
        "41 of 41 clips cannot be used (1: the file is empty (0 bytes); "
        "40: cut short: N of N MPEG frames are there)."
    )
    assert f"{listing} lists them all." in message and "\n" not in message
    lines = listing.read_text("utf-8").splitlines()
    assert len(lines) == 41
    assert lines[0].startswith(f"{folder / '0.mp3'}: cut short: ")
    (folder / "good.mp3").write_bytes(content)
    build("folder", {}, Places(tmp_path / "clips"), output, on_bad_audio="skip")
    assert not listing.exists()
