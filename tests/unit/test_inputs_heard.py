"""What a tower does not hear is said: late sounds, long clips, channels that cancel."""

import json
import sys

import input_cases
import numpy as np
import pytest
import soundfile

from listenread.datasets.base import AudioLimits, ClipRow, Places
from listenread.datasets.building import build
from listenread.datasets.checking import build_manifest, check_file
from listenread.datasets.manifest import read_manifest
from listenread.embed import embed_audio
from listenread.errors import DataError
from listenread.files import tables
from listenread.models import storage
from listenread.models.base import PreparationContext
from listenread.report.heard import read_heard

TOWERS = """
import numpy as np
from listenread.audio.base import AudioInput
from listenread.models.base import Vectors

class First:
    towers = ("audio",)
    audio_input = AudioInput(sample_rate=16000, clip_seconds=2.56, cropping="first")

    def __init__(self, model_dir, description, *, tower, device):
        pass

    def encode_audio(self, waveforms):
        vectors = np.abs(np.fft.rfft(waveforms))[:, :64].astype(np.float32) + 1
        return Vectors(vectors, vectors / np.linalg.norm(vectors, axis=1, keepdims=True))

class Centre(First):
    audio_input = AudioInput(sample_rate=16000, clip_seconds=2.56, cropping="centre")

class Windows(First):
    audio_input = AudioInput(sample_rate=16000, clip_seconds=2.56, cropping="mean_of_windows")

class Long(First):
    audio_input = AudioInput(sample_rate=16000, clip_seconds=10.0, padding="repeat_pad")
"""


@pytest.fixture
def heard(tmp_path, monkeypatch):
    """What is said of a manifest, for each of some towers."""
    module = f"towers_{tmp_path.name}"
    (tmp_path / f"{module}.py").write_text(TOWERS)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "health.json").write_text(json.dumps({"healthy": True, "failures": []}))

    def say(manifest, *names):
        paths, descriptions = [], {}
        for name in names:
            family, folder = f"{module}:{name}", tmp_path / name
            context = PreparationContext(family)
            storage.prepare(family, "prepare_own", {}, folder, {"options": {}}, context)
            descriptions[name] = json.loads((folder / "model.json").read_text())
            paths.append(tmp_path / "audio" / manifest.stem / f"{name}.parquet")
            settings = {"accept_unhealthy": False, "batch_size": 5}
            health = tmp_path / "health.json"
            embed_audio(folder, manifest, paths[-1], health_path=health, **settings)
        return read_heard(paths, [manifest], descriptions).get(manifest.stem, [])

    yield say
    sys.modules.pop(module, None)


def test_silent_windows_are_said_clip_by_clip(tmp_path, heard):
    input_cases.late_sound(tmp_path / "own")
    build("folder", {}, Places(tmp_path / "own"), tmp_path / "late.parquet")
    first, centre = heard(tmp_path / "late.parquet", "First", "Centre", "Windows", "Long")
    sentence, *clips = first.split("\n")
    assert sentence == (
        "First hears the first 2.56 s of clips of up to 5.0 s: 12 of 12 clips are longer; 12 clips "
        "are silent there: clarinet/clarinet_60, clarinet/clarinet_64, clarinet/clarinet_67, "
        "flute/flute_60, flute/flute_64 and 7 more."
    )
    assert clips == read_manifest(tmp_path / "late.parquet").table["clip_id"].to_pylist()
    assert centre == (
        "Centre hears the middle 2.56 s of clips of up to 5.0 s: 12 of 12 clips are longer."
    )
    silent = tables.read(tmp_path / "audio/late/First.parquet").data["heard_dbfs"].to_pylist()
    assert silent == [float("-inf")] * 12
    whole = tables.read(tmp_path / "audio/late/Windows.parquet").data["heard_dbfs"].to_numpy()
    np.testing.assert_allclose(whole, 20 * np.log10(0.5), atol=0.01)


def test_some_silent_clips_and_derived_datasets(tmp_path, heard):
    folder = tmp_path / "own" / "x"
    folder.mkdir(parents=True)
    tone = input_cases.note("flute", 60, 3.0)
    soundfile.write(folder / "early.wav", tone, 16_000)
    soundfile.write(folder / "late.wav", np.concatenate([np.zeros(48_000, "f4"), tone]), 16_000)
    soundfile.write(folder / "soft.wav", np.concatenate([1e-3 * tone, tone]), 16_000)
    limits = {"silence_dbfs": -50.0}
    build("folder", {}, Places(tmp_path / "own"), tmp_path / "some.parquet", limits=limits)
    said = "First hears the first 2.56 s of clips of up to 6.0 s: 3 of 3 clips are longer; "
    assert heard(tmp_path / "some.parquet", "First") == [
        f"{said}2 clips are silent there: x/late, x/soft."
    ]
    base = tmp_path / "some.parquet"
    for level, silent in (
        (3.0, "2 clips are silent there: x/late, x/soft."),  # at -63 dB, by the limit of the base
        (30.0, "1 clip is silent there: x/late."),
    ):
        louder = {"degradation": "gain", "level": level, "seed": 0, "options": {}}
        build("degraded", louder, Places(), tmp_path / "louder.parquet", base_manifest=base)
        assert heard(tmp_path / "louder.parquet", "First") == [said + silent]


def test_a_part_of_the_clips_may_be_longer(tmp_path, heard):
    (tmp_path / "own" / "x").mkdir(parents=True)
    for seconds in (1.0, 2.0, 4.0):
        path = tmp_path / "own" / "x" / f"{seconds:.0f}.wav"
        soundfile.write(path, input_cases.note("oboe", 60, seconds), 16_000)
    build("folder", {}, Places(tmp_path / "own"), tmp_path / "mixed.parquet")
    assert heard(tmp_path / "mixed.parquet", "Centre") == [
        "Centre hears the middle 2.56 s of clips of up to 4.0 s: 1 of 3 clips is longer."
    ]


def test_clips_that_are_heard_whole_are_not_mentioned(tmp_path, heard):
    for name, pitch in (("a", 60), ("b", 61)):
        (tmp_path / "own" / name).mkdir(parents=True)
        tone = input_cases.note("flute", pitch, 2.56)
        soundfile.write(tmp_path / "own" / name / "x.wav", tone, 16_000)
    build("folder", {}, Places(tmp_path / "own"), tmp_path / "short.parquet")
    assert heard(tmp_path / "short.parquet", "First", "Windows", "Long") == []


def test_channels_that_cancel(tmp_path):
    tone = 0.5 * np.sin(0.1 * np.arange(16_000))

    def stereo(name, right):
        soundfile.write(tmp_path / name, np.stack([tone, right * tone], axis=1), 16_000, "FLOAT")
        return tmp_path / name

    with pytest.raises(DataError, match=r"its channels are opposite: their mean, .* not above -80"):
        check_file(stereo("opposite.wav", -1.0), AudioLimits())
    rows = [
        ClipRow(str(right), stereo(f"{right}.wav", right), ("x",))
        for right in (-0.999, -0.9, -0.5, 0.0, 1.0)
    ]
    assert build_manifest(rows).notes[:-1] == [  # but that these are copies of each other
        "The file of 2 clips has nearly opposite channels: their mean, which is what a model "
        "hears, is more than 20 dB softer: -0.999, -0.9."
    ]
