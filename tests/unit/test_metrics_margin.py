"""Confidence by the top-2 difference, with scikit-learn and a known relation as references."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from listenread.errors import DataError
from listenread.metrics import confidence

SETTINGS = {"resamples": 50, "confidence": 0.9, "seed": 3}


@pytest.fixture(scope="module")
def calibrated():
    """Two classes; the probability of being right grows with the margin from 0.5 to 1."""
    rng = np.random.default_rng(0)
    margin = rng.uniform(0, 1, 4000)
    labels = rng.integers(0, 2, 4000)
    right = rng.random(4000) < 0.5 + margin / 2
    predicted = np.where(right, labels, 1 - labels)
    return np.where(np.arange(2) == predicted[:, None], margin[:, None], 0.0), labels, right


def test_margin_is_the_difference_of_the_two_largest():
    scores = np.random.default_rng(1).normal(size=(20, 6))
    ordered = np.sort(scores, axis=1)
    np.testing.assert_array_equal(confidence.margins(scores), ordered[:, -1] - ordered[:, -2])
    with pytest.raises(DataError, match="two classes"):
        confidence.margins(np.ones((3, 1)))


def test_measures_agree_with_scikit_learn(calibrated):
    scores, labels, right = calibrated
    margin = scores.max(axis=1)
    found = {one.metric: one for one in confidence.measure(scores, labels, **SETTINGS)}
    assert found["margin_right"].value == pytest.approx(margin[right].mean())
    assert found["margin_wrong"].value == pytest.approx(margin[~right].mean())
    assert found["margin_roc_auc"].value == pytest.approx(roc_auc_score(right, margin))
    assert all(one.ci_low < one.value < one.ci_high for one in found.values())
    assert found["margin_roc_auc"].chance == 0.5


def test_reliability_follows_the_known_relation(calibrated):
    scores, labels, right = calibrated
    curve = confidence.reliability(scores, labels, bins=8, **SETTINGS)
    assert (curve.n == 500).all()
    np.testing.assert_allclose(curve.top_1, 0.5 + curve.margin_mean / 2, atol=0.06)
    assert (np.diff(curve.margin_mean) > 0).all()
    assert (curve.margin_high[:-1] <= curve.margin_low[1:]).all()
    assert ((curve.ci_low < curve.top_1) & (curve.top_1 < curve.ci_high)).all()
    assert curve.n @ curve.top_1 == pytest.approx(right.sum())


def test_equal_margins_stay_together():
    scores = np.array([[0.0, 0.0]] * 5 + [[1.0, 0.0]] * 3)
    curve = confidence.reliability(
        scores, np.array([0, 0, 0, 1, 1, 0, 0, 0]), bins=4, **SETTINGS | {"resamples": 0}
    )
    assert curve.n.tolist() == [5, 3] and curve.top_1.tolist() == [0.6, 1.0]
    assert np.isnan(curve.ci_low).all()


def test_all_right_has_no_relation():
    found = confidence.measure(np.eye(3), np.arange(3), **SETTINGS)
    values = {one.metric: one.value for one in found}
    assert values["margin_right"] == 1
    assert np.isnan([values["margin_wrong"], values["margin_roc_auc"]]).all()
