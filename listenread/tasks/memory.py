"""A cell of arrays in memory, for tasks without a workflow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from listenread.errors import Unavailable
from listenread.metrics.base import Target
from listenread.models.base import Vectors
from listenread.scores import Scores
from listenread.tasks.cell import Cell, Texts


@dataclass
class MemoryCell(Cell):
    """What a task reads, given as arrays; clips are called by their numbers.

    Attributes:
        labels: the C classes, in the order of text vectors and of columns of the similarities.
        targets: labels of the n clips.
        vectors: ``audio`` and ``text`` -> vectors of the clips and of the classes, or None.
        similarities: shape (n, C), or None.
        split: fold of each clip, int, shape (n,), or None.
        together: group of each clip, int, shape (n,); None where each is on its own.
    """

    keys: Mapping[str, str] = field(default_factory=dict)
    labels: list[str] = field(default_factory=list)
    targets: Target = field(default_factory=lambda: Target(0))
    vectors: Mapping[str, Vectors | None] = field(default_factory=dict)
    similarities: np.ndarray | None = None
    split: np.ndarray | None = None
    together: np.ndarray | None = None

    @property
    def classes(self) -> list[str]:
        """The labels in the order of the classes."""
        return self.labels

    def clip_ids(self) -> list[str]:
        """Numbers of the clips, as text."""
        return [str(index) for index in range(len(self.targets))]

    def target(self, clip_ids: Sequence[str]) -> Target:
        """Labels of all clips, whichever are asked for: vectors and similarities are of all."""
        return self.targets

    def groups(self, clip_ids: Sequence[str]) -> np.ndarray:
        """Groups of all clips."""
        return np.arange(len(self.targets)) if self.together is None else self.together

    def folds(self, clip_ids: Sequence[str]) -> np.ndarray | None:
        """Folds of all clips; None where there are fewer than two."""
        return None if self.split is None or len(set(self.split)) < 2 else self.split

    def scores(self) -> Scores:
        """Similarities of clips and classes.

        Raises:
            Unavailable: none were given.
        """
        if self.similarities is None:
            raise Unavailable("neither similarities nor vectors of clips and texts were given")
        values = np.asarray(self.similarities, dtype=np.float32)[None]  # (1, n, C)
        return Scores(self.clip_ids(), values, self.labels, [])

    def audio(self, space: str) -> np.ndarray:
        """Audio vectors of one space, shape (n, d).

        Raises:
            Unavailable: none were given.
        """
        return self._vectors("audio", space)

    def text(self, space: str) -> Texts:
        """Text vectors of one space.

        Raises:
            Unavailable: none were given.
        """
        return Texts(self.labels, self._vectors("text", space)[None])  # (1, C, d)

    def _vectors(self, tower: str, space: str) -> np.ndarray:
        given = self.vectors.get(tower)
        if given is None:
            raise Unavailable(f"no {tower} vectors were given")
        vectors: np.ndarray = getattr(given, space)
        return vectors
