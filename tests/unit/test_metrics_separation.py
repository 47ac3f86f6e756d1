"""Separation of matching and other pairs, on distributions with known answers."""

import numpy as np
import pytest
from scipy.stats import norm

from listenread.errors import DataError
from listenread.metrics import blocks, separation
from listenread.metrics.base import Resampling
from listenread.metrics.uncertainty import deal

RESAMPLING = Resampling(50, 0.9, 3)


@pytest.fixture(scope="module")
def normal():
    """20,000 clips, four classes: positives N(.3, .1), negatives N(.1, .1)."""
    rng = np.random.default_rng(0)
    labels = np.tile(np.arange(4), 5000)
    scores = rng.normal(0.1, 0.1, (20_000, 4)) + 0.2 * np.eye(4)[labels]
    return scores, labels


def values(measured):
    return {one.metric: one.value for one in measured}


def test_normal_distributions_have_the_known_separation(normal):
    scores, labels = normal
    profile = separation.text_audio_profile(scores, labels, bins=200)
    found = values(separation.measure(profile, np.arange(len(labels)), Resampling(0)))
    assert found["positive_mean"] == pytest.approx(0.3, abs=0.005)
    assert found["negative_mean"] == pytest.approx(0.1, abs=0.005)
    assert found["d_prime"] == pytest.approx(2, abs=0.05)
    # Equal spreads, two deviations apart: the densities cross one deviation from either mean.
    assert found["overlap"] == pytest.approx(2 * norm.cdf(-1), abs=0.01)
    positive, negative = profile.densities()
    width = np.diff(profile.edges)
    assert (positive * width).sum() == pytest.approx(1)
    assert (negative * width).sum() == pytest.approx(1)


def test_same_and_apart_are_the_ends_of_the_scale():
    labels = np.tile([0, 1], 50)
    apart = np.where(np.eye(2)[labels] == 1, 0.8, -0.3) + np.linspace(0, 0.05, 100)[:, None]
    same = np.tile(np.linspace(-0.5, 0.5, 100)[:, None], (1, 2))
    for scores, overlap, sign in [(apart, 0, 1), (same, 1, 0)]:
        profile = separation.text_audio_profile(scores, labels, bins=20)
        found = values(separation.measure(profile, np.arange(len(labels)), RESAMPLING))
        assert found["overlap"] == pytest.approx(overlap)
        assert np.sign(round(found["d_prime"], 9)) == sign


def test_constant_similarities_have_no_d_prime():
    scores, labels = np.full((6, 3), 0.7, dtype=np.float32), np.arange(6) % 3
    profile = separation.text_audio_profile(scores, labels, bins=10)
    found = values(separation.measure(profile, np.arange(len(labels)), RESAMPLING))
    assert np.isnan(found["d_prime"]) and found["overlap"] == 1


def test_one_class_has_no_negative_pairs():
    scores, labels = np.array([[0.2], [0.4]]), np.zeros(2, dtype=int)
    profile = separation.text_audio_profile(scores, labels, bins=10)
    found = values(separation.measure(profile, np.arange(len(labels)), RESAMPLING))
    assert found["positive_mean"] == pytest.approx(0.3)
    assert np.isnan([found["negative_mean"], found["d_prime"], found["overlap"]]).all()


def test_replicates_are_those_of_the_clips_that_are_left(normal):
    scores, labels = normal[0][:40], normal[1][:40]
    profile = separation.text_audio_profile(scores, labels, bins=30)
    measured = separation.measure(profile, np.arange(len(labels)), RESAMPLING)
    sets, n_sets = deal(np.arange(40), RESAMPLING)
    for r in range(n_sets):
        rows = sets != r
        left = separation.text_audio_profile(scores[rows], labels[rows], bins=30)
        plain = separation.measure(left, np.arange(rows.sum()), Resampling(0))
        for one, expected in zip(measured, plain, strict=True):
            assert one.replicates[r] == pytest.approx(expected.value)
    assert all(one.ci_low < one.value < one.ci_high for one in measured[:3])


def test_variants_are_pooled(normal):
    scores, labels = normal[0][:20], normal[1][:20]
    one = separation.text_audio_profile(scores, labels, bins=10)
    two = separation.text_audio_profile(np.stack([scores, scores]), labels, bins=10)
    for single, double in zip(one, two, strict=True):
        np.testing.assert_allclose(double, 2 * single)


def test_clip_pairs_are_all_pairs_but_oneself():
    rng = np.random.default_rng(1)
    vectors, labels = rng.normal(size=(30, 5)), rng.integers(0, 3, 30)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = unit @ unit.T
    same = labels[:, None] == labels
    profile = separation.clip_pair_profile(vectors, labels, bins=10, max_others=30, seed=0)
    off = ~np.eye(30, dtype=bool)
    for counts, kind in [(profile.positive, same & off), (profile.negative, ~same)]:
        np.testing.assert_array_equal(
            counts.sum(axis=0), np.histogram(cosines[kind], bins=10, range=(-1, 1))[0]
        )
    found = values(separation.measure(profile, np.arange(len(labels)), RESAMPLING))
    assert found["positive_mean"] == pytest.approx(cosines[same & off].mean())
    assert found["negative_mean"] == pytest.approx(cosines[~same].mean())
    spread = np.sqrt((cosines[same & off].var() + cosines[~same].var()) / 2)
    assert found["d_prime"] == pytest.approx(
        (cosines[same & off].mean() - cosines[~same].mean()) / spread
    )


@pytest.mark.parametrize("max_others", [40, 25])
def test_a_replicate_of_clip_pairs_lacks_both_clips(max_others):
    rng = np.random.default_rng(7)
    vectors, labels = rng.normal(size=(40, 5)), rng.integers(0, 3, 40)
    groups = np.repeat(np.arange(20), 2)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines, same = unit @ unit.T, labels[:, None] == labels
    others = np.ones(40, dtype=bool)
    if max_others < 40:
        others[:] = False
        others[np.random.default_rng(RESAMPLING.seed).choice(40, 25, replace=False)] = True
    pairs = (groups[:, None] != groups) & others
    measured = separation.measure_clip_pairs(
        vectors, labels, groups, RESAMPLING, bins=200, max_others=max_others
    )
    sets, n_sets = deal(groups, RESAMPLING)
    assert n_sets == 20
    for one, kind in zip(measured[:2], (same, ~same), strict=True):
        assert one.value == pytest.approx(cosines[kind & pairs].mean()) and one.n_groups == 20
        for r in range(n_sets):
            left = np.outer(sets != r, sets != r) & pairs & kind
            assert one.replicates[r] == pytest.approx(cosines[left].mean())
    spread = (cosines[same & pairs].var() + cosines[~same & pairs].var()) / 2
    apart = measured[0].value - measured[1].value
    assert measured[2].value == pytest.approx(apart / np.sqrt(spread))


def test_clip_pairs_have_values_without_replicates():
    vectors, labels = np.random.default_rng(8).normal(size=(12, 4)), np.arange(12) % 2
    keywords = {"bins": 9, "max_others": 50}
    plain, whole = (
        separation.measure_clip_pairs(vectors, labels, np.arange(12), how, **keywords)
        for how in (Resampling(0), RESAMPLING)
    )
    assert values(plain) == pytest.approx(values(whole))
    assert all(np.isnan(one.ci_low) and not one.interval for one in plain)


def test_clip_pairs_can_be_a_seeded_sample():
    rng = np.random.default_rng(2)
    vectors, labels = rng.normal(size=(50, 4)), rng.integers(0, 2, 50)
    sample = separation.clip_pair_profile(vectors, labels, bins=8, max_others=10, seed=0)
    pairs = sample.positive_moments[:, 0] + sample.negative_moments[:, 0]
    assert set(pairs) == {9.0, 10.0} and (pairs == 9).sum() == 10
    again = separation.clip_pair_profile(vectors, labels, bins=8, max_others=10, seed=0)
    np.testing.assert_array_equal(sample.positive, again.positive)


def test_cosines_beyond_one_by_rounding_are_counted():
    profile = separation.text_audio_profile(
        np.array([[1.0000001, -1.0000001]]), np.array([0]), bins=5
    )
    assert profile.positive[0, 4] == 1 and profile.negative[0, 0] == 1


def test_modality_gap_is_the_distance_of_centroids():
    angle = np.linspace(-0.5, 0.5, 11)
    audio = np.stack([np.cos(angle), np.sin(angle), np.zeros(11)], axis=1)
    text = np.array([[0.0, 0.0, 3.0]])  # its length does not matter
    gap = separation.measure_modality_gap(audio, text, np.arange(11), RESAMPLING)
    assert gap.value == pytest.approx(np.hypot(np.cos(angle).mean(), 1))
    assert gap.ci_low < gap.value < gap.ci_high
    same = separation.measure_modality_gap(audio, audio, np.arange(11), RESAMPLING)
    assert same.value == pytest.approx(0)


def test_bad_vectors_are_refused():
    good, labels = np.eye(2), np.array([0, 1])
    for bad in (np.zeros((2, 2)), np.full((2, 2), np.nan), np.zeros((0, 2)), np.ones(2)):
        with pytest.raises(DataError, match="audio vectors"):
            separation.clip_pair_profile(bad, labels, bins=3, max_others=5, seed=0)
        with pytest.raises(DataError, match="text vectors"):
            separation.measure_modality_gap(good, bad, labels, RESAMPLING)
    with pytest.raises(DataError, match="not joint"):
        separation.measure_modality_gap(good, np.eye(3), labels, RESAMPLING)
    with pytest.raises(DataError, match="groups have shape"):
        profile = separation.text_audio_profile(good, labels, bins=3)
        separation.measure(profile, labels[:1], RESAMPLING)


@pytest.mark.parametrize("cells", [1, 70, 10**6])
def test_blocks_of_clips_and_their_sum_are_the_whole(normal, monkeypatch, cells):
    scores, labels = normal[0][:50], normal[1][:50]
    vectors = np.random.default_rng(1).normal(size=(50, 6))
    pairs = {"bins": 9, "max_others": 30, "seed": 0}
    whole = (
        separation.text_audio_profile(scores, labels, bins=9),
        separation.clip_pair_profile(vectors, labels, **pairs),
    )
    monkeypatch.setattr(blocks, "CELLS", cells)
    for summed in (False, True):
        parts = (
            separation.text_audio_profile(scores, labels, bins=9, summed=summed),
            separation.clip_pair_profile(vectors, labels, **pairs, summed=summed),
        )
        for one, expected in zip(parts, whole, strict=True):
            for found, all_rows in zip(one, expected, strict=True):
                wanted = all_rows.sum(axis=0, keepdims=True) if summed else all_rows
                np.testing.assert_allclose(found, wanted, rtol=1e-12)
