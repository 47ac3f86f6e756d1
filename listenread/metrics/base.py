"""The contract of a metric, and what all metrics are computed from."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from listenread.entries import Registry
from listenread.errors import DataError, Unavailable

if TYPE_CHECKING:
    from listenread.metrics.scored import Resampled

#: A metric without a chance level: what a model that knows nothing reaches is not defined.
NO_CHANCE = float("nan")
#: Groups from which intervals of the jackknife were seen to hold; see docs/uncertainty.md.
ENOUGH_GROUPS = 200


@dataclass(frozen=True)
class Resampling:
    """How uncertainty is measured: a jackknife over groups of clips (or labels, or anchors).

    Attributes:
        n: number of replicates, each without one set of groups; there are fewer where groups are
            fewer. 0 for no interval.
        confidence_level: of the interval, strictly between 0 and 1.
        seed: of the sets; the same for everything that is compared.
        max_bytes: memory for one block of replicates.
    """

    n: int
    confidence_level: float = 0.95
    seed: int = 0
    max_bytes: int = 2**30


@dataclass(frozen=True)
class Scale:
    """Between which bounds values lie, for their intervals.

    Attributes:
        low: smallest value that there can be; -inf for none.
        high: largest value; inf for none.
        share: whether it is the share of clips of which something is true.
        learned: whether replicates learn again, from fewer clips. They are worse for that, which is
            no bias of the value: it is what is learned from as many clips as there are.
        enough: groups below which its interval says that they are few.
    """

    low: float = -math.inf
    high: float = math.inf
    share: bool = False
    learned: bool = False
    enough: int = ENOUGH_GROUPS

    @property
    def bounded(self) -> bool:
        """Whether both bounds are finite."""
        return math.isfinite(self.low) and math.isfinite(self.high)


#: Without bounds, and of differences.
LINEAR = Scale()


@dataclass(frozen=True)
class Measurement:
    """One number with its uncertainty.

    Attributes:
        metric: name of the metric, e.g. ``top_1`` or ``roc_auc_macro``.
        value: from the clips as they are; NaN where the metric is undefined.
        ci_low: lower end of the interval; NaN where there is none.
        ci_high: upper end.
        n: how many clips (anchors, for triplets) the value rests on.
        chance: what a model that knows nothing reaches, by definition; NaN where there is no such
            level.
        n_groups: how many independent groups these clips form.
        interval: the method that gave the interval; see `listenread.metrics.uncertainty`.
        p: probability that a model that knows nothing reaches the value; NaN where that was not
            tested.
        replicates: float64, shape (replicates,): the value without each set of groups.
        scale: bounds of the value, and what its interval asks for.
    """

    metric: str
    value: float
    ci_low: float = float("nan")
    ci_high: float = float("nan")
    n: int = 0
    chance: float = NO_CHANCE
    n_groups: int = 0
    interval: str = ""
    p: float = float("nan")
    replicates: np.ndarray = field(default_factory=lambda: np.empty(0), repr=False, compare=False)
    scale: Scale = field(default=LINEAR, repr=False, compare=False)


@dataclass(frozen=True)
class Target:
    """Which labels each clip has, and which of them were not judged.

    A clip has any number of labels. Where every clip has exactly one and all were judged, `index`
    says which, and no (n, C) array is held.

    Attributes:
        n_classes: C.
        index: intp, shape (n,): the class of each clip; None where clips have several or none.
        positive: bool, shape (n, C): the labels of each clip; None where `index` says all.
        known: bool, shape (n, C): False where a label was not judged; None where all were.
    """

    n_classes: int
    index: np.ndarray | None = None
    positive: np.ndarray | None = None
    known: np.ndarray | None = None

    @classmethod
    def from_labels(
        cls,
        labels: Sequence[Sequence[str]],
        classes: Sequence[str],
        unknown: Sequence[Sequence[str]] = (),
    ) -> "Target":
        """Make a target of the names of labels.

        Args:
            labels: for each clip its labels.
            classes: the C classes in the order of the scores' columns.
            unknown: for each clip the classes that were not judged; empty where all were judged.

        Raises:
            DataError: a label is not one of the classes.
        """
        position = {name: i for i, name in enumerate(classes)}
        strangers = sorted({one for of in (*labels, *unknown) for one in of} - set(position))
        if strangers:
            raise DataError(f"label(s) {strangers} are not among the classes {list(classes)}")
        judged = not any(unknown)
        if judged and all(len(of) == 1 for of in labels):
            return cls(len(classes), np.array([position[of[0]] for of in labels], dtype=np.intp))
        positive = np.zeros((len(labels), len(classes)), dtype=bool)
        known = np.ones_like(positive)
        for row, of in enumerate(labels):
            positive[row, [position[one] for one in of]] = True
        for row, of in enumerate(unknown):
            known[row, [position[one] for one in of]] = False
        return cls(len(classes), None, positive, None if judged else known)

    def __len__(self) -> int:
        """Count the clips."""
        rows = self.index if self.index is not None else self.positive
        return 0 if rows is None else len(rows)

    @property
    def single(self) -> bool:
        """Whether every clip has exactly one label and all labels were judged."""
        return self.index is not None

    @property
    def labels(self) -> np.ndarray:
        """The class of each clip, intp, shape (n,).

        Raises:
            Unavailable: a clip does not have exactly one label, or some were not judged.
        """
        if self.index is None:
            raise Unavailable(
                "every clip must have exactly one label, all of them judged: some clips have "
                "several labels, none, or labels that were not judged"
            )
        return self.index

    def of_class(self, index: int) -> tuple[np.ndarray, np.ndarray | None]:
        """Which clips have a class, bool (n,), and where that was judged (None: everywhere)."""
        if self.positive is None:
            return self.labels == index, None
        return self.positive[:, index], None if self.known is None else self.known[:, index]


@dataclass(frozen=True)
class Metric:
    """What is known of a number that bears this name.

    Attributes:
        name: in the column `metric`.
        title: in headings.
        better: which direction is better, or None where neither is.
        low: smallest value that it can have; -inf for none.
        high: largest value; inf for none.
        chance: called with a `Target`, what scores that know nothing of the clip reach by
            definition; or a number; `NO_CHANCE` where there is no such level. It must be stated.
        reference: where the definition comes from, and what it is tested against.
        weighted: for metrics of a classification (scores and a target): called with a
            `listenread.metrics.scored.Resampled`, gives float64 of shape (replicates,). None
            for a metric that its module measures by a function of its own.
        of_decisions: whether it depends on nothing but the order of the classes for each clip. The
            others compare scores of different clips, which what was learned from the clips moves
            together: their uncertainty needs it to be learned again.
        share: whether it is the share of clips of which something is true.
        permuted: a fast way to compute it for permuted labels; None takes `weighted` once for each
            permutation.
        multi_label: whether it is defined where clips have several labels, or labels that were
            not judged; where it is not, it is left out for such data.
        hub_name: name by which the Hugging Face hub knows it.
        renamed_from: names that it had before.
    """

    name: str
    title: str
    better: Literal["larger", "smaller"] | None
    low: float
    high: float
    chance: "Callable[[Target], float] | float"
    reference: str
    weighted: "Callable[[Resampled], np.ndarray] | None" = None
    of_decisions: bool = False
    share: bool = False
    permuted: Callable[..., np.ndarray] | None = None
    multi_label: bool = False
    hub_name: str | None = None
    renamed_from: tuple[str, ...] = ()

    @property
    def scale(self) -> Scale:
        """Its bounds, for intervals."""
        return Scale(self.low, self.high, self.share)

    def chance_level(self, target: Target) -> float:
        """Chance level by definition for a target."""
        return float(self.chance(target)) if callable(self.chance) else float(self.chance)

    def problems(self) -> list[str]:
        """List what breaks the contract; a metric of a classification is tried on a few clips."""
        found = [f"`{key}` is empty" for key in ("title", "reference") if not getattr(self, key)]
        if not (isinstance(self.name, str) and self.name.isidentifier()):
            found.append(f"the name {self.name!r} is not an identifier")
        if self.better not in ("larger", "smaller", None):
            found.append(f"`better` is {self.better!r}, not 'larger', 'smaller' or None")
        if not self.low < self.high:
            found.append(f"its range is {self.low} to {self.high}")
        if not (callable(self.chance) or isinstance(self.chance, (int, float))):
            found.append("`chance` is neither a number, NO_CHANCE nor a function of the target")
        if not found:
            from listenread.metrics.scored import trial

            found += trial(self)
        return found


METRICS: Registry[Metric] = Registry("metric", Metric, "listenread.metrics")
