"""Prompt effects: vectors, rankings and paired differences."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from listenread.errors import DataError
from listenread.metrics import prompt_effects
from listenread.metrics.base import Resampling

RESAMPLING = Resampling(80, 0.9, 3)


@pytest.fixture(scope="module")
def case():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 5, 60)
    first = np.round(rng.normal(size=(60, 5)) + np.eye(5)[labels], 1)
    return first, np.round(first + rng.normal(scale=0.5, size=(60, 5)), 1), labels


def by_name(measured):
    return {one.metric: one for one in measured}


def test_vectors_that_did_not_move():
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(6, 4))
    found = by_name(prompt_effects.measure_vectors(vectors, 3 * vectors, RESAMPLING))
    assert found["pair_cosine"].value == pytest.approx(1)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    expected = (unit @ unit.T)[~np.eye(6, dtype=bool)].mean()
    assert found["label_cosine"].value == pytest.approx(expected)
    opposite = by_name(prompt_effects.measure_vectors(vectors, -vectors, RESAMPLING))
    assert opposite["pair_cosine"].value == pytest.approx(-1)


def test_ranking_agrees_with_scipy(case):
    first, second, labels = case
    found = by_name(
        prompt_effects.measure_ranking(first, second, labels, np.arange(60), RESAMPLING)
    )
    expected = np.mean([spearmanr(a, b).statistic for a, b in zip(first, second, strict=True)])
    assert found["rank_correlation"].value == pytest.approx(expected)
    agreement = np.mean(first.argmax(axis=1) == second.argmax(axis=1))
    assert found["top_1_agreement"].value == pytest.approx(agreement)
    assert found["top_1_agreement"].chance == pytest.approx(0.2)
    assert all(one.ci_low < one.value < one.ci_high for one in found.values())


def test_reversed_and_constant_rankings(case):
    first, _, labels = case
    first = np.argsort(first, axis=1).astype(float)  # no ties
    reversed_ = by_name(
        prompt_effects.measure_ranking(first, -first, labels, np.arange(60), RESAMPLING)
    )
    assert reversed_["rank_correlation"].value == pytest.approx(-1)
    assert reversed_["top_1_agreement"].value == 0
    constant = by_name(
        prompt_effects.measure_ranking(first, 0 * first, labels, np.arange(60), RESAMPLING)
    )
    assert constant["rank_correlation"].value == 0


def test_a_difference_has_the_range_of_two_values():
    cosine = prompt_effects.difference(prompt_effects.PAIR_COSINE)
    assert (cosine.name, cosine.low, cosine.high) == ("pair_cosine_difference", -2, 2)
    assert cosine.chance == 0 and cosine.better is None


def test_what_cannot_be_compared_is_refused(case):
    first, second, labels = case
    with pytest.raises(DataError, match="shapes"):
        prompt_effects.measure_ranking(first, np.ones((60, 6)), labels, np.arange(60), RESAMPLING)
    with pytest.raises(DataError, match="NaN"):
        prompt_effects.measure_ranking(first, second * np.nan, labels, np.arange(60), RESAMPLING)
    with pytest.raises(DataError, match="shapes"):
        prompt_effects.measure_vectors(np.eye(2), np.eye(3), RESAMPLING)
    with pytest.raises(DataError, match="zero vector"):
        prompt_effects.measure_vectors(np.eye(2), np.zeros((2, 2)), RESAMPLING)
