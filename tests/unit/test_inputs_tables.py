"""Tables as people and spreadsheets write them: what is written is what is read."""

import input_cases
import numpy as np
import pytest
import soundfile

from listenread.datasets import folder, tinysol
from listenread.datasets.base import Places
from listenread.datasets.building import build
from listenread.datasets.csv_files import number, read_csv, whole_number
from listenread.datasets.manifest import read_manifest
from listenread.errors import DataError
from listenread.workflow.config import Dataset

CODES = ["01", "1", "1_1", "007", "1e5", "nan", "+1", "1.0", "NA", "true", "0x1F"]


def made(root, metadata=None, **settings):
    """The manifest of a folder dataset, as the workflow makes it."""
    places = Places(root=root, metadata=metadata)
    build("folder", settings, places, root / "own.parquet")
    return read_manifest(root / "own.parquet")


def relabelled(base, column, vocabulary):
    output = base.with_name("relabelled.parquet")
    settings = {"column": column}
    build("relabelled", settings, Places(), output, base_manifest=base, vocabulary=vocabulary)
    return read_manifest(output)


def write_clips(root, names):
    for number_, name in enumerate(names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        tone = 0.3 * np.sin(0.05 * (1 + number_) * np.arange(2_000))
        soundfile.write(path, tone, 8_000)


def test_codes_stay_four_labels(tmp_path):
    input_cases.codes(tmp_path / "own")
    root = tmp_path / "own"
    made(root, root / "metadata.csv")
    codes = ["01", "1", "1_1", "007"]
    manifest = relabelled(root / "own.parquet", "code", codes)
    labels = manifest.table["labels"].to_pylist()
    assert labels == [[code] for code in codes for take in range(3)]
    assert manifest.table["original_labels"].to_pylist()[3] == ["oboe"]


@pytest.mark.parametrize("column", ["code", "group", "label", "labels", "unknown"])
def test_codes_stay_in_every_column(tmp_path, column):
    write_clips(tmp_path, [f"{row}.wav" for row in range(len(CODES))])
    header = "path,labels,unknown" if column == "unknown" else "path,labels,code"
    header = header.replace("labels", "label") if column not in ("labels", "unknown") else header
    header = header.replace("code", column) if column == "group" else header
    lines = [f"{row}.wav,{code},{CODES[row - 1]}" for row, code in enumerate(CODES)]
    (tmp_path / "m.csv").write_text("\n".join([header, *lines]) + "\n")
    table = made(tmp_path, tmp_path / "m.csv").table
    if column in ("label", "labels"):
        assert table["labels"].to_pylist() == [[code] for code in CODES]
    else:
        shifted = CODES[-1:] + CODES[:-1]
        wanted = [[code] for code in shifted] if column == "unknown" else shifted
        assert table[column].to_pylist() == wanted


def test_codes_stay_as_names_of_folders(tmp_path):
    write_clips(tmp_path, [f"{code}/{take}.wav" for code in CODES for take in "ab"])
    assert made(tmp_path).vocabulary == sorted(CODES)
    manifest = relabelled(tmp_path / "own.parquet", "labels", ["01", "1"])
    assert manifest.table["labels"].to_pylist() == [["01"], ["01"], ["1"], ["1"]]


def test_columns_that_are_declared_are_numbers(tmp_path):
    write_clips(tmp_path, ["a.wav", "b.wav", "c.wav"])
    text = "path,label,midi_note,gain,code\na.wav,x,060,1.5,01\nb.wav,x,,-2e-1,\nc.wav,x,72.0,,2\n"
    (tmp_path / "m.csv").write_text(text)
    table = made(tmp_path, tmp_path / "m.csv", numbers=["midi_note", "gain"]).table
    assert table["midi_note"].to_pylist() == [60, None, 72]
    assert table["gain"].to_pylist() == [1.5, -0.2, None]
    assert table["code"].to_pylist() == ["01", None, "2"]
    assert made(tmp_path, tmp_path / "m.csv").table["midi_note"].to_pylist() == [
        "060",
        None,
        "72.0",
    ]
    with pytest.raises(DataError, match="no further column pitch, which the key `numbers` names"):
        folder.read_folder(None, tmp_path / "m.csv", numbers=["pitch"])
    (tmp_path / "m.csv").write_text("path,label,midi_note\na.wav,x,1_1\nb.wav,x,nan\n")
    with pytest.raises(DataError) as error:
        folder.read_folder(None, tmp_path / "m.csv", numbers=["midi_note"])
    assert "line 2, column 'midi_note': '1_1' is not a number" in str(error.value)
    assert "line 3, column 'midi_note': 'nan' is not a number" in str(error.value)


@pytest.mark.parametrize(
    ("fields", "folds"),
    [
        (("0", "1", "2"), [0, 1, 2]),
        (("1.0", "2.0", ""), [1, 2, None]),
        (("01", "2.", "10.000"), [1, 2, 10]),
    ],
)
def test_folds_as_pandas_and_spreadsheets_write_them(tmp_path, fields, folds):
    lines = [f"{row}.wav,x,{fold}" for row, fold in enumerate(fields)]
    (tmp_path / "m.csv").write_text("\n".join(["path,label,fold", *lines]) + "\n")
    rows = folder.read_folder(None, tmp_path / "m.csv")
    assert [row.fold for row in rows] == folds


@pytest.mark.parametrize("fold", ["1.5", "-1", "one", "1e0", "1_0", "32768", "nan", "٣"])
def test_folds_that_are_not_folds_are_refused(tmp_path, fold):
    (tmp_path / "m.csv").write_text(f"path,label,fold\na.wav,x,{fold}\n", "utf-8")
    with pytest.raises(DataError, match=r"line 2: fold .* is not a whole number from 0 to 32767"):
        folder.read_folder(None, tmp_path / "m.csv")


def test_tinysols_numbers_as_pandas_writes_them(tmp_path, published_files):
    (genuine,) = published_files.rglob("TinySOL_metadata.csv")
    lines = genuine.read_text("utf-8").splitlines()[:30]
    (tmp_path / "as_published.csv").write_text("\n".join(lines) + "\n", "utf-8")
    rows = read_csv(tmp_path / "as_published.csv", tinysol.CSV_COLUMNS).values()
    numbers = {"Fold", "Pitch ID", "Instance ID"}
    written = [
        ",".join(f"{value}.0" if name in numbers else value for name, value in row.items())
        for row in rows
    ]
    (tmp_path / "by_pandas.csv").write_text("\n".join([",".join(tinysol.CSV_COLUMNS), *written]))
    again = tinysol.read_metadata(tmp_path, tmp_path / "by_pandas.csv")
    assert again == tinysol.read_metadata(tmp_path, tmp_path / "as_published.csv")


def test_a_field_may_be_quoted_after_a_space(tmp_path):
    (tmp_path / "m.csv").write_text(
        'path, "label", fold\n a.wav, "flute, alto", 1\n"b.wav",  "oboe",\n'
    )
    first, second = folder.read_folder(None, tmp_path / "m.csv")
    assert (first.path.name, first.labels, first.fold) == ("a.wav", ("flute, alto",), 1)
    assert (second.labels, second.fold) == (("oboe",), None)


def test_the_key_that_the_message_about_an_encoding_names_works(tmp_path):
    path = tmp_path / "m.csv"
    path.write_bytes("path,label\na.wav,Flöte\n".encode("latin-1"))

    def dataset(**more):
        settings = folder.FolderSettings(kind="folder", metadata=str(path), **more)
        return Dataset("own", "folder", folder.KIND, settings, {}, {})

    with pytest.raises(DataError, match="the dataset's key `encoding`"):
        dataset().clips()
    assert dataset(encoding="latin-1").clips()[0].labels == ("Flöte",)


def test_numbers_are_read_as_written():
    assert [whole_number(text) for text in ("0", "-3", "+4", "12.00")] == [0, -3, 4, 12]
    assert [number(text) for text in ("1", "-.5", "2.", "1e3")] == [1.0, -0.5, 2.0, 1000.0]
    for text in ("", "1_1", "nan", "inf", "0x1", "1,5", "9" * 400, " 1"):
        with pytest.raises(ValueError, match=r"not a number|too large"):
            number(text)
        with pytest.raises(ValueError, match="not a whole number"):
            whole_number(text)
    with pytest.raises(ValueError, match="below"):
        whole_number("9223372036854775808")
