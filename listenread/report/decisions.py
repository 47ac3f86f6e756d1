"""What a model decided, clip by clip, in the compact form that the page's script reads."""

import base64
from dataclasses import dataclass
from typing import Any

import numpy as np

from listenread.errors import Unavailable
from listenread.metrics.classification import confusion_matrix
from listenread.metrics.scored import rank_of_label
from listenread.tasks.cell import Cell

#: How many of a clip's labels are kept.
TOP = 5


@dataclass(frozen=True)
class Decisions:
    """Zero-shot decisions on all clips of a dataset by one prompt.

    A prompt with variants is shown by its first one.

    Attributes:
        dataset: its name.
        model: its name.
        prompt: its name.
        confusion: clips by true class (rows) and predicted class (columns), int64, shape (C, C).
        top: uint16, shape (n, k): the classes of the k largest similarities, largest first.
        similarity: float32, shape (n, k): these similarities.
        rank: uint16, shape (n,): rank of the true class, from 0.
        own: float32, shape (n,): similarity of the true class.
        variants: how many the prompt has.
    """

    dataset: str
    model: str
    prompt: str
    confusion: np.ndarray
    top: np.ndarray
    similarity: np.ndarray
    rank: np.ndarray
    own: np.ndarray
    variants: int

    @property
    def bytes(self) -> int:
        """Size on the page, roughly: base64 takes 4 characters for 3 bytes."""
        arrays = (self.top, self.similarity, self.rank, self.own)
        return sum(array.nbytes for array in arrays) * 4 // 3

    def as_json(self) -> dict[str, Any]:
        """Give what the page's script reads; arrays are little-endian, in base64."""
        return {
            "k": self.top.shape[1],
            "top": to_base64(self.top, "<u2"),
            "similarity": to_base64(self.similarity, "<f4"),
            "rank": to_base64(self.rank, "<u2"),
            "own": to_base64(self.own, "<f4"),
        }


def read_decisions(cell: Cell) -> Decisions | None:
    """Read the decisions on the clips of a cell that has a manifest and scores.

    Returns:
        None where there are no scores, or clips do not have exactly one label.
    """
    try:
        loaded = cell.scores()
        labels = cell.target(loaded.clip_ids).labels
    except Unavailable:
        return None
    scores = loaded.values[0]  # (n, C)
    best = np.argsort(-scores, axis=1, kind="stable")[:, : min(TOP, len(loaded.classes))]
    return Decisions(
        **cell.keys,
        confusion=confusion_matrix(scores, labels),
        top=best.astype(np.uint16),
        similarity=np.take_along_axis(scores, best, axis=1).astype(np.float32),
        rank=rank_of_label(scores, labels).astype(np.uint16),
        own=scores[np.arange(len(labels)), labels].astype(np.float32),
        variants=len(loaded.values),
    )


def to_base64(array: np.ndarray, dtype: str) -> str:
    """Encode an array's bytes, row by row."""
    return base64.b64encode(np.ascontiguousarray(array, dtype=dtype).tobytes()).decode("ascii")
