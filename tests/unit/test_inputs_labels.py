"""One label written in several ways is one class, in every kind of dataset, and that is said."""

import unicodedata

import input_cases
import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from listenread import ontology, prompts
from listenread.datasets import folder, tinysol
from listenread.datasets.base import ClipRow, Places
from listenread.datasets.building import build
from listenread.datasets.manifest import read_manifest
from listenread.errors import DataError
from listenread.labels import normalise
from listenread.workflow.config import Dataset

DECOMPOSED = unicodedata.normalize("NFD", "flûte")
WAYS = [DECOMPOSED, "flûte ", " flûte", "flû\u200bte", "\ufeffflûte", "fl\u00adûte", "flûte\u200d"]


def made(root, metadata=None, kind="folder", vocabulary=None, **settings):
    output = root / "made.parquet"
    build(kind, settings, Places(root=root, metadata=metadata), output, vocabulary=vocabulary)
    return read_manifest(output)


def write_clips(root, count):
    for number in range(count):
        tone = 0.3 * np.sin(0.05 * (1 + number) * np.arange(4_000))
        soundfile.write(root / f"{number}.wav", tone, 16_000)
    return [f"{number}.wav" for number in range(count)]


def test_a_label_spelt_twice_is_one_class(tmp_path):
    input_cases.spelt_twice(tmp_path / "own")
    manifest = made(tmp_path / "own", tmp_path / "own" / "metadata.csv")
    assert manifest.vocabulary == ["alto clarinet", "flûte", "oboe", "violin"]
    labels = [one for (one,) in manifest.table["labels"].to_pylist()]
    assert [labels.count(label) for label in manifest.vocabulary] == [3, 3, 3, 3]
    assert manifest.notes == [
        "4 spellings of labels were normalised (NFC, single spaces, no invisible characters): "
        "'alto  clarinet' is alto clarinet, 'flu\\u0302te' is flûte, 'oboe\\u200b' is oboe, "
        "'\\ufeffviolin' is violin.",
        "4 labels are written in several ways that look the same, which count as one: "
        "alto clarinet ('alto  clarinet', alto clarinet), flûte ('flu\\u0302te', flûte), "
        "oboe (oboe, 'oboe\\u200b'), violin (violin, '\\ufeffviolin').",
    ]
    settings = folder.FolderSettings(kind="folder", metadata=str(tmp_path / "own/metadata.csv"))
    planned = Dataset("own", "folder", folder.KIND, settings, {}, {}).clips()
    assert {row.labels for row in planned} == {(label,) for label in manifest.vocabulary}


@pytest.mark.parametrize("column", ["labels", "unknown", "group"])
def test_every_column_of_a_csv(tmp_path, column):
    names = write_clips(tmp_path, len(WAYS))
    header, rest = (
        ("path,labels,group", "") if column != "unknown" else ("path,labels,unknown", "x")
    )
    lines = [
        f'"{path}","{way};other",' if column == "labels" else f'"{path}","{rest}","{way}"'
        for path, way in zip(names, WAYS, strict=True)
    ]
    (tmp_path / "m.csv").write_text("\n".join([header, *lines]), "utf-8")
    table = made(tmp_path, tmp_path / "m.csv", vocabulary=["flûte", "other", "x"]).table
    expected = {"labels": ["flûte", "other"], "unknown": ["flûte"], "group": "flûte"}
    assert table[column].to_pylist() == [expected[column]] * len(WAYS)


def test_names_of_folders_and_vocabularies(tmp_path):
    (tmp_path / DECOMPOSED).mkdir()
    write_clips(tmp_path / DECOMPOSED, 2)
    assert made(tmp_path).vocabulary == ["flûte"]
    entry = {"kind": "folder", "root": "x", "vocabulary": {f"{DECOMPOSED} ": "flute"}}
    settings = folder.FolderSettings(**entry, spellings={"long": {DECOMPOSED: "a flute"}})
    assert settings.vocabulary == {"flûte": "flute"}
    assert settings.spellings == {"long": {"flûte": "a flute"}}
    for wrong, reason in (
        ({"flûte": "a", DECOMPOSED: "b"}, "two labels look the same"),
        ({"\u200b": "a"}, "no character that is seen"),
    ):
        with pytest.raises(ValidationError, match=reason):
            folder.FolderSettings(**entry | {"vocabulary": wrong})


def test_a_column_that_becomes_the_labels(tmp_path):
    names = write_clips(tmp_path, len(WAYS))
    lines = [f'"{path}",x,"{way}"' for path, way in zip(names, WAYS, strict=True)]
    (tmp_path / "m.csv").write_text("\n".join(["path,label,kind", *lines]), "utf-8")
    made(tmp_path, tmp_path / "m.csv")
    build(
        "relabelled",
        {"column": "kind"},
        Places(),
        tmp_path / "relabelled.parquet",
        base_manifest=tmp_path / "made.parquet",
        vocabulary=[DECOMPOSED],
    )
    manifest = read_manifest(tmp_path / "relabelled.parquet")
    assert manifest.vocabulary == ["flûte"]
    assert manifest.table["labels"].to_pylist() == [["flûte"]] * len(WAYS)
    assert "'flu\\u0302te' is flûte" in manifest.notes[-2]
    assert manifest.notes[-1].startswith("1 label is written in several ways that look the same")


def test_the_csv_of_tinysol(tmp_path):
    names = write_clips(tmp_path, 2)
    lines = [
        f"{path},{fold},Winds,Fl,{label},ord,ordinario,C4,60,mf,2,0,,FALSE"
        for fold, (path, label) in enumerate(zip(names, ("Flûte", "Flu\u0302te"), strict=True))
    ]
    (tmp_path / "m.csv").write_text("\n".join([",".join(tinysol.CSV_COLUMNS), *lines]), "utf-8")
    assert made(tmp_path, tmp_path / "m.csv", kind="tinysol").vocabulary == ["Flûte"]


def test_definitions_and_ontologies_find_them(tmp_path):
    (tmp_path / "d.csv").write_text(f"label,definition\n{DECOMPOSED}\u200b,A tube.\n", "utf-8")
    assert prompts.definitions(tmp_path / "d.csv", {"flûte": ["flûte"]}) == {"flûte": "A tube."}
    assert ontology.normalise(f" {DECOMPOSED.upper()}\ufeff") == "flûte"


def test_labels_that_differ_in_capitals_are_kept_apart_and_said(tmp_path):
    names = write_clips(tmp_path, 2)
    lines = [f"{path},{label}" for path, label in zip(names, ("Flute", "flute"), strict=True)]
    (tmp_path / "m.csv").write_text("\n".join(["path,label", *lines]), "utf-8")
    manifest = made(tmp_path, tmp_path / "m.csv")
    assert manifest.vocabulary == ["Flute", "flute"]
    assert manifest.notes == [
        "Labels that differ in capitals only are labels of their own: Flute and flute."
    ]


def test_labels_that_are_not_seen_are_refused(tmp_path):
    with pytest.raises(DataError, match="clip 'a' has a label without a character that is seen"):
        ClipRow("a", tmp_path, ("flute", "\u200b"))


@given(st.text())
def test_normalising_twice_changes_nothing(text):
    once = normalise(text)
    assert normalise(once) == once
    assert normalise(unicodedata.normalize("NFD", text)) == once


def test_what_is_written_on_purpose_stays():
    for label in (
        "01",
        "=1+1",
        "<b>",
        "a_b",
        "A-flat",
        "👩\u200d🎤",
        "\u0645\u06cc\u200c\u062e",
        "C♯",
    ):
        assert normalise(label) == label
