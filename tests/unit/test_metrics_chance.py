"""Chance levels: permutations against a plain loop, and against the definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listenread.errors import ConfigError, DataError
from listenread.metrics import chance, classification
from listenread.metrics.base import METRICS, Target
from listenread.metrics.classification import STANDARD, top


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.booleans())
def test_permutations_are_those_of_a_plain_loop(seed, tied):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, rng.integers(1, 5), 30)
    scores = rng.normal(size=(30, 5)) + np.eye(5)[labels]
    if tied:
        scores = np.round(scores)
    by_luck = chance.by_permutation(scores, labels, metrics=STANDARD, permutations=4, seed=9)
    for p in range(4):
        # Permutation p gives the clips, in its order, the sorted labels.
        clips = np.random.default_rng([9, p]).permutation(30)
        permuted = np.empty(30, dtype=int)
        permuted[clips] = np.sort(labels)
        for metric, value in classification.evaluate(scores, permuted).items():
            assert by_luck[metric][p] == pytest.approx(value, abs=1e-12, nan_ok=True), metric


def test_blocks_change_nothing():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 40)
    scores = rng.normal(size=(40, 3))
    whole = chance.by_permutation(scores, labels, metrics=STANDARD, permutations=7, seed=1)
    blocks = chance.by_permutation(
        scores, labels, metrics=STANDARD, permutations=7, seed=1, max_bytes=1
    )
    for metric, values in whole.items():
        np.testing.assert_allclose(values, blocks[metric])


def test_permutation_meets_the_definition_for_scores_that_know_nothing():
    rng = np.random.default_rng(1)
    labels = np.repeat(np.arange(4), [400, 100, 200, 300])
    scores = rng.normal(size=(1000, 4))
    by_luck = chance.by_permutation(scores, labels, metrics=STANDARD, permutations=100, seed=0)
    for metric in STANDARD:
        level = metric.chance_level(Target(4, labels))
        assert by_luck[metric.name].mean() == pytest.approx(level, abs=0.01), metric.name


def test_a_constant_prediction_has_its_own_chance_level():
    """Scores that always say the largest class: 70 % by permutation, 50 % by definition."""
    labels = np.repeat([0, 1], [70, 30])
    scores = np.tile([1.0, 0.0], (100, 1))
    by_luck = chance.by_permutation(scores, labels, metrics=[top(1)], permutations=20, seed=0)
    assert (by_luck["top_1"] == 0.7).all()
    assert top(1).chance_level(Target(2, labels)) == 0.5


def test_bad_input_is_refused():
    with pytest.raises(DataError, match="NaN"):
        chance.by_permutation(
            np.full((2, 2), np.nan), np.array([0, 1]), metrics=STANDARD, permutations=1, seed=0
        )
    with pytest.raises(ConfigError, match=r"unknown metric `top_x`.*did you mean `top_"):
        METRICS.find("top_x")
