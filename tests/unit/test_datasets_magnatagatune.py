"""MagnaTagATune with LP-MusicCaps-MTT: the published layouts, made here, from zip to manifest."""

import hashlib
import io
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile

from listenread.audio import mpeg
from listenread.datasets import magnatagatune
from listenread.datasets.base import Places
from listenread.datasets.building import build
from listenread.datasets.checking import build_manifest
from listenread.datasets.manifest import read_manifest, write_manifest
from listenread.errors import DataError, DownloadError
from listenread.files.download import extract
from listenread.files.material import Source

RATE = 16_000
HOST = "https://mirror.example"
CORRUPT = "35644"


def tone(pitch, seconds, seed):
    """Bytes of a mono MP3 at 16 kHz."""
    time = np.arange(int(seconds * RATE)) / RATE
    noise = 0.02 * np.random.default_rng(seed).standard_normal(len(time))
    content = io.BytesIO()
    soundfile.write(content, 0.4 * np.sin(2 * np.pi * pitch * time) + noise, RATE, format="MP3")
    return content.getvalue()


def record(track_id, pitch, digit):
    """A row of LP-MusicCaps-MTT, all columns of the published files."""
    return {
        "track_id": track_id,
        "title": f"Étude {track_id}",
        "artist_name": "A. Nobody",
        "release": "Tones",
        "tag_top50": ["slow", "synth"],
        "tag_top188": ["slow", "synth", "tone"],
        "caption_writing": f"A slow synth holds a tone of {pitch} hertz.",
        "caption_summary": f"Tone of {pitch} hertz.",
        "caption_paraphrase": f"A synth sustains {pitch} hertz.",
        "caption_attribute_prediction": f"A tone, {pitch} hertz, perhaps electronic.",
        "pseudo_attribute": ["electronic"],
        "path": f"{digit}/a_nobody-tones-{track_id}-study-30-59.mp3",
    }


def publish(mirror, clips, seconds):
    """Write what is published below a mirror folder.

    Args:
        mirror: the folder.
        clips: of each split, pairs of a track id and a pitch in Hz; None makes an empty file.
        seconds: length of the clips.

    Returns:
        The keys of a dataset of the configuration.
    """
    folder = Path(mirror, "mirror.example")
    tables = Path(mirror, "huggingface.co/datasets/somebody/captions/resolve/main/data")
    folder.mkdir(parents=True)
    tables.mkdir(parents=True)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for split, members in clips.items():
            rows = [record(name, pitch, f"{i % 16:x}") for i, (name, pitch) in enumerate(members)]
            for i, (row, (_, pitch)) in enumerate(zip(rows, members, strict=True)):
                archive.writestr(row["path"], tone(pitch, seconds, i) if pitch else b"")
            pq.write_table(pa.Table.from_pylist(rows), tables / f"{split}-00000-of-00001.parquet")
        archive.writestr("f/notes.txt", "no music")
    content = packed.getvalue()
    third = len(content) // 3
    slices = (content[:third], content[third : 2 * third], content[2 * third :])
    parts = []
    for number, part in enumerate(slices, 1):
        (folder / f"mp3.zip.{number:03d}").write_bytes(part)
        digest = hashlib.sha256(part).hexdigest()
        url = f"{HOST}/mp3.zip.{number:03d}"
        parts.append({"url": url, "sha256": digest, "bytes": len(part)})
    captions = {"repository": "somebody/captions", "revision": "main"}
    return {"kind": "magnatagatune", "parts": parts, "captions": captions}


def fetch_all(folder, published, max_bytes=10**9):
    """Fetch clips and captions; gives their folders."""
    settings = magnatagatune.MagnatagatuneSettings(**published, max_extracted_bytes=max_bytes)
    source = Source(folder / "downloads", mirror=str(folder / "mirror"))
    made = {"audio": folder / "audio", "captions": folder / "captions"}
    for material in reversed(magnatagatune.KIND.material):
        used = {key: settings.plain()[key] for key in material.uses}
        material.make({name: made[name] for name in material.outputs}, used, source)
    return made["audio"], made["captions"]


CLIPS = {
    "train": [("2", 220), ("6", 330), (CORRUPT, None), ("10", 440)],
    "valid": [("11", 550), ("12", 660)],
    "test": [("13", 770)],
}


@pytest.fixture
def published(tmp_path):
    return publish(tmp_path / "mirror", CLIPS, 1.0)


def test_from_the_published_files_to_the_manifest(tmp_path, published):
    root, captions = fetch_all(tmp_path, published)
    clips = sorted(path.suffix for path in root.rglob("*") if path.is_file())
    assert clips == [".mp3"] * 7
    assert not (tmp_path / "downloads" / "magnatagatune.zip").exists()

    rows = magnatagatune.read_clips(Places(root, captions), {})
    assert [row.clip_id for row in rows] == ["2", "6", CORRUPT, "10", "11", "12"]
    assert [row.known["split"] for row in rows] == ["train"] * 4 + ["validation"] * 2
    assert rows[1].path == root / "1/a_nobody-tones-6-study-30-59.mp3"
    assert rows[1].labels == ("music",)
    assert rows[1].known == {
        "caption": "A slow synth holds a tone of 330 hertz.",
        "caption_summary": "Tone of 330 hertz.",
        "caption_paraphrase": "A synth sustains 330 hertz.",
        "caption_attribute_prediction": "A tone, 330 hertz, perhaps electronic.",
        "split": "train",
        "title": "Étude 6",
        "artist": "A. Nobody",
    }
    # the folder, its files, and one file alone say the same
    assert magnatagatune.read_captions(root, sorted(captions.rglob("*.parquet"))) == rows
    validation = next(captions.rglob("valid*"))
    assert magnatagatune.read_captions(root, validation) == rows[4:]

    write_manifest(tmp_path / "m.parquet", build_manifest(rows, on_bad_audio="skip"))
    manifest = read_manifest(tmp_path / "m.parquet")
    assert [clip.clip_id for clip in manifest.clips] == ["2", "6", "10", "11", "12"]
    assert [clip["clip_id"] for clip in manifest.skipped] == [CORRUPT]
    assert manifest.table["sample_rate"].to_pylist() == [RATE] * 5
    # MP3 adds the encoder's delay and fills its last frame
    assert all(1.0 <= seconds < 1.2 for seconds in manifest.table["duration_s"].to_pylist())
    with pytest.raises(DataError, match=CORRUPT):
        build_manifest(rows)


def test_the_joined_parts_are_the_zip(tmp_path, published):
    names = [tmp_path / "mirror/mirror.example" / f"mp3.zip.{n:03d}" for n in (1, 2, 3)]
    joined = magnatagatune.join_parts(names, tmp_path / "new" / "mp3.zip")
    assert joined.read_bytes() == b"".join(path.read_bytes() for path in names)
    with zipfile.ZipFile(joined) as archive:
        assert archive.testzip() is None
    swapped = magnatagatune.join_parts([names[1], names[0], names[2]], tmp_path / "swapped.zip")
    with pytest.raises(DownloadError):
        extract(swapped, tmp_path / "out", placed=magnatagatune.place_in_root)


def test_a_missing_part_leaves_what_was_there(tmp_path, published):
    target = tmp_path / "mp3.zip"
    target.write_bytes(b"earlier")
    first = tmp_path / "mirror/mirror.example/mp3.zip.001"
    with pytest.raises(DataError, match=r"mp3\.zip\.009"):
        magnatagatune.join_parts([first, tmp_path / "mp3.zip.009"], target)
    assert target.read_bytes() == b"earlier"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mirror", "mp3.zip"]
    with pytest.raises(DataError, match="no parts"):
        magnatagatune.join_parts([], target)


def test_a_damaged_part_is_refused(tmp_path, published):
    part = tmp_path / "mirror/mirror.example/mp3.zip.002"
    content = bytearray(part.read_bytes())
    content[len(content) // 2] ^= 1
    part.write_bytes(content)
    with pytest.raises(DownloadError, match=r"mp3\.zip\.002 is not the .*its sha256 is"):
        fetch_all(tmp_path, published)
    assert not (tmp_path / "audio").exists()


def test_no_more_is_unpacked_than_allowed(tmp_path, published):
    with pytest.raises(DownloadError, match="max_bytes"):
        fetch_all(tmp_path, published, max_bytes=1000)


@pytest.mark.parametrize(
    ("member", "place"),
    [
        ("f/x-01-title-30-59.mp3", "f/x-01-title-30-59.mp3"),
        ("mp3/0/x.mp3", "0/x.mp3"),
        ("__MACOSX/f/._x.mp3", None),
        ("f/x.txt", None),
        ("x.mp3", None),
        ("f/", None),
    ],
)
def test_place_in_root(member, place):
    assert magnatagatune.place_in_root(member) == place


def write_captions(path, rows):
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def test_captions_may_be_lists_and_ids_numbers(tmp_path):
    row = record(7, 100, "a") | {
        "caption_writing": ["A tone.", "It is low."],
        "caption_summary": None,
        "caption_paraphrase": "  ",
    }
    path = write_captions(tmp_path / "train.parquet", [row])
    (clip,) = magnatagatune.read_captions("root", path)
    assert clip.clip_id == "7"
    assert clip.known["caption"] == "A tone. It is low."
    assert clip.known["caption_summary"] is None
    assert clip.known["caption_paraphrase"] is None


def test_all_impossible_rows_are_named(tmp_path):
    rows = [
        record("1", 100, "a"),
        record("2", 100, "a") | {"path": "../elsewhere.mp3"},
        record("3", 100, "a") | {"path": None},
        record(None, 100, "a"),
    ]
    write_captions(tmp_path / "train.parquet", rows)
    with pytest.raises(DataError) as error:
        magnatagatune.read_captions("root", tmp_path)
    message = str(error.value)
    assert "row 2: path '../elsewhere.mp3' leads out" in message
    assert "row 3: path is None" in message
    assert "row 4: no track_id" in message
    assert "row 1:" not in message


def test_missing_columns_are_named(tmp_path):
    row = record("1", 100, "a")
    del row["path"], row["caption_summary"]
    write_captions(tmp_path / "train.parquet", [row])
    with pytest.raises(DataError, match=r"misses the column\(s\) path, caption_summary; it has tr"):
        magnatagatune.read_captions("root", tmp_path)


def test_files_that_cannot_be_used(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        magnatagatune.read_captions("root", tmp_path / "absent")
    with pytest.raises(DataError, match="no parquet file"):
        magnatagatune.read_captions("root", tmp_path)
    write_captions(tmp_path / "test.parquet", [record("1", 100, "a")])
    with pytest.raises(DataError, match="no parquet file"):
        magnatagatune.read_captions("root", tmp_path)
    (tmp_path / "train.parquet").write_text("<html>")
    with pytest.raises(DataError, match="cannot be read as parquet"):
        magnatagatune.read_captions("root", tmp_path)
    (tmp_path / "train.parquet").unlink()
    write_captions(tmp_path / "captions.parquet", [record("1", 100, "a")])
    with pytest.raises(DataError, match=r"(?s)begins with none of train, valid, test.*captions"):
        magnatagatune.read_captions("root", tmp_path)


def test_clips_without_a_header_frame_are_read_to_their_end(tmp_path, published):
    root, captions = fetch_all(tmp_path, published)
    output, places = tmp_path / "manifest.parquet", Places(root, captions)
    build("magnatagatune", {}, places, output, on_bad_audio="skip")
    before = read_manifest(output)
    assert before.notes[0] == (
        "1 file in the dataset's folder is not used: 0/a_nobody-tones-13-study-30-59.mp3."
    )
    for path in root.rglob("*.mp3"):
        content = path.read_bytes()
        if content:
            stream = mpeg.find_stream(content)
            end = content.index(content[stream.start : stream.start + 2], stream.counter)
            path.write_bytes(content[end:])
    build("magnatagatune", {}, places, output, on_bad_audio="skip")
    after = read_manifest(output)
    assert after.table["clip_id"].to_pylist() == before.table["clip_id"].to_pylist()
    longer = after.table["duration_s"].to_numpy() - before.table["duration_s"].to_numpy()
    assert (longer >= 0).all() and longer.max() < 0.15  # the delay of the codec, and its padding
