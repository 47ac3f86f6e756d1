"""Manifests that are derived: relabelled, degraded, and TinySOL in the released order."""

import numpy as np
import pyarrow as pa
import pytest
import soundfile
from pydantic import ValidationError

from listenread.datasets import degraded, released_tinysol
from listenread.datasets.base import ClipRow, Places
from listenread.datasets.building import build
from listenread.datasets.checking import build_manifest
from listenread.datasets.manifest import read_manifest, write_manifest
from listenread.datasets.relabelled import take_vectors
from listenread.datasets.tinysol import VOCABULARY
from listenread.errors import DataError
from listenread.files import tables
from listenread.files.material import Source
from listenread.paper import files

COMMIT = "dd3dfd1e3d36f4bff2ce6444b4911df4f7468051"
URL = f"https://raw.githubusercontent.com/YannisBilly/i_can_listen_but_cannot_read/{COMMIT}"


@pytest.fixture
def base(tmp_path):
    """The manifest of three clips, one of which has two labels."""
    path = tmp_path / "a.wav"
    soundfile.write(path, 0.1 * np.ones(8_000), 16_000)
    rows = [
        ClipRow("x", path, ("violin",), ("flute",), known={"family": "Strings", "midi": 1}),
        ClipRow("y", path, ("flute", "violin"), known={"family": "Winds", "midi": 2}),
        ClipRow("z", path, ("drum",), known={"family": None, "midi": 3}),
    ]
    vocabulary = ["violin", "flute", "drum"]
    write_manifest(tmp_path / "base.parquet", build_manifest(rows, vocabulary))
    return tmp_path / "base.parquet"


def relabel(base, column, vocabulary):
    output = base.with_name("relabelled.parquet")
    settings = {"column": column}
    build("relabelled", settings, Places(), output, base_manifest=base, vocabulary=vocabulary)
    return read_manifest(output)


def test_another_column_becomes_the_labels(base):
    manifest = relabel(base, "family", ["Winds", "Strings"])
    assert manifest.vocabulary == ["Winds", "Strings"]
    assert manifest.table["clip_id"].to_pylist() == ["x", "y"]
    assert manifest.table["labels"].to_pylist() == [["Strings"], ["Winds"]]
    assert manifest.table["unknown"].to_pylist() == [[], []]
    original = manifest.table["original_labels"].to_pylist()
    assert original == [["violin"], ["flute", "violin"]]
    assert manifest.notes[-1] == "1 clip(s) have none of these labels and are left out."
    before = read_manifest(base).table
    for name in ("clip_id", "path", "sha256", "midi"):
        assert manifest.table[name].to_pylist() == before[name].to_pylist()[:2]


def test_a_part_of_the_labels(base):
    manifest = relabel(base, "labels", ["flute", "drum"])
    assert manifest.table["clip_id"].to_pylist() == ["y", "z"]
    assert manifest.table["labels"].to_pylist() == [["flute"], ["drum"]]
    assert relabel(base, "labels", ["violin", "flute"]).table["unknown"].to_pylist() == [
        ["flute"],
        [],
    ]


def test_a_relabelled_base_keeps_the_first_labels(base):
    relabel(base, "family", ["Winds", "Strings"])
    again = relabel(base.with_name("relabelled.parquet"), "midi", ["2"])
    assert again.table["original_labels"].to_pylist() == [["flute", "violin"]]
    assert again.table.column_names.count("original_labels") == 1


def test_numbers_become_labels(base):
    assert relabel(base, "midi", ["1", "3"]).table["labels"].to_pylist() == [["1"], ["3"]]


def test_columns_without_such_labels_are_refused(base):
    with pytest.raises(DataError, match="no column 'families' to take labels from; it has clip_id"):
        relabel(base, "families", ["Winds"])
    with pytest.raises(DataError, match=r"'family' has none of \['Keys'\]"):
        relabel(base, "family", ["Keys"])


def test_vectors_of_the_base_are_taken(base):
    relabel(base, "family", ["Winds", "Strings"])
    vectors = np.arange(6, dtype=np.float32).reshape(3, 2)
    columns = {"clip_id": ["z", "y", "x"], "joint": tables.vectors(vectors)}
    source, output = base.with_name("audio.parquet"), base.with_name("taken.parquet")
    tables.write(source, columns, model="m")
    take_vectors(source, base.with_name("relabelled.parquet"), output)
    taken = tables.read(output)
    assert taken.data["clip_id"].to_pylist() == ["y", "x"]
    assert tables.to_numpy(taken.data["joint"]).tolist() == vectors[1:].tolist()
    assert taken.made_by["model"] == "m"
    tables.write_unavailable(source, "ill", model="m")
    take_vectors(source, base.with_name("relabelled.parquet"), output)
    assert tables.read(output).unavailable == "ill"


def degrade(base, output="degraded.parquet", vocabulary=None, **settings):
    settings = {"degradation": "gain", "level": -6.0, "seed": 0, "options": {}} | settings
    output = base.with_name(output)
    build("degraded", settings, Places(), output, base_manifest=base, vocabulary=vocabulary)
    return read_manifest(output)


def test_a_degraded_manifest_is_that_of_its_base_and_says_what_happens(base):
    before, manifest = read_manifest(base), degrade(base)
    assert manifest.table.equals(before.table)
    assert manifest.vocabulary == before.vocabulary
    assert manifest.notes == [
        *before.notes,
        "Every clip is degraded before it is embedded: Gain, gain in dB: -6.",
    ]
    assert manifest.degradations == [
        {"name": "gain", "level": -6.0, "seed": 0, "options": {}},
    ]


def test_degradations_add_up_whatever_is_between_them(base):
    degrade(base, "once.parquet")
    relabel(base.with_name("once.parquet"), "family", ["Winds", "Strings"])
    twice = degrade(base.with_name("relabelled.parquet"), level=3.0)
    assert [step["level"] for step in twice.degradations] == [-6.0, 3.0]
    assert twice.vocabulary == ["Winds", "Strings"]


def test_a_degraded_dataset_may_have_its_own_order_of_classes(base):
    assert degrade(base, vocabulary=["drum", "violin", "flute"]).vocabulary[0] == "drum"
    with pytest.raises(DataError, match=r"not in the vocabulary: violin; it has \['drum', 'flute'"):
        degrade(base, vocabulary=["drum", "flute"])


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"degradation": "gains"}, "did you mean `gain`"),
        ({"options": {"loud": True}}, r"`options\.loud`"),
        ({"level": "loud"}, "level"),
        ({"level": float("nan")}, "level"),
    ],
)
def test_degradations_that_are_impossible_are_refused(changed, reason):
    entry = {"kind": "degraded", "dataset": "x", "degradation": "gain", "level": 1}
    assert degraded.DegradedSettings(**entry).level == 1.0
    with pytest.raises(ValidationError, match=reason):
        degraded.DegradedSettings(**entry | changed)


@pytest.fixture
def released(shared_mirror, tmp_path):
    """The places of the fetched files."""
    (material,) = released_tinysol.KIND.material
    made = {name: tmp_path / path for name, path in material.outputs.items()}
    source = Source(tmp_path / "downloads", str(shared_mirror), URL, retries=0)
    metadata = {"url": "https://zenodo.org/record/3685367/files/TinySOL_metadata.csv?download=1"}
    metadata["md5"] = "a86c9bb115f69e61f2f25872e397fc4a"
    entry = {"kind": "released_tinysol", "metadata": metadata, "vocabulary": {"Oboe": "oboe"}}
    settings = released_tinysol.ReleasedTinysolSettings(**entry)
    used = {name: settings.plain()[name] for name in material.uses}
    material.make(made, used, source)
    return released_tinysol.KIND.locate(settings, made)


def test_manifest_without_audio_has_the_official_folds(released, tmp_path):
    output = tmp_path / "manifest.parquet"
    build("released_tinysol", {}, released, output, vocabulary=VOCABULARY)
    manifest = read_manifest(output)
    assert len(manifest) == 2913
    assert manifest.vocabulary == VOCABULARY
    counts = np.bincount(manifest.table["fold"].to_numpy())
    assert counts.tolist() == [583, 582, 583, 582, 583]
    assert manifest.table["labels"].to_pylist().count(["Accordion"]) == 689
    for name, kind in (("duration_s", pa.float64()), ("sample_rate", pa.int32())):
        assert manifest.table[name].null_count == 2913
        assert manifest.table.schema.field(name).type == kind
    order = files.read_clip_order(released.others["ground_truth"], files.listing())
    assert manifest.table["clip_id"].to_pylist() == order.clip_ids
    assert manifest.table["path"][0].as_py().startswith("Brass/Bass_Tuba/ordinario/")


def test_manifest_refuses_metadata_of_other_clips(released, tmp_path):
    lines = released.metadata.read_text().splitlines()
    (tmp_path / "part.csv").write_text("\n".join(lines[:-2]) + "\n")
    places = Places(metadata=tmp_path / "part.csv", others=released.others)
    with pytest.raises(DataError, match="2 clips are not in the latter"):
        build("released_tinysol", {}, places, tmp_path / "m.parquet", vocabulary=VOCABULARY)
    other = [*VOCABULARY[1:], VOCABULARY[0]]
    with pytest.raises(DataError, match="2913 have another label"):
        build("released_tinysol", {}, released, tmp_path / "m.parquet", vocabulary=other)
    assert not (tmp_path / "m.parquet").exists()
