"""Whether the folds of a dataset allow to hold a part of every class out."""

from collections.abc import Sequence

import numpy as np

from listenread.datasets.csv_files import listed


def why_undefined(labels: np.ndarray, folds: np.ndarray, classes: Sequence[str]) -> str | None:
    """Say which classes are in one fold as a whole: none of their clips can ever be recognised.

    Args:
        labels: class indices, shape (n,).
        folds: fold of each clip, shape (n,).
        classes: names of the classes.

    Returns:
        A sentence, or None where every class is in two folds at least.

    Example:
        >>> why_undefined(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), ["flute", "oboe"])
        >>> why_undefined(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1]), ["flute", "oboe"])[:44]
        'not defined: all clips of oboe are in fold 1'
    """
    first = np.full(len(classes), folds.max() + 1)
    last = np.full(len(classes), -1)
    np.minimum.at(first, labels, folds)
    np.maximum.at(last, labels, folds)
    whole = np.flatnonzero(first == last).tolist()
    if not whole:
        return None
    places = listed(f"{classes[index]} are in fold {last[index]}" for index in whole)
    return (
        f"not defined: all clips of {places}. No other fold has a clip that such a class could be "
        "learned from; give folds that every class is spread over, or none"
    )
