"""Metrics of a classification against scikit-learn, and on a case with a known answer."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    average_precision_score,
    confusion_matrix,
    f1_score,
    precision_recall_fscore_support,
    roc_auc_score,
    top_k_accuracy_score,
)

from listenread.errors import DataError
from listenread.metrics.base import Resampling
from listenread.metrics.classification import (
    F1_MACRO,
    F1_WEIGHTED,
    STANDARD,
    evaluate,
    measure,
    measure_with_classes,
    top,
)
from listenread.metrics.classification import confusion_matrix as count_confusions
from listenread.metrics.scored import predictions, rank_of_label

# scikit-learn doubts that a case of one class is meant.
pytestmark = pytest.mark.filterwarnings("ignore:A single label was found")


def reference(scores, labels):
    """Every metric by scikit-learn, with our decisions on ties and absent classes spelt out."""
    n_classes = scores.shape[1]
    present = np.unique(labels)
    values = {}
    for k in range(1, 6):
        # scikit-learn ranks equal scores from the highest index down: reverse the classes.
        values[f"top_{k}"] = (
            top_k_accuracy_score(
                n_classes - 1 - labels, scores[:, ::-1], k=k, labels=np.arange(n_classes)
            )
            if k < n_classes and n_classes > 2
            else float(k >= n_classes or np.mean(scores.argmax(axis=1) == labels))
        )
    predicted = scores.argmax(axis=1)
    for average in ("weighted", "macro"):
        values[f"f1_{average}"] = f1_score(
            labels, predicted, labels=present, average=average, zero_division=0
        )
    one_hot = labels[:, None] == present
    values["roc_auc_macro"] = (
        np.mean([roc_auc_score(one_hot[:, i], scores[:, c]) for i, c in enumerate(present)])
        if len(present) > 1
        else np.nan
    )
    values["pr_auc_macro"] = np.mean(
        [average_precision_score(one_hot[:, i], scores[:, c]) for i, c in enumerate(present)]
    )
    return values


def by_class(scores, labels):
    """Each metric of single classes, and `n`, in the order of the classes."""
    _, classes = measure_with_classes(scores, labels, resampling=Resampling(0))
    found = {"n": [ones[0].n for ones in classes]}
    for ones in zip(*classes, strict=True):
        found[ones[0].metric] = [one.value for one in ones]
    return {name: np.array(values) for name, values in found.items()}


@st.composite
def cases(draw, tied=False):
    """Scores and labels; few clips and classes, so that classes without a clip are frequent."""
    n, n_classes = draw(st.integers(1, 40)), draw(st.integers(1, 7))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    labels = rng.integers(0, draw(st.integers(1, n_classes)), n)
    scores = rng.normal(size=(n, n_classes)) + np.eye(n_classes)[labels]
    if tied:
        scores = np.round(scores * draw(st.sampled_from([0, 1, 2])))
    return scores.astype(draw(st.sampled_from([np.float32, np.float64]))), labels


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.slow
def test_every_metric_agrees_with_scikit_learn(tied):
    @settings(max_examples=150, deadline=None)
    @given(cases(tied=tied))
    def agree(case):
        scores, labels = case
        ours = evaluate(scores, labels)
        expected = reference(scores, labels)
        assert list(ours) == [metric.name for metric in STANDARD]
        for metric, value in ours.items():
            assert value == pytest.approx(expected[metric], abs=1e-12, nan_ok=True), metric

    agree()


@settings(max_examples=60, deadline=None)
@given(cases(tied=True))
def test_per_class_scores_agree_with_scikit_learn(case):
    scores, labels = case
    ours = by_class(scores, labels)
    classes = np.arange(scores.shape[1])
    predicted = scores.argmax(axis=1)
    precision, recall, f1, support = precision_recall_fscore_support(
        labels, predicted, labels=classes, zero_division=np.nan
    )
    has_clips = support > 0
    np.testing.assert_array_equal(ours["n"], support)
    np.testing.assert_allclose(ours["recall"][has_clips], recall[has_clips])
    np.testing.assert_allclose(ours["precision"][has_clips], precision[has_clips])
    np.testing.assert_allclose(ours["f1"][has_clips], f1[has_clips])
    for field in ("recall", "precision", "f1", "pr_auc", "roc_auc"):
        assert np.isnan(ours[field][~has_clips]).all(), field
    np.testing.assert_array_equal(
        count_confusions(scores, labels),
        confusion_matrix(labels, predicted, labels=classes),
    )


def test_a_known_answer():
    # Class 2 is never right but always second; class 3 has no clip and takes one from class 1.
    labels = np.array([0, 0, 1, 1, 2, 2])
    scores = np.array(
        [
            [9, 1, 2, 0],
            [8, 1, 2, 0],
            [1, 9, 2, 0],
            [1, 5, 2, 9],
            [9, 1, 3, 0],
            [1, 9, 3, 0],
        ],
        dtype=float,
    )
    values = evaluate(scores, labels, [top(1), top(2), F1_MACRO, F1_WEIGHTED])
    assert values["top_1"] == 3 / 6
    assert values["top_2"] == 1
    # Class 0: 2 of 3 predictions right, both clips found; class 1: 1 of 2, 1 of 2; class 2: never.
    assert values["f1_macro"] == pytest.approx((0.8 + 0.5 + 0) / 3)
    assert values["f1_weighted"] == pytest.approx((0.8 + 0.5 + 0) / 3)
    # Column 0 ranks 9 8 | 1 1 9 1 : pairs won 4+3, one tie of a half, of 8.
    assert by_class(scores, labels)["roc_auc"][0] == pytest.approx((3.5 + 3) / 8)


def test_equal_scores_prefer_the_lowest_class_index():
    scores = np.zeros((3, 3))
    labels = np.array([0, 1, 2])
    assert predictions(scores).tolist() == [0, 0, 0]
    assert rank_of_label(scores, labels).tolist() == [0, 1, 2]
    values = evaluate(scores, labels)
    assert values["top_1"] == pytest.approx(1 / 3)
    assert values["top_2"] == pytest.approx(2 / 3)
    assert values["roc_auc_macro"] == 0.5
    assert values["pr_auc_macro"] == pytest.approx(1 / 3)


def test_one_class_in_the_data():
    scores = np.array([[0.3, 0.1], [0.2, 0.4]])
    values = evaluate(scores, np.array([0, 0]))
    assert np.isnan(values["roc_auc_macro"])
    assert values["pr_auc_macro"] == 1
    assert values["top_1"] == 0.5 and values["top_5"] == 1


@pytest.mark.parametrize(
    ("scores", "labels", "message"),
    [
        (np.full((2, 2), np.nan), [0, 1], r"2 clip\(s\) have a score that is NaN"),
        (np.array([[1.0, np.inf], [0.0, 0.0]]), [0, 1], r"1 clip\(s\)"),
        (np.array([[np.inf, -np.inf], [0.0, 0.0]]), [0, 1], r"1 clip\(s\)"),
        (np.zeros((0, 3)), [], "none empty"),
        (np.zeros((2, 0)), [0, 0], "there are 0 classes"),
        (np.zeros(3), [0, 0, 0], "none empty"),
        (np.zeros((2, 3)), [0, 3], "from 0 to 3"),
        (np.zeros((2, 3)), [-1, 1], "from -1 to 1"),
        (np.zeros((2, 3)), [0], "2 rows of scores and labels of 1 clips"),
        (np.zeros((2, 3)), [0.0, 1.0], "labels are float64"),
        (np.zeros((2, 3), dtype=int), [0, 1], "scores are int"),
    ],
)
def test_what_cannot_be_evaluated_is_refused(scores, labels, message):
    labels = np.array(labels, dtype=int if not labels else None)
    for function in (evaluate, by_class, count_confusions):
        with pytest.raises(DataError, match=message):
            function(scores, labels)


def test_variants_of_a_prompt_are_averaged():
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 4, 60)
    variants = rng.normal(size=(3, 60, 4)) + np.eye(4)[labels]
    resampling = Resampling(40, 0.9, 5)
    together = measure(variants, labels, resampling=resampling)
    apart = [measure(variant, labels, resampling=resampling) for variant in variants]
    for index, measurement in enumerate(together):
        assert measurement.value == pytest.approx(np.mean([m[index].value for m in apart]))
        assert measurement.chance == apart[0][index].chance  # to the last bit
        np.testing.assert_allclose(
            measurement.replicates, np.mean([m[index].replicates for m in apart], axis=0)
        )
        assert measurement.ci_low <= measurement.ci_high
    with pytest.raises(DataError, match="no variant"):
        measure(variants[:0], labels, resampling=resampling)


def test_without_replicates_there_is_a_value_and_no_interval():
    measurement = measure(np.eye(3), np.arange(3), metrics=[top(1)], resampling=Resampling(0))[0]
    assert measurement.value == 1 and measurement.n == 3
    assert measurement.chance == pytest.approx(1 / 3)
    assert np.isnan(measurement.ci_low) and measurement.replicates.shape == (0,)
