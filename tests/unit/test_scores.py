"""Similarities and the files that they stand in."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import (
    average_precision_score,
    precision_recall_fscore_support,
    roc_auc_score,
)
from sklearn.metrics.pairwise import cosine_similarity
from small_cell import KEYS, write_cell

from listenread import scores
from listenread.errors import DataError, Unavailable
from listenread.files import tables
from listenread.tasks import tidy
from listenread.tasks.cell import Cell
from listenread.tasks.runner import measure_cell


def write_audio(path, n, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(n, 6))
    columns = {"pre_joint": tables.vectors(vectors), "joint": tables.vectors(vectors)}
    tables.write(path, {"clip_id": [f"clip{i}" for i in range(n)], **columns})
    return vectors


def cell_of(folder, labels, classes):
    """The cell of the scores in a folder; clip i has label i."""
    cell = write_cell(folder, labels, classes)
    return Cell(KEYS, {**cell.files, "scores": folder / "s.parquet"})


def write_text(path, labels, variants=None, seed=1):
    vectors = np.random.default_rng(seed).normal(size=(len(labels), 6))
    columns = {"label": labels, "text": labels}
    if variants is not None:
        columns["variant"] = variants
    tables.write(path, {**columns, "joint": tables.vectors(vectors)})
    return vectors


def test_cosines_agree_with_scikit_learn():
    rng = np.random.default_rng(3)
    audio, text = rng.normal(size=(20, 7)), rng.normal(size=(4, 7))
    found = scores.cosine_similarities(audio, text)
    np.testing.assert_allclose(found, cosine_similarity(audio, text), atol=1e-6)
    assert found.dtype == np.float32


def test_a_prompts_scores_have_one_column_per_class_in_vocabulary_order(tmp_path):
    audio = write_audio(tmp_path / "a.parquet", 3)
    text = write_text(tmp_path / "t.parquet", ["b", "a"])
    scores.score_prompt(tmp_path / "a.parquet", tmp_path / "t.parquet", tmp_path / "s.parquet")
    table = tables.read(tmp_path / "s.parquet").data
    assert table.column_names == ["clip_id", "b", "a"]
    found = scores.read_scores(tmp_path / "s.parquet")
    assert (found.clip_ids, found.classes) == (["clip0", "clip1", "clip2"], ["b", "a"])
    assert found.templates == []
    np.testing.assert_allclose(found.values[0], cosine_similarity(audio, text), atol=1e-6)


def test_variants_come_back_as_blocks(tmp_path):
    audio = write_audio(tmp_path / "a.parquet", 3)
    text = write_text(tmp_path / "t.parquet", ["x", "y", "x", "y"], [0, 0, 1, 1])
    scores.score_prompt(tmp_path / "a.parquet", tmp_path / "t.parquet", tmp_path / "s.parquet")
    found = scores.read_scores(tmp_path / "s.parquet")
    assert found.values.shape == (2, 3, 2)
    assert found.clip_ids == ["clip0", "clip1", "clip2"]
    np.testing.assert_allclose(found.values[1], cosine_similarity(audio, text[2:]), atol=1e-6)


@pytest.mark.parametrize("variants", [None, [0, 0, 1, 1]])
def test_scores_of_many_clips_are_those_of_all_at_once(tmp_path, variants):
    """More clips than are written at a time."""
    n = 2 * tables.ROW_GROUP + 5
    audio = write_audio(tmp_path / "a.parquet", n)
    text = write_text(
        tmp_path / "t.parquet", ["x", "y", "x", "y"][: len(variants or "xy")], variants
    )
    scores.score_prompt(tmp_path / "a.parquet", tmp_path / "t.parquet", tmp_path / "s.parquet")
    found = scores.read_scores(tmp_path / "s.parquet")
    assert found.clip_ids == [f"clip{i}" for i in range(n)]
    for number, variant in enumerate(found.values):
        expected = cosine_similarity(audio, text[2 * number : 2 * number + 2])
        np.testing.assert_allclose(variant, expected, atol=1e-6)
    ids = tables.read(tmp_path / "s.parquet").data["clip_id"].to_pylist()
    assert ids == found.clip_ids * len(found.values)


def test_vectors_of_the_other_space_are_not_read(tmp_path):
    write_audio(tmp_path / "a.parquet", 2)
    read = tables.read(tmp_path / "a.parquet", ["clip_id"], only=["joint", "clip_id", "variant"])
    assert read.data.column_names == ["clip_id", "joint"]


def test_what_is_empty_on_purpose_stays_so_to_the_end(tmp_path):
    write_audio(tmp_path / "a.parquet", 2)
    tables.write_unavailable(tmp_path / "t.parquet", "not released")
    scores.score_prompt(tmp_path / "a.parquet", tmp_path / "t.parquet", tmp_path / "s.parquet")
    with pytest.raises(Unavailable, match="not released"):
        scores.read_scores(tmp_path / "s.parquet")
    measured, per_class = tmp_path / "m.parquet", tmp_path / "c.parquet"
    cell = cell_of(tmp_path, "xy", "xy")
    measure_cell("zero_shot", cell, {"top_k": [1]}, {"n": 5}, measured, per_class)
    assert tables.read(per_class).unavailable == "not released"
    tidy.gather([tmp_path / "m.parquet"], tmp_path / "all.parquet", tmp_path / "all.csv")
    together = tables.read(tmp_path / "all.parquet")
    assert together.data.num_rows == 0
    assert together.data.schema.names == tidy.TIDY.names
    assert together.made_by["unavailable_cells"] == [
        {**KEYS, "task": "zero_shot", "space": None, "why": "not released"}
    ]


def test_a_label_outside_the_classes_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"label\(s\) \['z'\] are not among the classes"):
        cell_of(tmp_path, "xz", "xy").target(["clip0", "clip1"])
    with pytest.raises(DataError, match="clip 'other' is not in"):
        cell_of(tmp_path, "xy", "xy").target(["clip0", "other"])


def test_measured_rows_are_tidy_and_inside_their_interval(tmp_path):
    rng = np.random.default_rng(0)
    labels = [name for name in "abcd" for _ in range(20)]
    write_audio(tmp_path / "a.parquet", len(labels), seed=int(rng.integers(100)))
    write_text(tmp_path / "t.parquet", list("abcd"))
    scores.score_prompt(tmp_path / "a.parquet", tmp_path / "t.parquet", tmp_path / "s.parquet")
    measure_cell(
        "zero_shot", cell_of(tmp_path, labels, "abcd"), {"top_k": [1, 2], "permutations": 100},
        {"n": 200, "seed": 1}, tmp_path / "m.parquet", tmp_path / "c.parquet",
    )  # fmt: skip
    every = tables.read(tmp_path / "m.parquet").data.to_pandas()
    metrics = ["top_1", "top_2", "f1_weighted", "f1_macro", "roc_auc_macro", "pr_auc_macro"]
    by_luck = every[every["task"] == "chance_by_permutation"].set_index("metric")
    assert by_luck.index.tolist() == metrics
    assert by_luck.loc["top_1", "value"] == pytest.approx(0.25, abs=0.03)
    assert by_luck.loc["roc_auc_macro", "ci_low"] < 0.5 < by_luck.loc["roc_auc_macro", "ci_high"]
    frame = every[every["task"] == "zero_shot"]
    assert frame["metric"].tolist() == metrics
    assert (frame["ci_low"] <= frame["value"]).all() and (frame["value"] <= frame["ci_high"]).all()
    assert set(frame["n"]) == {80}
    assert frame.loc[frame.metric == "top_1", "chance"].item() == 0.25


def test_each_class_is_scored_as_scikit_learn_does(tmp_path):
    """Another implementation on the same scores, with a class that no clip has."""
    labels = [name for name, n in (("a", 12), ("b", 7), ("d", 21)) for _ in range(n)]
    write_audio(tmp_path / "a.parquet", len(labels), seed=5)
    write_text(tmp_path / "t.parquet", list("abcd"))
    scores.score_prompt(tmp_path / "a.parquet", tmp_path / "t.parquet", tmp_path / "s.parquet")
    measure_cell(
        "zero_shot", cell_of(tmp_path, labels, "abcd"), {"top_k": [1, 3], "permutations": 0},
        {"n": 50, "confidence_level": 0.9, "seed": 1},
        tmp_path / "m.parquet", tmp_path / "c.parquet",
    )  # fmt: skip
    tidy.gather(
        [tmp_path / "c.parquet"], tmp_path / "all.parquet", tmp_path / "all.csv", tidy.PER_CLASS
    )
    frame = pd.read_csv(tmp_path / "all.csv")
    (values,) = scores.read_scores(tmp_path / "s.parquet").values
    truth = np.array(["abcd".index(label) for label in labels])
    found = frame.pivot(index="label", columns="metric", values="value")
    precision, recall, f1, support = precision_recall_fscore_support(
        truth, values.argmax(axis=1), labels=range(4), zero_division=np.nan
    )
    for index, label in enumerate("abcd"):
        own = frame[frame["label"] == label]
        assert set(own["n"]) == {support[index]}
        if label == "c":
            assert own["value"].isna().all()
            continue
        assert found.loc[label, "recall"] == pytest.approx(recall[index])
        assert found.loc[label, "precision"] == pytest.approx(precision[index], nan_ok=True)
        assert found.loc[label, "f1"] == pytest.approx(f1[index])
        is_own = truth == index
        assert found.loc[label, "roc_auc"] == pytest.approx(roc_auc_score(is_own, values[:, index]))
        assert found.loc[label, "pr_auc"] == pytest.approx(
            average_precision_score(is_own, values[:, index])
        )
        among_three = (np.argsort(-values[is_own], axis=1)[:, :3] == index).any(axis=1).mean()
        assert found.loc[label, "top_3"] == pytest.approx(among_three)
        bounded = own[own["interval"] != "not defined"]
        assert {"roc_auc", "recall"} <= set(bounded["metric"])
        assert (bounded["ci_low"] <= bounded["ci_high"]).all()
    # What is said of the classes adds up to what is said of all.
    whole = tables.read(tmp_path / "m.parquet").data.to_pandas().set_index("metric")["value"]
    weights = support / support.sum()
    assert np.nansum(found["recall"] * weights) == pytest.approx(whole["top_1"])
    assert found["f1"].mean() == pytest.approx(whole["f1_macro"])
    assert found["roc_auc"].mean() == pytest.approx(whole["roc_auc_macro"])


def test_folds_are_found_by_clip_and_not_by_position(tmp_path):
    def folds(*given):
        return write_cell(tmp_path, "x" * len(given), "x", folds=given).folds

    assert folds(0, 1, 2)(["clip2", "clip0", "clip1"]).tolist() == [2, 0, 1]
    assert folds(0, None)(["clip0", "clip1"]) is None
    assert folds(1, 1)(["clip0", "clip1"]) is None
