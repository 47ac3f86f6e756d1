"""TinySOL: the official csv, three genuine files, and what is missing."""

import csv
from pathlib import Path

import pytest

from listenread.datasets import tinysol
from listenread.datasets.checking import build_manifest
from listenread.errors import DataError


@pytest.fixture(scope="module")
def official(shared_mirror):
    return shared_mirror / "zenodo.org/record/3685367/files/TinySOL_metadata.csv"


@pytest.fixture(scope="module")
def audio_root(shared_data):
    return shared_data / "tinysol" / "audio"


def test_the_official_csv_is_whole(official, audio_root):
    rows = tinysol.read_metadata(audio_root, official)
    assert len(rows) == 2_913
    tinysol.check_official(rows)
    folds = [sum(row.fold == fold for row in rows) for fold in range(5)]
    assert folds == [583, 582, 583, 582, 583]
    assert sum(row.known["retuned"] for row in rows) == 640
    assert len({row.clip_id for row in rows}) == 2_913
    for instrument in tinysol.INSTRUMENTS:
        mine = [row for row in rows if row.labels == (instrument.label,)]
        notes = [row.known["midi_note"] for row in mine]
        assert (min(notes), max(notes)) == (instrument.low, instrument.high)
        assert {row.known["family"] for row in mine} == {instrument.family}
        folder = f"{instrument.family}/{instrument.folder}/ordinario"
        assert {row.path.relative_to(audio_root).parent.as_posix() for row in mine} == {folder}
        assert all(row.clip_id.startswith(f"{instrument.abbreviation}-ord-") for row in mine)


def test_a_row_says_what_the_csv_says(official, audio_root):
    rows = {row.clip_id: row for row in tinysol.read_metadata(audio_root, official)}
    row = rows["Cb-ord-A2-mf-2c-N"]
    assert (row.labels, row.path.is_file()) == (("Contrabass",), True)
    assert row.known == {
        "family": "Strings",
        "pitch": "A2",
        "midi_note": 45,
        "dynamics": "mf",
        "instance": row.known["instance"],
        "string": 2,
        "retuned": False,
    }
    assert rows["Fl-ord-C4-mf-N-T14d"].known["retuned"] is True
    assert rows["Fl-ord-C4-mf-N-T14d"].known["string"] is None


def test_three_genuine_files_and_a_clear_account_of_the_rest(official, audio_root):
    rows = tinysol.read_metadata(audio_root, official)
    with pytest.raises(DataError) as error:
        build_manifest(rows, tinysol.VOCABULARY)
    message = str(error.value)
    assert "2910 of 2913 clips cannot be used" in message
    assert "the file does not exist (2910)" in message
    assert "... and 2890 more" in message
    assert len(message.splitlines()) < 30

    manifest = build_manifest(rows, tinysol.VOCABULARY, on_bad_audio="skip")
    assert sorted(manifest.table["clip_id"].to_pylist()) == [
        "Acc-ord-A1-ff-N-T22u",
        "Cb-ord-A2-mf-2c-N",
        "Fl-ord-C4-mf-N-T14d",
    ]
    assert set(manifest.table["sample_rate"].to_pylist()) == {44_100}
    assert all(2 < seconds < 10 for seconds in manifest.table["duration_s"].to_pylist())
    assert len(manifest.skipped) == 2_910
    assert manifest.vocabulary == tinysol.VOCABULARY
    assert "No clip has the label(s) Bass Tuba" in manifest.notes[0]


def test_another_csv_is_not_taken_for_tinysol(official, audio_root):
    rows = tinysol.read_metadata(audio_root, official)
    with pytest.raises(DataError, match=r"2913 clips \(2912 here\)[\s\S]*Bass Tuba: 107 instead"):
        tinysol.check_official(rows[1:])


@pytest.fixture
def csv_with(official, tmp_path):
    def make(column: str, value: str):
        with official.open(newline="") as file:
            records = list(csv.DictReader(file))[:5]
        records[2][column] = value
        path = tmp_path / "m.csv"
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, tinysol.CSV_COLUMNS)
            writer.writeheader()
            writer.writerows(records)
        return path

    return make


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("Fold", "x"),
        ("Pitch ID", ""),
        ("Needed digital retuning", "maybe"),
        ("Path", "../x.wav"),
        ("Path", "/etc/x.wav"),
        ("String ID (if applicable)", "E"),
        ("Instrument (in full)", ""),
    ],
)
def test_values_that_cannot_be_are_named(csv_with, tmp_path, column, value):
    with pytest.raises(DataError) as error:
        tinysol.read_metadata(tmp_path, csv_with(column, value))
    assert f"line 4, column {column!r}: {value!r}" in str(error.value)


def test_other_csvs_are_refused(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text("path,label\na.wav,x\n")
    with pytest.raises(DataError, match="misses the column"):
        tinysol.read_metadata(tmp_path, path)
    with pytest.raises(DataError, match="does not exist"):
        tinysol.read_metadata(tmp_path, tmp_path / "none.csv")


def test_the_official_csv_is_recognised_and_a_part_of_it_refused(shared_mirror, tmp_path):
    metadata = shared_mirror / "zenodo.org/record/3685367/files/TinySOL_metadata.csv"
    assert len(tinysol.read_metadata("audio", metadata, official=True)) == 2913
    lines = metadata.read_text("utf-8").splitlines(keepends=True)
    (tmp_path / "part.csv").write_text("".join(lines[:-5]), "utf-8")
    assert len(tinysol.read_metadata("audio", tmp_path / "part.csv")) == 2908
    with pytest.raises(DataError, match=r"this is not TinySOL 6\.0"):
        tinysol.read_metadata("audio", tmp_path / "part.csv", official=True)


def test_what_is_said_of_the_official_folds_is_so(published_files):
    rows = tinysol.read_metadata(
        Path(), published_files / "zenodo.org/record/3685367/files/TinySOL_metadata.csv"
    )
    folds = {}
    for row in rows:
        folds.setdefault((row.labels, row.known["pitch"]), []).append(row.fold)
    several = [found for found in folds.values() if len(found) > 1]
    divided = sum(len(set(found)) > 1 for found in several)
    assert f"{divided} of the {len(several)} notes" in tinysol.KIND.groups
