"""Ceilings of what the audio tower knows: a linear probe and nearest neighbours on its vectors.

Prototypes can only use the directions in which class means differ; these two are trained on labels
and say what is in the vectors at all. Both predict every clip from the other folds. The scores that
come out go through the metrics of `listenread.metrics.classification`.

Source: linear probe, Alain and Bengio, arXiv 1610.01644; standardised multinomial logistic
regression and nearest neighbours as scikit-learn implements them.
"""

import warnings
from typing import Any

import numpy as np

from listenread.errors import DataError


def linear_probe(
    vectors: np.ndarray,
    labels: np.ndarray,
    n_classes: int,
    folds: np.ndarray,
    *,
    inverse_regularisation: float,
    tolerance: float,
    max_iterations: int,
) -> np.ndarray:
    """Predict each clip by a logistic regression that is trained on the other folds.

    Vectors are standardised by the mean and deviation of the training folds.

    Args:
        vectors: shape (n, d), finite.
        labels: class indices, shape (n,).
        n_classes: C.
        folds: fold of each clip, shape (n,); see `stratified_folds` where a dataset has none.
        inverse_regularisation: scikit-learn's `C`; larger fits closer.
        tolerance: the solver stops where no gradient is larger; a loose one makes the outcome
            depend on the last bits of the vectors.
        max_iterations: of the solver in each fold; a warning says if that was too few.

    Returns:
        Probabilities, float64, shape (n, C); 0 for a class that the other folds do not have.

    Raises:
        DataError: vectors, labels and folds that do not fit, or a training set of one class.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    probe = make_pipeline(
        StandardScaler(copy=False),  # what it is given is a copy already
        LogisticRegression(C=inverse_regularisation, tol=tolerance, max_iter=max_iterations),
    )
    # in float32 the solver could not come as near as the tolerance asks for
    return _by_fold(probe, vectors, labels, n_classes, folds, np.float64)


def k_nearest(
    vectors: np.ndarray,
    labels: np.ndarray,
    n_classes: int,
    folds: np.ndarray,
    *,
    neighbours: int,
) -> np.ndarray:
    """Predict each clip by its nearest clips of the other folds, by cosine.

    Neighbours vote with the inverse of their cosine distance: ties between classes are rare.

    Args:
        vectors: shape (n, d), finite.
        labels: class indices, shape (n,).
        n_classes: C.
        folds: fold of each clip, shape (n,).
        neighbours: how many; all clips of the other folds where these are fewer.

    Returns:
        Shares of the vote, float64, shape (n, C).

    Raises:
        DataError: vectors, labels and folds that do not fit.
    """
    from sklearn.neighbors import KNeighborsClassifier

    folds = np.asarray(folds)
    smallest = min((int((folds != fold).sum()) for fold in np.unique(folds)), default=0)
    model = KNeighborsClassifier(
        n_neighbors=max(min(neighbours, smallest), 1),
        metric="cosine",
        weights="distance",
        algorithm="brute",
    )
    return _by_fold(model, vectors, labels, n_classes, folds, np.asarray(vectors).dtype)


def stratified_folds(
    labels: np.ndarray, *, n_folds: int, seed: int, groups: np.ndarray | None = None
) -> np.ndarray:
    """Deal the groups of each class to folds in random order, for a dataset without official folds.

    Args:
        labels: class indices, shape (n,).
        n_folds: how many.
        seed: of the order.
        groups: int, shape (n,): clips of one group go to one fold, as if they had the class of its
            first clip; None where each clip is on its own.

    Returns:
        Fold of each clip, int64, shape (n,); numbers of groups within a class differ by at most
        one.

    Example:
        >>> folds = stratified_folds(np.array([0, 0, 0, 0, 1, 1]), n_folds=2, seed=0)
        >>> np.bincount(folds[:4]).tolist(), np.bincount(folds[4:]).tolist()
        ([2, 2], [1, 1])
    """
    if groups is not None:
        _, first, group_of = np.unique(groups, return_index=True, return_inverse=True)
        return stratified_folds(np.asarray(labels)[first], n_folds=n_folds, seed=seed)[group_of]
    labels = np.asarray(labels)
    order = np.random.default_rng(seed).permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    folds = np.empty(len(labels), dtype=np.int64)
    folds[order] = np.arange(len(labels)) % n_folds
    return folds


def _by_fold(
    model: Any,
    vectors: np.ndarray,
    labels: np.ndarray,
    n_classes: int,
    folds: np.ndarray,
    dtype: np.dtype | type,
) -> np.ndarray:
    """Predict each fold from the others; the clips of one side at a time are there as `dtype`."""
    from sklearn.base import clone
    from sklearn.exceptions import ConvergenceWarning

    vectors, labels, folds = np.asarray(vectors), np.asarray(labels), np.asarray(folds)
    _check(vectors, labels, n_classes, folds)
    result = np.zeros((len(labels), n_classes))
    unfinished = []
    for fold in np.unique(folds):
        test = folds == fold
        if len(np.unique(labels[~test])) < 2:
            raise DataError(f"without fold {fold} there is only one class left to train on")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", ConvergenceWarning)
            fitted = clone(model).fit(vectors[~test].astype(dtype, copy=False), labels[~test])
        if any(issubclass(warning.category, ConvergenceWarning) for warning in caught):
            unfinished.append(str(fold))
        result[np.ix_(test, fitted.classes_)] = fitted.predict_proba(
            vectors[test].astype(dtype, copy=False)
        )
    if unfinished:
        warnings.warn(
            f"the probe stopped before it converged, held-out fold(s) {', '.join(unfinished)}: "
            "allow more iterations",
            stacklevel=3,
        )
    return result


def _check(vectors: np.ndarray, labels: np.ndarray, n_classes: int, folds: np.ndarray) -> None:
    problems = []
    if vectors.ndim != 2 or not len(vectors):
        problems.append(f"vectors have shape {vectors.shape}, (clips, d) is needed, at least one")
    elif not np.isfinite(vectors).all():
        bad = int((~np.isfinite(vectors)).any(axis=1).sum())
        problems.append(f"{bad} clip(s) have a vector with NaN or infinity")
    if labels.shape != vectors.shape[:1] or folds.shape != vectors.shape[:1]:
        problems.append(f"labels have shape {labels.shape} and folds {folds.shape}")
    elif labels.size and not 0 <= labels.min() <= labels.max() < n_classes:
        problems.append(
            f"labels reach from {labels.min()} to {labels.max()} of {n_classes} classes"
        )
    elif len(np.unique(folds)) < 2:
        problems.append("all clips are in one fold, nothing can be held out")
    if problems:
        raise DataError("a probe cannot be trained: " + "; ".join(problems) + ".")
