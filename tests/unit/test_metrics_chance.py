"""Chance levels: permutations against a plain loop, and against the definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from listenread.errors import ConfigError, DataError
from listenread.metrics import chance, classification
from listenread.metrics.base import METRICS, NO_CHANCE, Metric, Target
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


def recorder(seen):
    """A metric that notes which labels it is asked with."""

    def value(resampled):
        seen.append(resampled.scored.target.labels.copy())
        return resampled.mean(np.zeros(len(seen[-1])))

    return Metric("seen", "seen", "larger", 0.0, 1.0, NO_CHANCE, "own", weighted=value)


def test_groups_of_one_size_exchange_their_labels_as_a_whole():
    rng = np.random.default_rng(2)
    groups = rng.permutation(np.repeat(np.arange(30), np.repeat([1, 2, 4], [12, 10, 8])))
    labels = rng.integers(0, 9, len(groups))  # also several labels within a group
    seen = []
    for max_bytes in (1, 2**30):
        chance.by_permutation(
            rng.normal(size=(len(groups), 9)), labels, metrics=[recorder(seen)], permutations=20,
            seed=3, groups=groups, max_bytes=max_bytes,
        )  # fmt: skip

    def by_size(given):
        blocks = [tuple(given[groups == group]) for group in range(30)]
        return {size: [one for one in blocks if len(one) == size] for size in (1, 2, 4)}

    for permuted in seen:
        for size, blocks in by_size(permuted).items():
            assert sorted(blocks) == sorted(by_size(labels)[size])
    for size in (1, 2, 4):  # and they do move, each time elsewhere
        assert len({tuple(by_size(permuted)[size]) for permuted in seen[:20]}) > 15
    np.testing.assert_array_equal(seen[:20], seen[20:])


def test_groups_of_one_clip_each_are_no_groups():
    rng = np.random.default_rng(4)
    scores, labels = rng.normal(size=(40, 3)), rng.integers(0, 3, 40)
    how = {"metrics": STANDARD, "permutations": 5, "seed": 1}
    without = chance.by_permutation(scores, labels, **how)
    alone = chance.by_permutation(scores, labels, **how, groups=rng.permutation(40))
    for metric, values in without.items():
        np.testing.assert_array_equal(values, alone[metric])


@pytest.mark.parametrize("draw", ["gamma", "mirrored", "normal"])
def test_p_is_the_tail_of_scipys_pearson_distribution(draw):
    rng = np.random.default_rng(5)
    luck = {"gamma": rng.gamma(4, size=800), "mirrored": -rng.gamma(4, size=800)}.get(
        draw, np.concatenate([part := rng.normal(size=400), -part])
    )
    skewness = stats.skew(luck)
    for value in luck.mean() + luck.std() * np.array([-2.5, -1, 0, 0.7, 2, 4]):
        wanted = stats.pearson3.sf(value, skewness, luck.mean(), luck.std())
        assert chance.p_value(value, luck) == pytest.approx(wanted, abs=1e-9), (draw, value)
    counted = (luck >= luck.mean() + luck.std()).mean()
    assert chance.p_value(luck.mean() + luck.std(), luck) == pytest.approx(counted, abs=0.03)


def test_p_of_luck_that_does_not_vary_is_counted():
    assert chance.p_value(0.5, np.full(9, 0.5)) == 1
    assert chance.p_value(0.6, np.full(9, 0.5)) == 0.1
    assert chance.p_value(0.4, np.full(9, 0.5)) == 1
    for value, luck in [(np.nan, np.ones(9)), (0.5, np.array([])), (0.5, np.array([0.1, np.nan]))]:
        assert np.isnan(chance.p_value(value, luck))


def test_bad_input_is_refused():
    with pytest.raises(DataError, match="NaN"):
        chance.by_permutation(
            np.full((2, 2), np.nan), np.array([0, 1]), metrics=STANDARD, permutations=1, seed=0
        )
    with pytest.raises(ConfigError, match=r"unknown metric `top_x`.*did you mean `top_"):
        METRICS.find("top_x")
