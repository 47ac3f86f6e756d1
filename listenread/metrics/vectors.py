"""Vectors with a direction: checked and normalised."""

import numpy as np

from listenread.errors import DataError


def unit_rows(vectors: np.ndarray, what: str) -> np.ndarray:
    """L2-normalise rows in float64.

    Args:
        vectors: shape (n, d), at least one row.
        what: how to call them in an error, e.g. ``text``.

    Raises:
        DataError: another shape, or a row that is zero or not finite.

    Example:
        >>> unit_rows(np.array([[3.0, 4.0]]), "text").tolist()
        [[0.6, 0.8]]
    """
    vectors = np.asarray(vectors, dtype=np.float64)
    if vectors.ndim != 2 or not len(vectors):
        raise DataError(f"{what} vectors have shape {vectors.shape}, (n, d) is needed, not empty")
    length = np.linalg.norm(vectors, axis=1, keepdims=True)  # (n, 1)
    if not np.isfinite(length).all() or (length == 0).any():
        raise DataError(f"{what} vectors hold a zero vector, NaN or infinity")
    return vectors / length
