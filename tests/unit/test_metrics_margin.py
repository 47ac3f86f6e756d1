"""The margin of the two largest scores, against scikit-learn and a known relation."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from listenread.errors import DataError
from listenread.metrics import margin
from listenread.metrics.base import Resampling

RESAMPLING = Resampling(50, 0.9, 3)


@pytest.fixture(scope="module")
def calibrated():
    """Two classes; the probability of being right grows with the margin from 0.5 to 1."""
    rng = np.random.default_rng(0)
    sizes = rng.uniform(0, 1, 4000)
    labels = rng.integers(0, 2, 4000)
    right = rng.random(4000) < 0.5 + sizes / 2
    predicted = np.where(right, labels, 1 - labels)
    return np.where(np.arange(2) == predicted[:, None], sizes[:, None], 0.0), labels, right


def test_margin_is_the_difference_of_the_two_largest():
    scores = np.random.default_rng(1).normal(size=(20, 6))
    ordered = np.sort(scores, axis=1)
    np.testing.assert_array_equal(margin.margins(scores), ordered[:, -1] - ordered[:, -2])
    with pytest.raises(DataError, match="two classes"):
        margin.margins(np.ones((3, 1)))


def test_measures_agree_with_scikit_learn(calibrated):
    scores, labels, right = calibrated
    sizes = scores.max(axis=1)
    found = {one.metric: one for one in margin.measure(scores, labels, np.arange(4000), RESAMPLING)}
    assert found["margin_right"].value == pytest.approx(sizes[right].mean())
    assert found["margin_wrong"].value == pytest.approx(sizes[~right].mean())
    assert found["margin_roc_auc"].value == pytest.approx(roc_auc_score(right, sizes))
    assert all(one.ci_low < one.value < one.ci_high for one in found.values())
    assert found["margin_roc_auc"].chance == 0.5


def test_reliability_follows_the_known_relation(calibrated):
    scores, labels, right = calibrated
    curve = margin.reliability(
        scores, labels, bins=8, groups=np.arange(4000), resampling=RESAMPLING
    )
    assert (curve.n == 500).all()
    np.testing.assert_allclose(curve.top_1, 0.5 + curve.margin_mean / 2, atol=0.06)
    assert (np.diff(curve.margin_mean) > 0).all()
    assert (curve.margin_high[:-1] <= curve.margin_low[1:]).all()
    assert ((curve.ci_low < curve.top_1) & (curve.top_1 < curve.ci_high)).all()
    assert curve.n @ curve.top_1 == pytest.approx(right.sum())


def test_equal_margins_stay_together():
    scores = np.array([[0.0, 0.0]] * 5 + [[1.0, 0.0]] * 3)
    curve = margin.reliability(
        scores,
        np.array([0, 0, 0, 1, 1, 0, 0, 0]),
        bins=4,
        groups=np.arange(8),
        resampling=Resampling(0),
    )
    assert curve.n.tolist() == [5, 3] and curve.top_1.tolist() == [0.6, 1.0]
    assert np.isnan(curve.ci_low).all()


def test_all_right_has_no_relation():
    found = margin.measure(np.eye(3), np.arange(3), np.arange(3), RESAMPLING)
    values = {one.metric: one.value for one in found}
    assert values["margin_right"] == 1
    assert np.isnan([values["margin_wrong"], values["margin_roc_auc"]]).all()
