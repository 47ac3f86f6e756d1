"""Folds as people give them: of whole classes, of a part of the clips, all the same."""

import input_cases
import numpy as np
import pytest

from listenread.datasets.base import Places
from listenread.datasets.building import build
from listenread.datasets.manifest import read_manifest
from listenread.errors import DataError, Unavailable
from listenread.files import tables
from listenread.metrics.base import Resampling
from listenread.tasks import audio_only, probes, runner
from listenread.tasks.cell import Cell
from listenread.tasks.held_out import why_undefined

RESAMPLING = Resampling(20)


def cell_of(folder, manifest):
    """A cell whose vectors are the classes, with a little noise: all can be recognised."""
    table = read_manifest(manifest).table
    classes = sorted({label for labels in table["labels"].to_pylist() for label in labels})
    index = [classes.index(label) for (label,) in table["labels"].to_pylist()]
    noise = np.random.default_rng(0).normal(0, 0.01, (len(index), len(classes)))
    vectors = tables.vectors(np.eye(len(classes))[index] + noise)
    columns = {"clip_id": table["clip_id"], "pre_joint": vectors, "joint": vectors}
    tables.write(folder / "audio.parquet", columns)
    files = {"manifest": manifest, "audio": folder / "audio.parquet"}
    return Cell({"dataset": "own", "model": "m"}, files)


def case(tmp_path):
    """Four classes, each a fold of its own, as a manifest."""
    input_cases.class_fold(tmp_path / "own")
    places = Places(tmp_path / "own", tmp_path / "own" / "metadata.csv")
    build("folder", {}, places, tmp_path / "own.parquet")
    return tmp_path / "own.parquet"


def test_folds_that_are_classes_leave_a_reason_in_place_of_numbers(tmp_path):
    cell = cell_of(tmp_path, case(tmp_path))
    settings = audio_only.TASK.settings(top_k=[1], classification_metrics=[])
    rows = runner.collect(audio_only.TASK, cell, settings, RESAMPLING)
    assert {row["protocol"] for row in rows} == {"published"}
    assert rows[0]["value"] == 1.0
    reason = (
        "protocol corrected: not defined: all clips of clarinet are in fold 2, flute are in fold "
        "0, oboe are in fold 1, violin are in fold 3. No other fold has a clip that such a class "
        "could be learned from; give folds that every class is spread over, or none"
    )
    assert cell.missing == {"corrected": reason}
    with pytest.raises(Unavailable, match="not defined: all clips of clarinet are in fold 2"):
        runner.collect(probes.TASK, cell, probes.TASK.settings(), RESAMPLING)
    output = tmp_path / "metrics.parquet"
    runner.measure_cell("audio_only", cell, {}, {"n": 20}, output)
    assert tables.read(output).made_by["missing_spaces"] == {"corrected": reason}


def test_the_same_under_other_labels(tmp_path):
    case(tmp_path)
    output = tmp_path / "relabelled.parquet"
    settings, base = {"column": "labels"}, tmp_path / "own.parquet"
    build(
        "relabelled", settings, Places(), output, base_manifest=base, vocabulary=["flute", "oboe"]
    )
    cell = cell_of(tmp_path, output)
    settings = audio_only.TASK.settings(top_k=[1], classification_metrics=[])
    rows = runner.collect(audio_only.TASK, cell, settings, RESAMPLING)
    assert {row["protocol"] for row in rows} == {"published"}
    assert "flute are in fold 0, oboe are in fold 1" in cell.missing["corrected"]


def test_folds_that_every_class_is_in_are_used(tmp_path):
    input_cases.codes(tmp_path / "own")
    places = Places(tmp_path / "own", tmp_path / "own" / "metadata.csv")
    build("folder", {}, places, tmp_path / "own.parquet")
    cell = cell_of(tmp_path, tmp_path / "own.parquet")
    settings = audio_only.TASK.settings(top_k=[1], classification_metrics=[])
    rows = runner.collect(audio_only.TASK, cell, settings, RESAMPLING)
    assert {row["protocol"] for row in rows} == {"published", "corrected"}
    assert (cell.missing, {row["value"] for row in rows}) == ({}, {1.0})


def test_one_class_in_one_fold_is_enough():
    labels, folds = np.array([0, 0, 1, 1, 2]), np.array([0, 1, 0, 1, 1])
    assert why_undefined(labels[:4], folds[:4], ["a", "b", "c"]) is None
    assert why_undefined(labels, folds, ["a", "b", "c"]).startswith(
        "not defined: all clips of c are in fold 1."
    )


def test_folds_of_a_part_of_the_clips_are_refused(tmp_path):
    input_cases.class_fold(tmp_path / "own")
    metadata = tmp_path / "own" / "metadata.csv"
    metadata.write_text(metadata.read_text().replace("oboe,1", "oboe,"))
    with pytest.raises(DataError, match="clips without a fold, which others have: clips/oboe_60"):
        build("folder", {}, Places(tmp_path / "own", metadata), tmp_path / "own.parquet")


def test_one_fold_is_said_to_be_none(tmp_path):
    input_cases.class_fold(tmp_path / "own")
    metadata = tmp_path / "own" / "metadata.csv"
    lines = metadata.read_text().splitlines()
    metadata.write_text("\n".join([lines[0], *(f"{line[:-1]}7" for line in lines[1:])]))
    build("folder", {}, Places(tmp_path / "own", metadata), tmp_path / "own.parquet")
    manifest = read_manifest(tmp_path / "own.parquet")
    assert manifest.notes == ["All clips are in one fold, which is as good as none."]
