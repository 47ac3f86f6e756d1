"""Prompt effects: vectors, rankings and paired differences."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from listenread.errors import DataError
from listenread.metrics import prompt_effects, zero_shot

SETTINGS = {"resamples": 80, "confidence": 0.9, "seed": 3}


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
    found = by_name(prompt_effects.measure_vectors(vectors, 3 * vectors, **SETTINGS))
    assert found["pair_cosine"].value == pytest.approx(1)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    expected = (unit @ unit.T)[~np.eye(6, dtype=bool)].mean()
    assert found["label_cosine"].value == pytest.approx(expected)
    opposite = by_name(prompt_effects.measure_vectors(vectors, -vectors, **SETTINGS))
    assert opposite["pair_cosine"].value == pytest.approx(-1)


def test_ranking_agrees_with_scipy(case):
    first, second, labels = case
    found = by_name(prompt_effects.measure_ranking(first, second, labels, **SETTINGS))
    expected = np.mean([spearmanr(a, b).statistic for a, b in zip(first, second, strict=True)])
    assert found["rank_correlation"].value == pytest.approx(expected)
    agreement = np.mean(first.argmax(axis=1) == second.argmax(axis=1))
    assert found["top_1_agreement"].value == pytest.approx(agreement)
    assert found["top_1_agreement"].chance == pytest.approx(0.2)
    assert all(one.ci_low < one.value < one.ci_high for one in found.values())


def test_reversed_and_constant_rankings(case):
    first, _, labels = case
    first = np.argsort(first, axis=1).astype(float)  # no ties
    reversed_ = by_name(prompt_effects.measure_ranking(first, -first, labels, **SETTINGS))
    assert reversed_["rank_correlation"].value == pytest.approx(-1)
    assert reversed_["top_1_agreement"].value == 0
    constant = by_name(prompt_effects.measure_ranking(first, 0 * first, labels, **SETTINGS))
    assert constant["rank_correlation"].value == 0


def test_differences_are_paired(case):
    first, second, labels = case
    measured = {
        "a": zero_shot.measure(first, labels, **SETTINGS),
        "b": zero_shot.measure(second, labels, **SETTINGS),
    }
    ((pair, found),) = prompt_effects.differences(measured, [("a", "b")], confidence=0.9).items()
    assert pair == ("a", "b") and [one.metric for one in found] == list(zero_shot.METRICS)
    for one, a, b in zip(found, measured["a"], measured["b"], strict=True):
        assert one.value == a.value - b.value and one.chance == 0
        np.testing.assert_array_equal(one.replicates, a.replicates - b.replicates)
    with pytest.raises(DataError, match="c, d"):
        prompt_effects.differences(measured, [("d", "c")], confidence=0.9)


def test_variants_have_their_own_values(case):
    first, second, labels = case
    spread = prompt_effects.by_variant(np.stack([first, second]), labels, ["top_1", "top_2"])
    for index, scores in enumerate((first, second)):
        assert spread["top_1"][index] == zero_shot.top_k_accuracy(scores, labels, 1)


def test_what_cannot_be_compared_is_refused(case):
    first, second, labels = case
    with pytest.raises(DataError, match="shapes"):
        prompt_effects.measure_ranking(first, np.ones((60, 6)), labels, **SETTINGS)
    with pytest.raises(DataError, match="NaN"):
        prompt_effects.measure_ranking(first, second * np.nan, labels, **SETTINGS)
    with pytest.raises(DataError, match="shapes"):
        prompt_effects.measure_vectors(np.eye(2), np.eye(3), **SETTINGS)
    with pytest.raises(DataError, match="zero vector"):
        prompt_effects.measure_vectors(np.eye(2), np.zeros((2, 2)), **SETTINGS)
