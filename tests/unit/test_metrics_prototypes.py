"""Audio-only prototypes: released numbers to the digit, and scikit-learn as a second opinion."""

import csv
from pathlib import Path

import numpy as np
import pytest
from sklearn.neighbors import NearestCentroid

from listenread.errors import ConfigError, DataError
from listenread.metrics import prototypes
from listenread.metrics.classification import evaluate


@pytest.fixture(scope="module")
def released(shared_mirror):
    """Released MusCALL pre-joint audio vectors, labels and official TinySOL folds."""
    (folder,) = shared_mirror.glob(
        "raw.githubusercontent.com/YannisBilly/i_can_listen_but_cannot_read/*"
    )
    vectors = np.load(folder / "model_embeddings/muscall/audio/pre_joint/tinysol.npy")
    with (folder / "tinysol_groundtruth_reordered.csv").open() as file:
        _, *rows = csv.reader(file)
    labels = np.array([row[1:].index("1") for row in rows])
    metadata = shared_mirror / "zenodo.org/record/3685367/files/TinySOL_metadata.csv"
    with metadata.open() as file:
        fold_of = {Path(row["Path"]).stem: int(row["Fold"]) for row in csv.DictReader(file)}
    return vectors, labels, np.array([fold_of[row[0]] for row in rows])


def test_published_reproduces_the_released_row(released):
    vectors, labels, _ = released
    scores = prototypes.scores(vectors, labels, 14, protocol="published")
    values = evaluate(scores, labels)
    assert [values[f"top_{k}"] for k in range(1, 6)] == [
        0.483693786474425,
        0.6515619636113972,
        0.7329213868863714,
        0.7950566426364573,
        0.8499828355647099,
    ]
    assert values["f1_weighted"] == 0.48330643392577294
    # The released areas were computed in float32 on another machine.
    assert values["roc_auc_macro"] == pytest.approx(0.7210654285871225, abs=5e-7)
    assert values["pr_auc_macro"] == pytest.approx(0.27946752165185235, abs=5e-7)


def test_corrected_holds_the_official_fold_out(released):
    vectors, labels, folds = released
    scores = prototypes.scores(vectors, labels, 14, protocol="corrected", folds=folds)
    assert round(evaluate(scores, labels)["top_1"], 3) == 0.458


def test_corrected_is_the_nearest_centroid_of_the_other_folds():
    rng = np.random.default_rng(0)
    labels, folds = rng.integers(0, 4, 80), rng.integers(0, 3, 80)
    vectors = rng.normal(size=(80, 6)) + 2 * np.eye(4, 6)[labels]
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    scores = prototypes.scores(vectors, labels, 4, protocol="corrected", folds=folds)
    for fold in range(3):
        test = folds == fold
        centroids = NearestCentroid().fit(vectors[~test], labels[~test]).centroids_
        centroids /= np.linalg.norm(centroids, axis=1, keepdims=True)
        np.testing.assert_allclose(scores[test], unit[test] @ centroids.T, atol=1e-12)


def test_leave_one_out_is_one_fold_for_each_clip():
    rng = np.random.default_rng(1)
    labels = np.repeat(np.arange(3), [1, 2, 9])
    vectors = rng.normal(size=(12, 5))
    np.testing.assert_allclose(
        prototypes.scores(vectors, labels, 4, protocol="corrected"),
        prototypes.scores(vectors, labels, 4, protocol="corrected", folds=np.arange(12)),
        atol=1e-12,
    )


@pytest.mark.parametrize("kept", [None, np.arange(40) % 7 > 0])
def test_leave_one_group_out_is_one_fold_for_each_group(kept):
    """Groups of one class, of two classes, and of a whole class."""
    rng = np.random.default_rng(2)
    labels = np.where(np.arange(40) < 4, 3, rng.integers(0, 3, 40))
    groups = np.where(np.arange(40) < 4, 99, rng.integers(0, 9, 40))
    vectors = rng.normal(size=(40, 5))
    found, wanted = (
        prototypes.scores(vectors, labels, 4, protocol="corrected", kept=kept, **how)
        for how in ({"groups": groups}, {"folds": groups})
    )
    used = slice(None) if kept is None else kept
    np.testing.assert_allclose(found[used], wanted[used], atol=1e-6 if kept is not None else 1e-12)
    assert (found[1:4, 3] == -1).all()


@pytest.mark.parametrize("how", [{}, {"folds": np.arange(40) % 3}, {"groups": np.arange(40) // 3}])
@pytest.mark.parametrize("protocol", ["published", "corrected"])
def test_blocks_of_clips_change_nothing(how, protocol, monkeypatch):
    rng = np.random.default_rng(3)
    vectors, labels = rng.normal(size=(40, 5)), rng.integers(0, 3, 40)
    kept = np.arange(40) % 7 > 0
    whole = prototypes.scores(vectors, labels, 4, protocol=protocol, kept=kept, **how)
    assert whole.dtype == np.float32
    monkeypatch.setattr(prototypes, "_ROWS", 7)
    blocks = prototypes.scores(vectors, labels, 4, protocol=protocol, kept=kept, **how)
    np.testing.assert_allclose(blocks, whole, atol=1e-6)
    exact = prototypes.scores(vectors, labels, 4, protocol=protocol, **how)
    assert exact.dtype == np.float64


def test_all_clips_of_one_class_are_like_their_mean():
    vectors = np.random.default_rng(4).normal(size=(6, 3))
    found = prototypes.scores(vectors, np.zeros(6, dtype=int), 1, protocol="published")
    mean = vectors.mean(axis=0)
    cosines = vectors @ mean / np.linalg.norm(vectors, axis=1) / np.linalg.norm(mean)
    np.testing.assert_allclose(found[:, 0], cosines)


def test_a_clip_never_sees_itself():
    """On noise `published` beats chance by itself, `corrected` does not."""
    rng = np.random.default_rng(4)
    labels = np.tile(np.arange(20), 10)
    vectors = rng.normal(size=(200, 50))
    in_sample = prototypes.scores(vectors, labels, 20, protocol="published")
    held_out = prototypes.scores(vectors, labels, 20, protocol="corrected")
    assert evaluate(in_sample, labels)["top_1"] > 0.5
    assert evaluate(held_out, labels)["top_1"] < 0.12


def test_a_class_without_a_prototype_scores_lowest():
    vectors = np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]])
    labels = np.array([0, 0, 1])
    in_sample = prototypes.scores(vectors, labels, 3, protocol="published")
    held_out = prototypes.scores(vectors, labels, 3, protocol="corrected")
    assert (in_sample[:, 2] == -1).all() and (held_out[:, 2] == -1).all()
    assert held_out[2, 1] == -1 and in_sample[2, 1] == pytest.approx(1)


@pytest.mark.parametrize(
    ("vectors", "labels", "folds", "message"),
    [
        (np.array([[1.0, np.nan], [1, 1]]), [0, 1], None, r"1 clip\(s\).*NaN"),
        (np.array([[0.0, 0.0], [1, 1]]), [0, 1], None, r"1 clip\(s\) have a zero vector"),
        (np.ones((2, 2)), [0, 5], None, "from 0 to 5 of 2 classes"),
        (np.ones((2, 2)), [0, 2], None, "from 0 to 2 of 2 classes"),
        (np.ones((2, 2)), [0], None, "one integer a clip"),
        (np.ones((0, 2)), [], None, "at least one"),
        (np.ones((2, 2)), [0, 1], [3, 3], "one fold"),
        (np.ones((2, 2)), [0, 1], [3], "folds have shape"),
    ],
)
def test_what_has_no_prototype_is_refused(vectors, labels, folds, message):
    with pytest.raises(DataError, match=message):
        prototypes.scores(
            vectors, np.array(labels, dtype=int), 2, protocol="corrected", folds=folds
        )


def test_unknown_protocol_is_refused():
    with pytest.raises(ConfigError, match="neither"):
        prototypes.scores(np.ones((1, 1)), np.array([0]), 1, protocol="fair")
