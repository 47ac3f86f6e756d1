"""Similarities and the files that they stand in."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.metrics import (
    average_precision_score,
    precision_recall_fscore_support,
    roc_auc_score,
)
from sklearn.metrics.pairwise import cosine_similarity

from listenread import scores
from listenread.datasets.manifest import Manifest
from listenread.errors import ListenreadError
from listenread.files import tables
from listenread.tasks import classification, tidy
from listenread.tasks.zero_shot import measure_zero_shot


def write_audio(path, labels, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(len(labels), 6))
    ids = [f"clip{i}" for i in range(len(labels))]
    columns = {"pre_joint": tables.vectors(vectors), "joint": tables.vectors(vectors)}
    tables.write(path, {"clip_id": ids, "label": labels, **columns})
    return vectors


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
    audio = write_audio(tmp_path / "a.parquet", ["b", "a", "b"])
    text = write_text(tmp_path / "t.parquet", ["b", "a"])
    scores.score_prompt(tmp_path / "a.parquet", tmp_path / "t.parquet", tmp_path / "s.parquet")
    table = tables.read(tmp_path / "s.parquet").data
    assert table.column_names == ["clip_id", "label", "b", "a"]
    values, labels, classes = scores.read_scores(tmp_path / "s.parquet")
    assert classes == ["b", "a"]
    assert labels.tolist() == [0, 1, 0]
    np.testing.assert_allclose(values[0], cosine_similarity(audio, text), atol=1e-6)


def test_variants_come_back_as_blocks(tmp_path):
    audio = write_audio(tmp_path / "a.parquet", ["x", "y", "x"])
    text = write_text(tmp_path / "t.parquet", ["x", "y", "x", "y"], [0, 0, 1, 1])
    scores.score_prompt(tmp_path / "a.parquet", tmp_path / "t.parquet", tmp_path / "s.parquet")
    values, labels, _ = scores.read_scores(tmp_path / "s.parquet")
    assert values.shape == (2, 3, 2)
    assert labels.tolist() == [0, 1, 0]
    np.testing.assert_allclose(values[1], cosine_similarity(audio, text[2:]), atol=1e-6)


@pytest.mark.parametrize("variants", [None, [0, 0, 1, 1]])
def test_scores_of_many_clips_are_those_of_all_at_once(tmp_path, variants):
    """More clips than are written at a time."""
    n = 2 * tables.ROW_GROUP + 5
    labels = ["x", "y"] * (n // 2) + ["x"] * (n % 2)
    audio = write_audio(tmp_path / "a.parquet", labels)
    text = write_text(
        tmp_path / "t.parquet", ["x", "y", "x", "y"][: len(variants or "xy")], variants
    )
    scores.score_prompt(tmp_path / "a.parquet", tmp_path / "t.parquet", tmp_path / "s.parquet")
    values, found, _ = scores.read_scores(tmp_path / "s.parquet")
    assert found.tolist() == [label == "y" for label in labels]
    for number, variant in enumerate(values):
        expected = cosine_similarity(audio, text[2 * number : 2 * number + 2])
        np.testing.assert_allclose(variant, expected, atol=1e-6)
    ids = tables.read(tmp_path / "s.parquet").data["clip_id"].to_pylist()
    assert ids == [f"clip{i}" for i in range(n)] * len(values)


def test_vectors_of_the_other_space_are_not_read(tmp_path):
    write_audio(tmp_path / "a.parquet", ["x", "y"])
    read = tables.read(tmp_path / "a.parquet", ["clip_id"], only=["joint", "label", "variant"])
    assert read.data.column_names == ["label", "joint"]


def test_what_is_empty_on_purpose_stays_so_to_the_end(tmp_path):
    write_audio(tmp_path / "a.parquet", ["x", "y"])
    tables.write_unavailable(tmp_path / "t.parquet", "not released")
    scores.score_prompt(tmp_path / "a.parquet", tmp_path / "t.parquet", tmp_path / "s.parquet")
    keys = {"dataset": "d", "model": "m", "prompt": "p"}
    settings = {"top_k": [1], "resamples": 5, "confidence": 0.9, "permutations": 5, "seed": 0}
    measured, per_class = tmp_path / "m.parquet", tmp_path / "c.parquet"
    measure_zero_shot(tmp_path / "s.parquet", measured, per_class, **keys, **settings)
    assert tables.read(per_class).unavailable == "not released"
    tidy.gather([tmp_path / "m.parquet"], tmp_path / "all.parquet", tmp_path / "all.csv")
    together = tables.read(tmp_path / "all.parquet")
    assert together.data.num_rows == 0
    assert together.data.schema.names == tidy.TIDY.names
    assert together.made_by["unavailable_cells"] == [
        {**keys, "task": "zero_shot", "space": None, "why": "not released"}
    ]


def test_a_label_that_is_no_class_is_refused():
    with pytest.raises(ListenreadError, match="z"):
        scores.class_indices(["x", "z"], ["x", "y"])


def test_measured_rows_are_tidy_and_inside_their_interval(tmp_path):
    rng = np.random.default_rng(0)
    labels = [name for name in "abcd" for _ in range(20)]
    write_audio(tmp_path / "a.parquet", labels, seed=int(rng.integers(100)))
    write_text(tmp_path / "t.parquet", list("abcd"))
    scores.score_prompt(tmp_path / "a.parquet", tmp_path / "t.parquet", tmp_path / "s.parquet")
    measure_zero_shot(
        tmp_path / "s.parquet", tmp_path / "m.parquet", tmp_path / "c.parquet",
        dataset="d", model="m", prompt="p",
        top_k=[1, 2], resamples=200, confidence=0.95, permutations=100, seed=1,
    )  # fmt: skip
    every = tables.read(tmp_path / "m.parquet").data.to_pandas()
    by_luck = every[every["task"] == "chance_by_permutation"].set_index("metric")
    assert by_luck.index.tolist() == classification.metric_names([1, 2])
    assert by_luck.loc["top_1", "value"] == pytest.approx(0.25, abs=0.03)
    assert by_luck.loc["roc_auc_macro", "ci_low"] < 0.5 < by_luck.loc["roc_auc_macro", "ci_high"]
    frame = every[every["task"] == "zero_shot"]
    assert frame["metric"].tolist() == classification.metric_names([1, 2])
    assert (frame["ci_low"] <= frame["value"]).all() and (frame["value"] <= frame["ci_high"]).all()
    assert set(frame["n"]) == {80}
    assert frame.loc[frame.metric == "top_1", "chance"].item() == 0.25


def test_each_class_is_scored_as_scikit_learn_does(tmp_path):
    """Another implementation on the same scores, with a class that no clip has."""
    labels = [name for name, n in (("a", 12), ("b", 7), ("d", 21)) for _ in range(n)]
    write_audio(tmp_path / "a.parquet", labels, seed=5)
    write_text(tmp_path / "t.parquet", list("abcd"))
    scores.score_prompt(tmp_path / "a.parquet", tmp_path / "t.parquet", tmp_path / "s.parquet")
    measure_zero_shot(
        tmp_path / "s.parquet", tmp_path / "m.parquet", tmp_path / "c.parquet",
        dataset="d", model="m", prompt="p",
        top_k=[1, 3], resamples=50, confidence=0.9, permutations=0, seed=1,
    )  # fmt: skip
    tidy.gather(
        [tmp_path / "c.parquet"], tmp_path / "all.parquet", tmp_path / "all.csv", tidy.PER_CLASS
    )
    frame = pd.read_csv(tmp_path / "all.csv")
    (values,), truth, _ = scores.read_scores(tmp_path / "s.parquet")
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
        bounded = own[own["value"].notna()]
        assert (bounded["ci_low"] <= bounded["ci_high"]).all()
    # What is said of the classes adds up to what is said of all.
    whole = tables.read(tmp_path / "m.parquet").data.to_pandas().set_index("metric")["value"]
    weights = support / support.sum()
    assert np.nansum(found["recall"] * weights) == pytest.approx(whole["top_1"])
    assert found["f1"].mean() == pytest.approx(whole["f1_macro"])
    assert found["roc_auc"].mean() == pytest.approx(whole["roc_auc_macro"])


def test_folds_are_found_by_clip_and_not_by_position():
    table = pa.table({"clip_id": ["a", "b", "c"], "fold": [0, 1, 2]})
    folds = classification.folds_of(Manifest(table, []), pa.chunked_array([["c", "a", "b"]]))
    assert folds.tolist() == [2, 0, 1]
    table = pa.table({"clip_id": ["a", "b"], "fold": [0, None]})
    assert classification.folds_of(Manifest(table, []), pa.chunked_array([["a", "b"]])) is None
