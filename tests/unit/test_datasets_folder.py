"""A researcher's own clips."""

import csv
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from listenread.datasets import folder
from listenread.datasets.base import vocabulary_of
from listenread.datasets.checking import build_manifest
from listenread.errors import DataError
from listenread.files.sounds import SUFFIXES
from listenread.workflow.config import Dataset


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    sound = np.random.default_rng(list(path.name.encode())).uniform(-0.1, 0.1, 8_000)
    soundfile.write(path, sound, 16_000)
    return path


def write_csv(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def test_the_132_real_recordings(shared_data):
    root = shared_data / "iowa"
    rows = folder.read_folder(root, root / "metadata.csv")
    assert len(rows) == 132
    assert set(Counter(row.labels for row in rows).values()) == {12}
    assert vocabulary_of(rows) == sorted({label for row in rows for label in row.labels})
    with (root / "metadata.csv").open() as file:
        listed = [record["path"] for record in csv.DictReader(file)]
    assert [row.path for row in rows] == [root / path for path in listed]
    manifest = build_manifest(rows, on_bad_audio="skip")
    # One of the recordings is a cut of 256 samples of noise: it cannot be a bassoon's note.
    assert [(clip["clip_id"], clip["reason"][:13]) for clip in manifest.skipped] == [
        ("audio/bassoon/note-59", "lasts 0.006 s")
    ]
    assert len(manifest) == 131


def test_the_same_recordings_by_their_folders(shared_data):
    rows = folder.read_folder(shared_data / "iowa" / "audio")
    assert len(rows) == 132
    assert len(vocabulary_of(rows)) == 11
    assert Counter(row.labels for row in rows)[("tenor-trombone",)] == 12


def test_folds_and_further_columns_are_kept(tmp_path):
    for name in ("a.wav", "b.wav", "sub/c.wav"):
        touch(tmp_path / name)
    text = (
        "path,label,fold,midi_note,gain,player,empty\n"
        "a.wav,flute,0,60,1.5,Ann,\n"
        "b.wav, oboe ,,,2,,\n"
        "sub/c.wav,flute,3,72,,Bo,\n"
    )
    rows = folder.read_folder(None, write_csv(tmp_path / "m.csv", text))
    assert [row.clip_id for row in rows] == ["a", "b", "sub/c"]
    assert [row.labels for row in rows] == [("flute",), ("oboe",), ("flute",)]
    with pytest.raises(DataError, match="clips without a fold, which others have: b"):
        build_manifest(rows)
    write_csv(tmp_path / "m.csv", text.replace("oboe ,,,", "oboe ,2,,"))
    rows = folder.read_folder(None, tmp_path / "m.csv")
    table = build_manifest(rows, working_directory=tmp_path).table
    assert table["path"].to_pylist() == ["a.wav", "b.wav", "sub/c.wav"]
    assert table["fold"].to_pylist() == [0, 2, 3]
    assert table["midi_note"].to_pylist() == ["60", None, "72"]
    assert table["gain"].to_pylist() == ["1.5", "2", None]
    assert table["player"].to_pylist() == ["Ann", None, "Bo"]
    assert table["empty"].to_pylist() == [None, None, None]


def test_own_clip_ids(tmp_path):
    touch(tmp_path / "a.wav")
    touch(tmp_path / "a.flac")
    text = "path,label\na.wav,x\na.flac,x\n"
    rows = folder.read_folder(None, write_csv(tmp_path / "m.csv", text))
    with pytest.raises(DataError, match="more than once: a"):
        build_manifest(rows)
    text = "clip_id,path,label\none,a.wav,x\ntwo,a.flac,x\n"
    rows = folder.read_folder(None, write_csv(tmp_path / "m.csv", text))
    assert build_manifest(rows).table["clip_id"].to_pylist() == ["one", "two"]


def test_all_bad_lines_are_listed(tmp_path):
    text = (
        "path,label,fold\n"
        "a.wav,x,1\n"
        "a.wav,y,1\n"
        ",x,1\n"
        "b.wav,,1\n"
        "../c.wav,x,1\n"
        "/etc/d.wav,x,1\n"
        "e.wav,x,first\n"
    )
    with pytest.raises(DataError) as error:
        folder.read_folder(tmp_path, write_csv(tmp_path / "m.csv", text))
    message = str(error.value)
    for line, reason in {
        3: "already on line 2",
        4: "must not be empty",
        5: "must not be empty",
        6: "lies outside",
        7: "lies outside",
        8: "'first' is not a whole number",
    }.items():
        assert any(
            f"line {line}:" in shown and reason in shown for shown in message.splitlines()
        ), line


def test_clips_may_lie_below_the_root_that_is_named(tmp_path):
    touch(tmp_path / "audio" / "a.wav")
    (tmp_path / "lists").mkdir()
    metadata = write_csv(tmp_path / "lists" / "m.csv", "path,label\n../audio/a.wav,x\n")
    with pytest.raises(DataError, match="set the key `root`"):
        folder.read_folder(None, metadata)
    assert len(build_manifest(folder.read_folder(tmp_path / "audio", metadata))) == 1


def test_encodings(tmp_path):
    touch(tmp_path / "ä.wav")
    metadata = write_csv(tmp_path / "m.csv", "path,label\nä.wav,Flöte\n", "latin-1")
    with pytest.raises(DataError, match="key `encoding`"):
        folder.read_folder(None, metadata)
    assert folder.read_folder(None, metadata, encoding="latin-1")[0].labels == ("Flöte",)
    with pytest.raises(DataError, match="unknown encoding"):
        folder.read_folder(None, metadata, encoding="latin-99")


def test_missing_things(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        folder.read_folder(None, tmp_path / "none.csv")
    with pytest.raises(DataError, match="does not exist"):
        folder.read_folder(tmp_path / "none")
    with pytest.raises(DataError, match="no sound files in folders"):
        folder.read_folder(tmp_path)
    with pytest.raises(DataError, match="`root` or the key `metadata`"):
        folder.read_folder(None)


def test_folders_are_labels_at_any_depth_and_junk_is_no_clip(tmp_path):
    for name in ("flute/b.wav", "flute/deep/a.WAV", "oboe/c.flac", "oboe/._c.wav", ".x/d.wav"):
        touch(tmp_path / name)
    (tmp_path / "oboe" / "notes.txt").write_text("hello")
    rows = folder.read_folder(tmp_path)
    assert [(row.clip_id, row.labels) for row in rows] == [
        ("flute/b", ("flute",)),
        ("flute/deep/a", ("flute",)),
        ("oboe/c", ("oboe",)),
    ]


def test_suffixes_are_formats_that_libsndfile_reads():
    known = {f".{name.lower()}" for name in soundfile.available_formats()}
    aliases = {".aif": ".aiff", ".aifc": ".aiff", ".oga": ".ogg", ".opus": ".ogg"}
    aliases |= {".snd": ".au", ".wave": ".wav"}
    assert {aliases.get(suffix, suffix) for suffix in SUFFIXES} <= known


def test_the_manifest_is_the_same_from_another_directory(tmp_path, monkeypatch):
    touch(tmp_path / "a.wav")
    write_csv(tmp_path / "m.csv", "path,label\na.wav,x\n")
    monkeypatch.chdir(tmp_path)
    relative = build_manifest(folder.read_folder(None, "m.csv"))
    absolute = build_manifest(folder.read_folder(None, tmp_path / "m.csv"))
    assert relative.table.equals(absolute.table)
    assert relative.table["path"].to_pylist() == ["a.wav"]
    assert os.path.exists(relative.clips[0].path)  # noqa: PTH110


def test_several_labels_unknown_ones_and_groups(tmp_path):
    text = (
        "path,labels,unknown,group,player\n"
        "a.wav,flute; oboe,,one,Ann\n"
        "b.wav,,flute;;cello ,,Bo\n"
        "c.wav,oboe,,one,\n"
    )
    rows = folder.read_folder(None, write_csv(tmp_path / "m.csv", text))
    assert [row.labels for row in rows] == [("flute", "oboe"), (), ("oboe",)]
    assert [row.unknown for row in rows] == [(), ("flute", "cello"), ()]
    assert [row.group for row in rows] == ["one", None, "one"]
    assert [dict(row.known) for row in rows] == [
        {"player": "Ann"},
        {"player": "Bo"},
        {"player": None},
    ]


def test_one_label_may_have_a_semicolon(tmp_path):
    text = "path,label,group\na.wav,low; high,\n"
    (row,) = folder.read_folder(None, write_csv(tmp_path / "m.csv", text))
    assert (row.labels, row.unknown, row.group) == (("low; high",), (), None)


def test_a_csv_has_one_column_of_labels(tmp_path):
    with pytest.raises(DataError, match="has the columns label and labels"):
        folder.read_folder(None, write_csv(tmp_path / "m.csv", "path,label,labels\na.wav,x,x\n"))
    with pytest.raises(DataError, match=r"misses the column\(s\) label or labels"):
        folder.read_folder(None, write_csv(tmp_path / "m.csv", "path,class\na.wav,x\n"))


def test_clips_that_exist_are_tracked_if_wanted(tmp_path):
    touch(tmp_path / "a.wav")
    metadata = write_csv(tmp_path / "m.csv", "path,label\na.wav,x\nb.wav,x\n")

    def tracked(**more):
        settings = folder.FolderSettings(kind="folder", metadata=str(metadata), **more)
        return Dataset("own", "folder", folder.KIND, settings, {}, {}).clip_files()

    assert tracked() == [str(tmp_path / "a.wav")]
    assert tracked(track_clips=False) == []
