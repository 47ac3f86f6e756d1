"""Audio-only classification: a class is represented by the mean vector of its clips.

The scores that come out are cosines, float64 of shape (n, C), and go through the metrics of
`listenread.metrics.classification`.

Source: Vasilakis, Bittner and Pauwels, ISMIR 2024, arXiv 2407.18058, section "audio-only", and the
released `evaluation_output/audio_only/*.csv`, which the protocol `published` reproduces to the last
digit for MusCALL's pre-joint vectors.
"""

from collections.abc import Iterator
from typing import Literal

import numpy as np

from listenread.errors import ConfigError, DataError

PrototypeProtocol = Literal["published", "corrected"]
#: Vectors that are computed with, in float64, at a time: the rest stays as it was given.
_ROWS = 8192


def scores(
    vectors: np.ndarray,
    labels: np.ndarray,
    n_classes: int,
    *,
    protocol: PrototypeProtocol,
    folds: np.ndarray | None = None,
    kept: np.ndarray | None = None,
    groups: np.ndarray | None = None,
) -> np.ndarray:
    """Score each clip by its cosine with the prototype of each class.

    A prototype is the L2-normalised mean of the class's vectors. `published` takes all clips, the
    clip under test included. `corrected` takes the clips of the other folds; without folds it takes
    all clips but the one under test and those of its group (leave-one-group-out).

    Args:
        vectors: audio vectors, joint or pre-joint, shape (n, d), finite and not zero.
        labels: class indices, shape (n,).
        n_classes: C, at least every label + 1.
        protocol: see above.
        folds: fold of each clip, shape (n,), at least two different ones; only for `corrected`.
        kept: bool, shape (n,): the clips that prototypes are made from; None for all.
        groups: int, shape (n,): clips that are not independent share one; only without folds, which
            are by group themselves. None where each clip is on its own.

    Returns:
        Shape (n, C), in [-1, 1], float64; float32 with `kept`, which is asked for beside scores of
        all clips, as large as these. A class that has no clip to make a prototype from (none
        in the other folds or groups) scores -1: it cannot be recognised.

    Raises:
        DataError: vectors that are NaN, infinite or zero, or do not fit the labels or folds.
        ConfigError: an unknown protocol.

    Example:
        >>> vectors = np.array([[1.0, 0.0], [1.0, 0.2], [0.0, 1.0], [0.1, 1.0]])
        >>> labels = np.array([0, 0, 1, 1])
        >>> scores(vectors, labels, 2, protocol="corrected").argmax(axis=1).tolist()
        [0, 0, 1, 1]
    """
    vectors, labels, folds = _check(vectors, labels, n_classes, protocol, folds)
    dtype = np.float64 if kept is None else np.float32
    result = np.empty((len(vectors), n_classes), dtype)
    if protocol == "published" or folds is None:
        everything = np.ones(len(vectors), dtype=bool)
        used = everything if kept is None else kept
        sums = _sums(vectors, labels, n_classes, used)
        _write_cosines(result, vectors, sums, everything)
        if protocol == "corrected":
            if groups is None or len(np.unique(groups)) == len(groups):
                _leave_one_out(result, vectors, labels, sums, used)
            else:
                _leave_group_out(result, vectors, labels, sums, used, np.asarray(groups))
        return result
    for fold in np.unique(folds):
        held_out = folds == fold
        # Summed afresh: a difference of sums would leave rounding noise where a class is empty.
        sums = _sums(vectors, labels, n_classes, ~held_out if kept is None else kept & ~held_out)
        _write_cosines(result, vectors, sums, held_out)
    return result


def _blocks(vectors: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    for start in range(0, len(vectors), _ROWS):
        rows = slice(start, start + _ROWS)
        yield rows, np.asarray(vectors[rows], dtype=np.float64)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _sums(
    vectors: np.ndarray, labels: np.ndarray, n_classes: int, wanted: np.ndarray
) -> np.ndarray:
    """Sum of each class's wanted vectors, shape (C, d); the mean points the same way."""
    sums = np.zeros((n_classes, vectors.shape[1]))
    for rows, block in _blocks(vectors):
        of_class = labels[rows]
        for index in np.unique(of_class[wanted[rows]]):
            sums[index] += block[(of_class == index) & wanted[rows]].sum(axis=0)
    return sums


def _write_cosines(
    result: np.ndarray, vectors: np.ndarray, sums: np.ndarray, wanted: np.ndarray
) -> None:
    for rows, block in _blocks(vectors):
        result[rows][wanted[rows]] = _cosines(_unit(block[wanted[rows]]), sums)


def _cosines(unit: np.ndarray, sums: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(sums, axis=1)
    prototypes = sums / np.where(length > 0, length, 1.0)[:, None]
    return np.where(length > 0, unit @ prototypes.T, -1.0)


def _leave_one_out(
    result: np.ndarray,
    vectors: np.ndarray,
    labels: np.ndarray,
    sums: np.ndarray,
    kept: np.ndarray,
) -> None:
    """Write over each kept clip's cosine with its own class that with the rest of the class."""
    clips = np.bincount(labels[kept], minlength=len(sums))
    for rows, block in _blocks(vectors):
        used = np.flatnonzero(kept[rows])
        block, own_class = block[used], labels[rows][used]
        unit = _unit(block)
        own = sums[own_class] - block  # (rows, d)
        length = np.linalg.norm(own, axis=1)
        cosine = np.einsum("nd,nd->n", unit, own) / np.where(length > 0, length, 1.0)
        alone = (clips[own_class] == 1) | (length == 0)
        result[rows][used, own_class] = np.where(alone, -1.0, cosine)


def _leave_group_out(
    result: np.ndarray,
    vectors: np.ndarray,
    labels: np.ndarray,
    sums: np.ndarray,
    kept: np.ndarray,
    groups: np.ndarray,
) -> None:
    """Write over each kept clip's cosine with a class of its group that with the rest of the class.

    A class of which nothing is left scores -1.
    """
    clips = np.bincount(labels[kept], minlength=len(sums))
    rows = np.flatnonzero(kept)
    rows = rows[np.lexsort((labels[rows], groups[rows]))]
    ends = np.flatnonzero(np.diff(groups[rows])) + 1
    for group in np.split(rows, ends):
        block = np.asarray(vectors[group], dtype=np.float64)  # (m, d)
        unit = _unit(block)
        for index in np.unique(labels[group]):
            own = labels[group] == index
            rest = sums[index] - block[own].sum(axis=0)  # (d,)
            length = np.linalg.norm(rest)
            alone = clips[index] == own.sum() or length == 0
            result[group, index] = -1.0 if alone else unit @ rest / length


def _check(
    vectors: np.ndarray,
    labels: np.ndarray,
    n_classes: int,
    protocol: str,
    folds: np.ndarray | None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    if protocol not in ("published", "corrected"):
        raise ConfigError(f"protocol {protocol!r} is neither 'published' nor 'corrected'")
    vectors, labels = np.asarray(vectors), np.asarray(labels)
    problems = []
    if vectors.ndim != 2 or not len(vectors):
        problems.append(f"vectors have shape {vectors.shape}, (clips, d) is needed, at least one")
    elif not np.isfinite(vectors).all():
        bad = int((~np.isfinite(vectors)).any(axis=1).sum())
        problems.append(f"{bad} clip(s) have a vector with NaN or infinity")
    elif zero := int((~vectors.any(axis=1)).sum()):
        problems.append(f"{zero} clip(s) have a zero vector, which has no direction")
    if labels.shape != vectors.shape[:1] or labels.dtype.kind not in "iu":
        problems.append(f"labels are {labels.dtype} of shape {labels.shape}, one integer a clip")
    elif labels.size and not 0 <= labels.min() <= labels.max() < n_classes:
        problems.append(
            f"labels reach from {labels.min()} to {labels.max()} of {n_classes} classes"
        )
    if folds is not None:
        folds = np.asarray(folds)
        if folds.shape != labels.shape:
            problems.append(f"folds have shape {folds.shape}, labels {labels.shape}")
        elif len(np.unique(folds)) < 2:
            problems.append("all clips are in one fold; leave folds out for leave-one-group-out")
    if problems:
        raise DataError("prototypes cannot be made: " + "; ".join(problems) + ".")
    return vectors, labels, folds
