"""Semantic triplets: counts and accuracies of the released vectors, and a loop as a reference."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cosine

from listenread import ontology
from listenread.errors import ConfigError, DataError
from listenread.metrics import triplets
from listenread.metrics.base import Resampling
from listenread.metrics.uncertainty import deal

from .test_ontology import TINYSOL

RESAMPLING = Resampling(200)


@pytest.fixture(scope="module")
def tree(repository):
    return ontology.read(repository / "listenread/resources/ontology/doktorski.csv")


@pytest.fixture(scope="module")
def tinysol(tree):
    return tree.distances(TINYSOL), tree.shared_levels(TINYSOL)


@pytest.fixture(scope="module")
def released(published_files):
    """Released MusCALL text vectors of `A {label} track`, by space."""
    (folder,) = published_files.glob(
        "raw.githubusercontent.com/YannisBilly/i_can_listen_but_cannot_read/*/model_embeddings"
    )
    return {
        "joint": np.load(folder / "muscall/text/joint_space/muscall_prompt.npy"),
        "pre_joint": np.load(folder / "muscall/text/pre_joint/muscall_prompt.npy"),
    }


@pytest.mark.parametrize(("space", "value"), [("joint", 0.4135), ("pre_joint", 0.4304)])
def test_published_reproduces_the_released_loop(released, tinysol, space, value):
    outcome = triplets.evaluate(released[space], *tinysol, protocol="published")
    assert outcome.total.sum() == 237
    assert outcome.total[:, :, 0].sum() == 170, "unrelated negatives"
    assert outcome.related().total.sum() == 67, "positives farther than their negatives"
    assert round(outcome.accuracy, 4) == value


def test_published_takes_the_farther_of_two_related_instruments(tinysol):
    distances, _ = tinysol
    for anchor, positive, negative in triplets.by_anchor(distances, protocol="published"):
        assert (positive > anchor).all() and (negative > anchor).all()
        related = np.isfinite(distances[anchor, negative])
        assert (distances[anchor, positive] > distances[anchor, negative])[related].all()


def test_corrected_is_the_definition_as_worded(released, tinysol):
    outcome = triplets.evaluate(released["joint"], *tinysol, protocol="corrected")
    assert outcome.total.sum() == 686
    assert outcome.related().total.sum() == 206
    assert round(outcome.accuracy, 3) == 0.469
    assert round(outcome.related().accuracy, 3) == 0.5


def test_full_ontology(tree):
    labels = tree.instruments
    distances, levels = tree.distances(labels), tree.shared_levels(labels)
    one_hot = np.eye(100)
    outcome = triplets.evaluate(one_hot, distances, levels, protocol="corrected")
    # All cosines are equal: a tie is never right.
    assert outcome.accuracy == 0
    assert outcome.total.sum() == sum(
        (distances[a][:, None] < distances[a][None, :]).sum()
        - (np.arange(100) != a).sum()  # the anchor itself, at distance 0, is no positive
        for a in range(100)
    )


def test_vectors_that_follow_the_tree_are_always_right(tree):
    labels = TINYSOL
    # Gower: similarities that fall with distance, made positive definite, are cosines of vectors.
    distances = tree.distances(labels)
    similarity = 40.0 * np.eye(14) + np.where(np.isinf(distances), 0, 12 - distances) * 0.5
    np.fill_diagonal(similarity, 40)
    vectors = np.linalg.cholesky(similarity)
    outcome = triplets.evaluate(
        vectors, distances, tree.shared_levels(labels), protocol="corrected"
    )
    assert outcome.accuracy == 1
    assert np.nanmin(outcome.by_anchor()) == np.nanmin(outcome.by_level()) == 1


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 8), st.sampled_from(["published", "corrected"]))
def test_agrees_with_a_plain_loop(seed, n, protocol):
    rng = np.random.default_rng(seed)
    places = [tuple("abc"[i] for i in rng.integers(0, 3, 3)) for _ in range(n)]
    tree = ontology.Ontology(
        {str(i): ((*place, str(i)),) for i, place in enumerate(places)},
        {str(i): str(i) for i in range(n)},
    )
    labels = tree.instruments
    distances, levels = tree.distances(labels), tree.shared_levels(labels)
    vectors = rng.normal(size=(n, 3))
    right, total = np.zeros(n, dtype=int), np.zeros(n, dtype=int)
    for a in range(n):
        for p in range(a + 1 if protocol == "published" else 0, n):
            for q in range(a + 1 if protocol == "published" else 0, n):
                if a in (p, q):
                    continue
                near, far = distances[a, p], distances[a, q]
                if protocol == "published":
                    near, far = (-np.nan_to_num(d, posinf=-1) for d in (near, far))
                if near < far:
                    total[a] += 1
                    right[a] += cosine(vectors[a], vectors[p]) < cosine(vectors[a], vectors[q])
    outcome = triplets.evaluate(vectors, distances, levels, protocol=protocol)
    np.testing.assert_array_equal(outcome.right.sum(axis=(1, 2)), right)
    np.testing.assert_array_equal(outcome.total.sum(axis=(1, 2)), total)


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("protocol", ["published", "corrected"])
def test_an_instrument_is_left_out_of_all_three_roles(released, tinysol, protocol, tied):
    """Replicates are those of a tree that never had the instrument."""
    distances, levels = tinysol
    vectors = released["joint"][np.arange(14) % 5] if tied else released["joint"]
    measured = triplets.measure(vectors, *tinysol, protocol=protocol, resampling=RESAMPLING)
    sets, n_sets = deal(np.arange(14), RESAMPLING)
    assert n_sets == 14
    for r in range(n_sets):
        kept = np.flatnonzero(sets != r)
        square = np.ix_(kept, kept)
        outcome = triplets.evaluate(
            vectors[kept], distances[square], levels[square], protocol=protocol
        )
        shares = [outcome.accuracy, outcome.related().accuracy, *outcome.by_level()]
        for one, expected in zip(measured[:2], shares[:2], strict=True):
            assert one.replicates[r] == pytest.approx(expected)


def test_intervals_are_about_as_wide_as_the_instruments_are_few(released, tinysol):
    outcome = triplets.evaluate(released["joint"], *tinysol, protocol="corrected")
    whole, related, *_ = triplets.measure(
        released["joint"], *tinysol, protocol="corrected", resampling=RESAMPLING
    )
    assert (whole.metric, related.metric) == ("accuracy", "accuracy_related")
    assert (whole.value, related.value) == (outcome.accuracy, outcome.related().accuracy)
    assert whole.ci_low < whole.value < whole.ci_high and whole.n_groups == 14
    # The four strings and the accordion's finer relations: only wind instruments ask for more.
    assert (whole.n, related.n) == (14, 9)


def test_chance_is_what_permuted_vectors_earn(tinysol):
    """Some instruments share a vector: ties are wrong."""
    rng = np.random.default_rng(4)
    vectors = rng.normal(size=(5, 8))[np.arange(14) % 5]
    outcome = triplets.evaluate(vectors, *tinysol, protocol="corrected")
    earned = [
        triplets.evaluate(vectors[rng.permutation(14)], *tinysol, protocol="corrected").accuracy
        for _ in range(400)
    ]
    assert outcome.chance < 0.45
    assert np.mean(earned) == pytest.approx(outcome.chance, abs=3 * np.std(earned) / 20)


def test_equal_vectors_tie_whatever_their_place(tinysol):
    rng = np.random.default_rng(6)
    vectors = np.repeat(rng.normal(size=(7, 300)), 2, axis=0)[rng.permutation(14)]
    found = {
        triplets.evaluate(vectors[:, order], *tinysol, protocol="corrected").accuracy
        for order in (slice(None), slice(None, None, -1), rng.permutation(300))
    }
    assert len(found) == 1


@pytest.mark.slow
@pytest.mark.parametrize(("size", "low"), [(14, 0.9), (100, 0.9)])
def test_intervals_of_triplets_cover_the_truth(size, low):
    """Instruments drawn from a large tree with known accuracy: numbers.md had .72 with anchors."""
    rng = np.random.default_rng(1)
    families, centres = 8, rng.normal(size=(8, 6))

    def draw(n):
        family = rng.integers(0, families, n)
        vectors = 0.8 * centres[family] + rng.normal(size=(n, 6))
        same = family[:, None] == family
        return vectors, np.where(same, 2.0, np.inf), np.where(same, 1, 0)

    truth = np.mean(
        [triplets.evaluate(*draw(100), protocol="corrected").accuracy for _ in range(60)]
    )
    covered = 0
    for _ in range(120):
        (one, *_) = triplets.measure(*draw(size), protocol="corrected", resampling=Resampling(60))
        covered += one.ci_low <= truth <= one.ci_high
    assert covered / 120 >= low


def test_variants_are_averaged(released, tinysol):
    both = np.stack([released["joint"], released["joint"][::-1]])
    apart = [
        triplets.measure(v, *tinysol, protocol="corrected", resampling=RESAMPLING)[0] for v in both
    ]
    together = triplets.measure(both, *tinysol, protocol="corrected", resampling=RESAMPLING)[0]
    assert together.value == pytest.approx((apart[0].value + apart[1].value) / 2)
    assert together.p == pytest.approx(0.6, abs=0.4)
    np.testing.assert_allclose(together.replicates, (apart[0].replicates + apart[1].replicates) / 2)


def test_no_triplet_gives_no_value():
    distances, levels = np.array([[0, 2], [2, 0]]), np.array([[2, 1], [1, 2]])
    for one in triplets.measure(
        np.eye(2), distances, levels, protocol="corrected", resampling=RESAMPLING
    ):
        assert np.isnan(one.value) and one.n == 0 and one.interval == "not defined"
    assert np.isnan(triplets.evaluate(np.eye(2), distances, levels, protocol="published").accuracy)


def test_what_cannot_be_judged_is_refused(tinysol):
    with pytest.raises(DataError, match=r"zero.*distances have shape \(14, 14\), \(2, 2\)"):
        triplets.evaluate(np.array([[0.0, 0], [0, 1]]), *tinysol, protocol="corrected")
    with pytest.raises(DataError, match="NaN"):
        triplets.evaluate(np.full((14, 3), np.nan), *tinysol, protocol="corrected")
    with pytest.raises(DataError, match="no variant"):
        triplets.measure(np.ones((0, 14, 3)), *tinysol, protocol="corrected", resampling=RESAMPLING)
    with pytest.raises(ConfigError, match="neither"):
        triplets.evaluate(np.eye(14), *tinysol, protocol="fair")


def test_accuracy_by_level_of_the_tree_adds_up_to_the_whole(released, tinysol):
    outcome = triplets.evaluate(released["joint"], *tinysol, protocol="corrected")
    _, _, *by_level = triplets.measure(
        released["joint"], *tinysol, protocol="corrected", resampling=RESAMPLING
    )
    levels = [int(one.metric.removeprefix("accuracy_level_")) for one in by_level]
    np.testing.assert_array_equal([one.value for one in by_level], outcome.by_level()[levels])
    parts = [outcome.at_level(level) for level in levels]
    assert sum(part.total.sum() for part in parts) == outcome.total.sum() == 686
    assert sum(part.right.sum() for part in parts) == outcome.right.sum()
