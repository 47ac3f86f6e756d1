"""Ceilings on the audio vectors: a probe against scikit-learn's own cross-validation."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import PredefinedSplit, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from listenread.errors import DataError
from listenread.metrics import probes, prototypes
from listenread.metrics.classification import evaluate

PROBE = {"inverse_regularisation": 1.0, "tolerance": 1e-8, "max_iterations": 10_000}


@pytest.fixture(scope="module")
def case():
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(4), 30)
    vectors = rng.normal(size=(120, 8)) + 2 * np.eye(4, 8)[labels]
    return vectors, labels, probes.stratified_folds(labels, n_folds=3, seed=0)


def test_linear_probe_is_cross_validated_logistic_regression(case):
    vectors, labels, folds = case
    reference = cross_val_predict(
        make_pipeline(StandardScaler(), LogisticRegression(C=1.0, tol=1e-8, max_iter=10_000)),
        vectors,
        labels,
        cv=PredefinedSplit(folds),
        method="predict_proba",
    )
    scores = probes.linear_probe(vectors, labels, 4, folds, **PROBE)
    np.testing.assert_allclose(scores, reference)
    assert evaluate(scores, labels)["top_1"] > 0.75


def test_k_nearest_is_cross_validated(case):
    vectors, labels, folds = case
    reference = cross_val_predict(
        KNeighborsClassifier(5, metric="cosine", weights="distance"),
        vectors,
        labels,
        cv=PredefinedSplit(folds),
        method="predict_proba",
    )
    np.testing.assert_allclose(probes.k_nearest(vectors, labels, 4, folds, neighbours=5), reference)


def test_more_neighbours_than_clips_are_all_clips():
    vectors, labels = np.eye(4) + 0.1, np.array([0, 1, 0, 1])
    scores = probes.k_nearest(vectors, labels, 2, np.array([0, 0, 1, 1]), neighbours=99)
    np.testing.assert_allclose(scores.sum(axis=1), 1)


def test_neighbours_are_as_many_as_the_smallest_training_set_has(case):
    vectors, labels = case[0][:13], np.arange(13) % 2
    folds = np.repeat([0, 1], [9, 4])  # of four and of nine clips that are trained on
    found = probes.k_nearest(vectors, labels, 2, folds, neighbours=99)
    np.testing.assert_array_equal(found, probes.k_nearest(vectors, labels, 2, folds, neighbours=4))
    assert (found != probes.k_nearest(vectors, labels, 2, folds, neighbours=3)).any()
    one = probes.k_nearest(vectors, labels, 2, folds, neighbours=1)
    assert set(one.ravel()) == {0.0, 1.0}


def test_probes_find_what_prototypes_cannot():
    """Two classes on either side of a third, with the same mean direction."""
    rng = np.random.default_rng(3)
    labels = np.tile([0, 1], 100)
    angle = np.where(labels == 0, rng.choice([-1.0, 1.0], 200), 0) + rng.normal(0, 0.1, 200)
    vectors = np.stack([np.cos(angle), np.sin(angle), angle**2], axis=1)
    folds = probes.stratified_folds(labels, n_folds=4, seed=0)
    plane = vectors[:, :2]
    accuracy = {
        "prototypes": prototypes.scores(plane, labels, 2, protocol="corrected", folds=folds),
        "k_nearest": probes.k_nearest(plane, labels, 2, folds, neighbours=5),
    }
    accuracy = {k: evaluate(s, labels)["top_1"] for k, s in accuracy.items()}
    assert accuracy["k_nearest"] > 0.98 > 0.9 > accuracy["prototypes"]


def test_a_class_that_was_not_trained_on_gets_no_probability(case):
    vectors, labels, folds = case
    folds = np.where(labels == 3, 0, folds)
    for scores in (
        probes.linear_probe(vectors, labels, 5, folds, **PROBE),
        probes.k_nearest(vectors, labels, 5, folds, neighbours=3),
    ):
        assert (scores[folds == 0, 3] == 0).all() and (scores[folds == 1, 3] > 0).any()
        assert (scores[:, 4] == 0).all()
        np.testing.assert_allclose(scores.sum(axis=1), 1)
    with pytest.raises(DataError, match="only one class left"):
        probes.linear_probe(vectors, labels, 4, (labels == 3).astype(int), **PROBE)


def test_unfinished_training_is_said(case):
    vectors, labels, folds = case
    with pytest.warns(UserWarning, match="fold.s. 0, 1, 2: allow more iterations"):
        probes.linear_probe(vectors, labels, 4, folds, **PROBE | {"max_iterations": 1})


def test_folds_are_stratified_and_seeded():
    labels = np.repeat(np.arange(3), [10, 7, 3])
    folds = probes.stratified_folds(labels, n_folds=3, seed=1)
    for label in range(3):
        sizes = np.bincount(folds[labels == label], minlength=3)
        assert sizes.max() - sizes.min() <= 1
    assert np.bincount(folds).max() - np.bincount(folds).min() <= 1
    np.testing.assert_array_equal(folds, probes.stratified_folds(labels, n_folds=3, seed=1))
    assert (folds != probes.stratified_folds(labels, n_folds=3, seed=2)).any()


def test_folds_never_split_a_group():
    rng = np.random.default_rng(3)
    groups = rng.integers(0, 40, 200)
    labels = groups % 4
    folds = probes.stratified_folds(labels, n_folds=5, seed=1, groups=groups)
    assert all(len(set(folds[groups == group])) == 1 for group in set(groups))
    first = np.unique(groups, return_index=True)[1]
    for label in range(4):
        sizes = np.bincount(folds[first][labels[first] == label], minlength=5)
        assert sizes.max() - sizes.min() <= 1
    own = np.arange(200)
    np.testing.assert_array_equal(
        probes.stratified_folds(labels, n_folds=5, seed=1, groups=own),
        probes.stratified_folds(labels, n_folds=5, seed=1),
    )


@pytest.mark.parametrize(
    ("vectors", "labels", "folds", "message"),
    [
        (np.full((2, 2), np.nan), [0, 1], [0, 1], "2 clip"),
        (np.zeros((0, 2)), [], [], "at least one"),
        (np.ones((2, 2)), [0, 4], [0, 1], "from 0 to 4"),
        (np.ones((2, 2)), [0, 2], [0, 1], "from 0 to 2"),
        (np.ones((2, 2)), [0, 1], [0, 0], "one fold"),
        (np.ones((2, 2)), [0, 1], [0], "folds"),
    ],
)
def test_what_cannot_be_trained_is_refused(vectors, labels, folds, message):
    labels, folds = np.array(labels, dtype=int), np.array(folds, dtype=int)
    with pytest.raises(DataError, match=message):
        probes.linear_probe(vectors, labels, 2, folds, **PROBE)
    with pytest.raises(DataError, match=message):
        probes.k_nearest(vectors, labels, 2, folds, neighbours=1)


def test_the_last_bits_of_the_vectors_do_not_matter():
    """Vectors of another batch size differ in the last bits of float32; the numbers must not."""
    random = np.random.default_rng(5)
    labels = np.arange(120) % 4
    vectors = (random.normal(size=(120, 48)) + 0.3 * labels[:, None]).astype(np.float32)
    folds = probes.stratified_folds(labels, n_folds=3, seed=0)
    wanted = probes.linear_probe(vectors, labels, 4, folds, **PROBE)
    other = np.nextafter(vectors, np.float32(np.inf))
    found = probes.linear_probe(other, labels, 4, folds, **PROBE)
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    loose = PROBE | {"tolerance": 1e-2}
    early = probes.linear_probe(vectors, labels, 4, folds, **loose)
    assert np.abs(early - wanted).max() > 1e-3  # the tolerance is what does it
