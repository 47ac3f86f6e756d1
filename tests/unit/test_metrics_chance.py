"""Chance levels: permutations against a plain loop, and against the definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listenread.errors import ConfigError, DataError
from listenread.metrics import chance, zero_shot


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.booleans())
def test_permutations_are_those_of_a_plain_loop(seed, tied):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, rng.integers(1, 5), 30)
    scores = rng.normal(size=(30, 5)) + np.eye(5)[labels]
    if tied:
        scores = np.round(scores)
    by_luck = chance.by_permutation(scores, labels, permutations=4, seed=9)
    for p in range(4):
        # Permutation p gives the clips, in its order, the sorted labels.
        clips = np.random.default_rng([9, p]).permutation(30)
        permuted = np.empty(30, dtype=int)
        permuted[clips] = np.sort(labels)
        for metric, value in zero_shot.evaluate(scores, permuted).items():
            assert by_luck[metric][p] == pytest.approx(value, abs=1e-12, nan_ok=True), metric


def test_blocks_change_nothing():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 40)
    scores = rng.normal(size=(40, 3))
    whole = chance.by_permutation(scores, labels, permutations=7, seed=1)
    blocks = chance.by_permutation(scores, labels, permutations=7, seed=1, max_bytes=1)
    for metric, values in whole.items():
        np.testing.assert_allclose(values, blocks[metric])


def test_permutation_meets_the_definition_for_scores_that_know_nothing():
    rng = np.random.default_rng(1)
    labels = np.repeat(np.arange(4), [400, 100, 200, 300])
    scores = rng.normal(size=(1000, 4))
    by_luck = chance.by_permutation(scores, labels, permutations=100, seed=0)
    for metric, level in zero_shot.chance(labels, 4).items():
        assert by_luck[metric].mean() == pytest.approx(level, abs=0.01), metric


def test_a_constant_prediction_has_its_own_chance_level():
    """Scores that always say the largest class: 70 % by permutation, 50 % by definition."""
    labels = np.repeat([0, 1], [70, 30])
    scores = np.tile([1.0, 0.0], (100, 1))
    by_luck = chance.by_permutation(scores, labels, permutations=20, seed=0)["top_1"]
    assert (by_luck == 0.7).all()
    assert zero_shot.chance(labels, 2, ["top_1"]) == {"top_1": 0.5}


def test_p_value():
    rng = np.random.default_rng(2)
    labels = rng.integers(0, 3, 60)
    for strength, expected in [(3.0, 1 / 101), (0.0, None)]:
        scores = rng.normal(size=(60, 3)) + strength * np.eye(3)[labels]
        by_luck = chance.by_permutation(scores, labels, metrics=["top_1"], permutations=100, seed=0)
        p = chance.p_value(zero_shot.top_k_accuracy(scores, labels, 1), by_luck["top_1"])
        assert p == expected if expected else p > 0.02


def test_bad_input_is_refused():
    with pytest.raises(DataError, match="NaN"):
        chance.by_permutation(np.full((2, 2), np.nan), np.array([0, 1]), permutations=1, seed=0)
    with pytest.raises(ConfigError, match="top_x"):
        chance.by_permutation(np.eye(2), np.arange(2), metrics=["top_x"], permutations=1, seed=0)
