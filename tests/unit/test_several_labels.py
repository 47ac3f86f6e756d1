"""Clips with several labels, and labels that were not judged, from the manifest to the metrics."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score
from small_cell import KEYS, write_cell

from listenread.errors import DataError, Unavailable
from listenread.figures.runner import draw_figures
from listenread.files import tables
from listenread.metrics import chance, margin, separation
from listenread.metrics.base import Resampling, Target
from listenread.metrics.classification import (
    F1_MACRO,
    ROC_AUC_MACRO,
    confusion_matrix,
    evaluate,
    measure,
    top,
)
from listenread.metrics.scored import check
from listenread.report.decisions import read_decisions
from listenread.tasks.base import TASKS
from listenread.tasks.runner import measure_cell

CLASSES = ["flute", "oboe", "violin"]
REASON = "every clip must have exactly one label"
#: 24 clips; some have two labels or none, and of some a label was not judged.
LABELS = [("flute",), ("oboe",), ("flute", "violin"), (), ("violin",), ("oboe", "violin")] * 4
UNKNOWN = [("oboe",), (), (), ("violin",), ("flute", "oboe"), ()] * 4


@pytest.fixture(scope="module")
def scores():
    """Shape (24, 3), with ties."""
    positive = np.array([[name in of for name in CLASSES] for of in LABELS])
    noise = np.random.default_rng(3).normal(size=(24, 3))
    return np.round(0.2 * positive + 0.3 * noise, 1).clip(-1, 1)


@pytest.fixture
def cell(tmp_path, scores):
    rng = np.random.default_rng(4)
    audio, text = rng.normal(size=(24, 4)), rng.normal(size=(3, 4))
    return write_cell(
        tmp_path, LABELS, CLASSES, unknown=UNKNOWN, folds=[0, 1, 2] * 8, scores=scores,
        audio={"joint": audio, "pre_joint": audio}, text={"joint": text, "pre_joint": text},
    )  # fmt: skip


def judged(index):
    """Which clips have a class, and for which that is known, bool (24,) each."""
    name = CLASSES[index]
    return (
        np.array([name in of for of in LABELS]),
        np.array([name not in of for of in UNKNOWN]),
    )


def areas(function, scores):
    """An area of each class by scikit-learn, on the clips for which the class was judged."""
    found = []
    for index in range(len(CLASSES)):
        positive, known = judged(index)
        found.append(function(positive[known], scores[known, index]))
    return found


def test_each_class_is_measured_on_the_clips_for_which_it_was_judged(cell, scores):
    target = cell.target(cell.scores().clip_ids)
    assert not target.single and len(target) == 24
    roc_auc, pr_auc = check(scores, target).on(np.ones((24, 1))).areas
    np.testing.assert_allclose(roc_auc[:, 0], areas(roc_auc_score, scores))
    np.testing.assert_allclose(pr_auc[:, 0], areas(average_precision_score, scores))


def test_labels_and_masks_are_found_by_clip(cell):
    ids = cell.scores().clip_ids
    there, back = cell.target(ids), cell.target(ids[::-1])
    np.testing.assert_array_equal(there.positive, back.positive[::-1])
    np.testing.assert_array_equal(there.known, back.known[::-1])
    assert there.positive[:4].tolist() == [
        [True, False, False],
        [False, True, False],
        [True, False, True],
        [False, False, False],
    ]
    assert there.known[0].tolist() == [True, False, True]


def test_the_task_measures_what_is_defined_for_several_labels(cell, scores, tmp_path):
    measured, per_class = tmp_path / "m.parquet", tmp_path / "c.parquet"
    measure_cell("zero_shot", cell, {}, {"n": 30, "seed": 1}, measured, per_class)
    rows = {row["metric"]: row for row in tables.read(measured).data.to_pylist()}
    assert list(rows) == ["roc_auc_macro", "pr_auc_macro"]
    values = cell.scores().values[0]  # float32
    for name, function in [
        ("roc_auc_macro", roc_auc_score),
        ("pr_auc_macro", average_precision_score),
    ]:
        row = rows[name]
        assert row["value"] == pytest.approx(np.mean(areas(function, values)))
        assert row["ci_low"] <= row["value"] <= row["ci_high"]
        assert (row["n"], row["task"]) == (24, "zero_shot")
    shares = [positive[known].mean() for positive, known in map(judged, range(3))]
    assert rows["pr_auc_macro"]["chance"] == pytest.approx(np.mean(shares))
    assert rows["roc_auc_macro"]["chance"] == 0.5
    assert tables.read(per_class).data.num_rows == 0


def test_a_score_of_a_label_that_was_not_judged_does_not_matter(cell, scores):
    target = cell.target(cell.scores().clip_ids)
    other = np.where(target.known, scores, 9.0)
    assert evaluate(other, target) == evaluate(scores, target)
    assert evaluate(np.where(target.known, 9.0, scores), target) != evaluate(scores, target)


@pytest.mark.parametrize(
    "task", ["margin", "separation", "audio_only", "audio_separation", "probes"]
)
def test_a_task_for_one_label_a_clip_ends_with_the_reason(cell, tmp_path, task):
    measure_cell(task, cell, {}, {"n": 3}, tmp_path / "m.parquet")
    table = tables.read(tmp_path / "m.parquet")
    assert REASON in table.unavailable
    assert {key: table.made_by[key] for key in KEYS} == KEYS
    assert table.data.num_rows == 0


def test_a_choice_of_metrics_of_which_none_is_defined_is_a_reason(cell, tmp_path):
    measured, per_class = tmp_path / "m.parquet", tmp_path / "c.parquet"
    settings = {"top_k": [1, 2], "classification_metrics": ["f1_macro"]}
    measure_cell("zero_shot", cell, settings, {"n": 3}, measured, per_class)
    for path in (measured, per_class):
        assert "top_1, top_2, f1_macro" in tables.read(path).unavailable


@pytest.mark.parametrize(("task", "per"), [("zero_shot", "prompt"), ("audio_only", "model")])
def test_a_figure_for_one_label_a_clip_shows_the_reason(cell, tmp_path, task, per):
    constants = {
        "histogram_bins": 5, "max_others": 9, "seed": 0, "reliability_bins": 2, "replicates": 2,
        "confidence_level": 0.9,
    }  # fmt: skip
    figures = [one for one in TASKS.find(task).figures if one.per == per]
    settings = {
        one.name: {name: constants[name] for name in one.settings.model_fields} for one in figures
    }
    svgs = {one.name: tmp_path / f"{one.name}.svg" for one in figures}
    draw_figures(task, per, cell, settings, svgs)
    assert figures
    for svg in svgs.values():
        assert svg.is_file() and REASON in svg.with_suffix(".csv").read_text("utf-8")


def test_the_page_has_no_decisions_of_such_clips(cell):
    assert read_decisions(cell) is None


def test_metrics_of_one_label_a_clip_say_why_there_is_no_value(cell, scores):
    target = cell.target(cell.scores().clip_ids)
    resampling = Resampling(2)
    assert list(evaluate(scores, target)) == ["roc_auc_macro", "pr_auc_macro"]
    for compute in (
        lambda: evaluate(scores, target, [top(1), F1_MACRO]),
        lambda: measure(scores, target, metrics=[top(1)], resampling=resampling),
        lambda: confusion_matrix(scores, target),
        lambda: margin.measure(scores, target, np.arange(len(target)), resampling),
        lambda: margin.reliability(
            scores, target, bins=2, groups=np.arange(len(target)), resampling=resampling
        ),
        lambda: separation.text_audio_profile(scores, target, bins=4),
        lambda: chance.by_permutation(
            scores, target, metrics=[ROC_AUC_MACRO], permutations=2, seed=0
        ),
    ):
        with pytest.raises(Unavailable, match="exactly one label"):
            compute()


def test_one_unknown_label_alone_makes_a_target_of_several():
    target = Target.from_labels([("a",), ("b",)], ["a", "b"], [(), ("a",)])
    assert not target.single and target.known.tolist() == [[True, True], [False, True]]
    assert Target.from_labels([("a",), ("b",)], ["a", "b"], [(), ()]).single
    with pytest.raises(DataError, match=r"\['c'\] are not among the classes"):
        Target.from_labels([("a",), ("b",)], ["a", "b"], [(), ("c",)])


def test_a_class_without_judged_negatives_has_no_roc_auc():
    target = Target.from_labels(
        [("a",), ("b",), ("b",)], ["a", "b"], [("b",), ("a",), ("a",)]
    )  # of "a" only a clip that has it was judged: there is nothing to tell it from
    scores = np.array([[0.1, 0.9], [0.8, 0.7], [0.9, 0.2]])
    values = evaluate(scores, target)
    assert np.isnan(values["roc_auc_macro"]) and values["pr_auc_macro"] == 1
