"""The manifest contract, on real recordings and on every kind of bad file."""

import hashlib
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile

from listenread.datasets import checking
from listenread.datasets.base import DATASET_KINDS, AudioLimits, ClipRow
from listenread.datasets.checking import build_manifest
from listenread.datasets.csv_files import read_csv
from listenread.datasets.manifest import COLUMNS, read_manifest, write_manifest
from listenread.errors import ConfigError, DataError
from listenread.files import tables


def tone(seconds: float = 0.5, rate: int = 16_000, channels: int = 1, peak: float = 0.3):
    wave = peak * np.sin(2 * np.pi * 330 * np.arange(round(seconds * rate)) / rate)
    return np.repeat(wave[:, None], channels, axis=1).astype("f4")


def write(path: Path, samples: np.ndarray, rate: int = 16_000, subtype: str = "PCM_16") -> Path:
    soundfile.write(path, samples, rate, subtype=subtype)
    return path


def make_bad(folder: Path) -> dict[str, tuple[Path, str]]:
    """One file of each kind -> (path, what its refusal says)."""
    nan = tone()
    nan[100] = np.nan
    infinite = tone()
    infinite[-1] = np.inf
    opposite = np.concatenate([tone(), -tone()], axis=1)
    bad = {
        "silent": (write(folder / "silent.wav", np.zeros((8_000, 1))), "silent"),
        "quiet": (write(folder / "quiet.wav", tone(peak=5e-5)), "silent"),
        "opposite": (write(folder / "opposite.wav", opposite), "channels are opposite"),
        "nan": (write(folder / "nan.wav", nan, subtype="FLOAT"), "not finite"),
        "infinite": (write(folder / "infinite.wav", infinite, subtype="FLOAT"), "not finite"),
        "eight": (write(folder / "eight.wav", tone(channels=8)), "8 channels"),
        "slow": (write(folder / "slow.wav", tone(rate=4_000), 4_000), "sample rate 4000 Hz"),
        "fast": (write(folder / "fast.wav", tone(rate=384_000), 384_000), "sample rate 384000"),
        "short": (write(folder / "short.wav", tone(0.01)), "lasts 0.010 s"),
        "no frames": (write(folder / "none.wav", np.zeros((0, 1))), "holds no sound"),
    }
    corrupt = {
        "empty": (b"", "0 bytes"),
        "text": (b"path,label\n", "cannot be decoded"),
        "cut": ((folder / "eight.wav").read_bytes()[:5_000], "cut short"),
    }
    for name, (content, reason) in corrupt.items():
        path = folder / f"{name}.wav"
        path.write_bytes(content)
        bad[name] = (path, reason)
    flac = write(folder / "damaged.flac", np.random.default_rng(0).uniform(-0.5, 0.5, 20_000))
    content = bytearray(flac.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 2_000] = b"\xff" * 2_000
    flac.write_bytes(content)
    bad["damaged"] = (flac, "cannot be decoded|cut short")
    bad["absent"] = (folder / "absent.wav", "does not exist")
    return bad


def rows_of(paths: dict[str, Path], label: str = "a") -> list[ClipRow]:
    return [ClipRow(name, path, (label,)) for name, path in paths.items()]


def test_every_kind_of_bad_file_is_refused_with_its_reason(tmp_path):
    for name, (path, reason) in make_bad(tmp_path).items():
        with pytest.raises(DataError, match=reason):
            checking.check_file(path, AudioLimits())
        with pytest.raises(DataError, match="1 of 1 clips") as error:
            build_manifest(rows_of({name: path}))
        assert str(path) in str(error.value)


def test_all_bad_files_are_listed_at_once(tmp_path):
    bad = make_bad(tmp_path)
    good = write(tmp_path / "good.wav", tone())
    rows = rows_of({"good": good} | {name: path for name, (path, _) in bad.items()})
    with pytest.raises(DataError, match="on_bad_audio: skip") as error:
        build_manifest(rows)
    message = str(error.value)
    assert f"{len(bad)} of {len(bad) + 1} clips" in message
    assert all(str(path) in message for path, _ in bad.values())
    assert str(good) not in message


def test_skipping_records_what_was_left_out(tmp_path):
    bad = make_bad(tmp_path)
    good = write(tmp_path / "good.wav", tone())
    rows = rows_of({"good": good} | {name: path for name, (path, _) in bad.items()})
    manifest = build_manifest(rows, on_bad_audio="skip")
    assert manifest.table["clip_id"].to_pylist() == ["good"]
    assert [clip["clip_id"] for clip in manifest.skipped] == list(bad)
    write_manifest(tmp_path / "m.parquet", manifest, dataset="x")
    again = read_manifest(tmp_path / "m.parquet")
    assert again.skipped == manifest.skipped
    assert all(clip["reason"] and clip["path"] for clip in again.skipped)
    with pytest.raises(DataError, match="All clips would be left out"):
        build_manifest(rows[1:], on_bad_audio="skip")


def test_limits_are_parameters(tmp_path):
    make_bad(tmp_path)
    loose = AudioLimits(
        max_channels=8,
        min_sample_rate=1,
        max_sample_rate=10**6,
        min_seconds=0.0,
        silence_dbfs=-90.0,
    )
    for name in ("eight", "slow", "fast", "short", "quiet"):
        assert checking.check_file(tmp_path / f"{name}.wav", loose).sample_rate > 0
    with pytest.raises(DataError, match=r"lasts 0\.500 s .*max_seconds 0\.1"):
        checking.check_file(write(tmp_path / "x.wav", tone()), AudioLimits(max_seconds=0.1))


@pytest.mark.parametrize("rate", [8_000, 44_100, 192_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_ordinary_files_pass(tmp_path, rate, channels):
    path = write(tmp_path / "x.wav", tone(0.5, rate, channels), rate)
    manifest = build_manifest([ClipRow("x", path, ("a",))], working_directory=tmp_path)
    row = manifest.table.to_pylist()[0]
    assert row == {
        "clip_id": "x",
        "path": "x.wav",
        "labels": ["a"],
        "unknown": [],
        "group": None,
        "fold": None,
        "duration_s": 0.5,
        "sample_rate": rate,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    assert any("8000 Hz" in note for note in manifest.notes) == (rate == 8_000)


def test_manifest_of_real_recordings_round_trips(shared_data, tmp_path):
    folder = shared_data / "iowa" / "audio" / "violin"
    paths = sorted(folder.glob("*.flac"))
    rows = [
        ClipRow(path.stem, path, ("violin",), fold=index % 5, known={"midi_note": 50 + index})
        for index, path in enumerate(paths)
    ]
    manifest = build_manifest(rows, ["cello", "violin"], working_directory=tmp_path)
    assert manifest.notes == ["No clip has the label(s) cello."]
    write_manifest(tmp_path / "m.parquet", manifest, dataset="iowa")
    again = read_manifest(tmp_path / "m.parquet")
    assert again.table.equals(manifest.table)
    assert again.vocabulary == ["cello", "violin"]
    assert tuple(again.table.column_names) == (*COLUMNS, "midi_note")
    assert tables.read(tmp_path / "m.parquet").made_by["dataset"] == "iowa"
    assert str(pq.read_schema(tmp_path / "m.parquet").field("fold").type) == "int16"
    for row, path in zip(again.table.to_pylist(), paths, strict=True):
        assert row["duration_s"] == pytest.approx(soundfile.info(path).duration)
        assert row["path"] == str(path)  # outside the working directory: as configured
        assert row["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    clip, again_row = again.clips[3], again.table.to_pylist()[3]
    assert again_row["labels"] == ["violin"]
    assert (clip.clip_id, clip.path, clip.sha256) == (paths[3].stem, paths[3], again_row["sha256"])


def test_the_manifest_does_not_depend_on_the_number_of_workers(tmp_path):
    paths = {str(n): write(tmp_path / f"{n}.wav", tone(0.1 + n / 50)) for n in range(20)}
    one = build_manifest(rows_of(paths), workers=1)
    many = build_manifest(rows_of(paths), workers=8)
    assert one.table.equals(many.table)


def test_copies_are_noted(tmp_path):
    path = write(tmp_path / "a.wav", tone())
    manifest = build_manifest(rows_of({"a": path, "b": path, "c": path}))
    assert manifest.notes == [
        "2 clips are copies of another (the same waveform, up to gain or polarity) and in its "
        "group: a = b = c."
    ]


def test_contradictions_are_listed_together(tmp_path):
    path = write(tmp_path / "a.wav", tone())
    rows = [ClipRow("x", path, ("a",)), ClipRow("x", path, ("b",)), ClipRow("y", path, ("typo",))]
    with pytest.raises(DataError) as error:
        build_manifest(rows, ["a", "b", "b"])
    message = str(error.value)
    assert "clip_ids that occur more than once: x" in message
    assert "'typo' (1 clips)" in message
    assert "twice in the vocabulary: b" in message


def test_other_mistakes(tmp_path):
    path = write(tmp_path / "a.wav", tone())
    with pytest.raises(DataError, match="describe no clip"):
        build_manifest([])
    with pytest.raises(DataError, match=r"'ignore'; it can be"):
        build_manifest(rows_of({"a": path}), on_bad_audio="ignore")
    with pytest.raises(DataError, match=r"\['sha256'\]"):
        build_manifest([ClipRow("a", path, ("a",), known={"sha256": "x"})])
    with pytest.raises(DataError, match="'note' mixes types"):
        mixed = [ClipRow("a", path, ("a",), known={"note": 1}), ClipRow("b", path, ("a",))]
        build_manifest([*mixed, ClipRow("c", path, ("a",), known={"note": "high"})])


def test_unknown_labels_are_in_the_vocabulary(tmp_path):
    path = write(tmp_path / "a.wav", tone())
    rows = [
        ClipRow("x", path, ("a", "b"), ("c",), "take 1"),
        ClipRow("y", write(tmp_path / "b.wav", tone()[::-1] ** 2), (), group="take 2"),
    ]
    with pytest.raises(DataError, match=r"not in the vocabulary: 'c' \(1 clips\)"):
        build_manifest(rows)
    manifest = build_manifest(rows, ["a", "b", "c"])
    assert manifest.table["labels"].to_pylist() == [["a", "b"], []]
    assert manifest.table["unknown"].to_pylist() == [["c"], []]
    assert manifest.table["group"].to_pylist() == ["take 1", "take 2"]
    assert manifest.notes[0] == "No clip has the label(s) c."
    twice = [ClipRow("x", path, ("a", "a")), ClipRow("y", path, ("b",), ("b",))]
    with pytest.raises(DataError, match="a label twice, or as both present and unknown: x, y"):
        build_manifest(twice, ["a", "b"])
    with pytest.raises(DataError, match="`labels` must be a tuple of labels, not the text 'flute'"):
        ClipRow("x", path, "flute")


def test_unknown_kinds_are_refused_with_a_hint():
    with pytest.raises(ConfigError, match="did you mean `tinysol`"):
        DATASET_KINDS.find("tinysoll")
    with pytest.raises(ConfigError, match="unknown dataset kind `captions`"):
        DATASET_KINDS.find("captions")
    with pytest.raises(ConfigError, match="must be on PYTHONPATH"):
        DATASET_KINDS.find("no_such_package.kinds:KIND")
    with pytest.raises(ConfigError, match="has no `KIND`"):
        DATASET_KINDS.find("json.decoder:KIND")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "misses the column"),
        (b"path;label\n", "misses the column"),
        (b"path,label\na.wav\n", "line 2 has 1 fields, the header 2"),
        (b"path,label,path\n", "more than one column named path"),
        (b'path,label\n"a.wav,b\n', "cannot be read as csv"),
        ("path,label\nä.wav,b\n".encode("latin-1"), "is not utf-8-sig text"),
    ],
)
def test_bad_csvs(tmp_path, text, reason):
    (tmp_path / "m.csv").write_bytes(text)
    with pytest.raises(DataError, match=reason):
        read_csv(tmp_path / "m.csv", ("path", "label"))


def test_a_csv_keeps_its_line_numbers(tmp_path):
    (tmp_path / "m.csv").write_bytes(b"\xef\xbb\xbfpath , label\r\n a.wav,x\r\n\r\nb.wav, y \r\n")
    assert read_csv(tmp_path / "m.csv", ("path", "label")) == {
        2: {"path": "a.wav", "label": "x"},
        4: {"path": "b.wav", "label": "y"},
    }
