"""What must not change a number: the order of clips or classes, a scale of scores, copies."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_cell import write_cell

from listenread.metrics.base import METRICS, Resampling
from listenread.metrics.classification import evaluate, measure, top
from listenread.tasks.base import TASKS
from listenread.tasks.runner import collect

#: Every registered metric of a classification, and one that is made when it is asked for.
OF_CLASSIFICATION = [
    *(metric for metric in map(METRICS.find, METRICS.names()) if metric.weighted is not None),
    top(7),
]
#: Increasing, and exact on the small integers that scores are made of here.
INCREASING = {
    "affine": lambda scores: scores * 8 - 3,
    "cube": lambda scores: scores**3,
    "exponential": lambda scores: np.exp2(scores / 4),
    "ranks": lambda scores: np.searchsorted(np.unique(scores), scores).astype(float),
}


@st.composite
def cases(draw, tied=True):
    """Scores (n, C) that are small integers, and labels (n,); without ties in a row if asked."""
    n_classes, n = draw(st.integers(2, 9)), draw(st.integers(2, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    labels = rng.integers(n_classes, size=n)
    if tied:
        scores = rng.integers(-4, 5, size=(n, n_classes))
    else:
        scores = rng.permuted(np.tile(np.arange(n_classes), (n, 1)), axis=1)
        scores = scores + rng.integers(-2, 3, size=(n, 1))
    return scores.astype(float), labels, rng


def same_values(scores, labels, others, other_labels):
    expected = evaluate(scores, labels, OF_CLASSIFICATION)
    found = evaluate(others, other_labels, OF_CLASSIFICATION)
    assert found == pytest.approx(expected, abs=1e-12, nan_ok=True)


@settings(max_examples=60, deadline=None)
@given(cases())
def test_the_order_of_clips_does_not_matter(case):
    scores, labels, rng = case
    order = rng.permutation(len(labels))
    same_values(scores, labels, scores[order], labels[order])


@settings(max_examples=60, deadline=None)
@given(cases(tied=False))
def test_the_order_of_classes_does_not_matter(case):
    """Where no two classes tie for a clip: of those the first is taken, as is documented."""
    scores, labels, rng = case
    order = rng.permutation(scores.shape[1])
    same_values(scores, labels, scores[:, order], np.argsort(order)[labels])


@pytest.mark.parametrize("name", INCREASING)
@settings(max_examples=30, deadline=None)
@given(case=cases())
def test_an_increasing_function_of_the_scores_changes_nothing(name, case):
    scores, labels, _ = case
    same_values(scores, labels, INCREASING[name](scores), labels)


@settings(max_examples=30, deadline=None)
@given(cases(), st.integers(2, 4))
def test_copies_in_a_group_change_neither_value_nor_interval(case, times):
    """As many clips more, and no more certainty."""
    scores, labels, _ = case
    groups = np.arange(len(labels))

    def measured(copies):
        return measure(
            np.repeat(scores, copies, axis=0),
            np.repeat(labels, copies),
            metrics=OF_CLASSIFICATION,
            resampling=Resampling(20),
            groups=np.repeat(groups, copies),
        )

    for one, other in zip(measured(1), measured(times), strict=True):
        assert (one.metric, one.n_groups, one.interval) == (
            other.metric, other.n_groups, other.interval
        )  # fmt: skip
        expected = pytest.approx((one.value, one.ci_low, one.ci_high), abs=1e-9, nan_ok=True)
        assert (other.value, other.ci_low, other.ci_high) == expected


CLASSES = ["violin", "viola", "flute", "oboe", "bassoon", "trombone"]


@dataclass(frozen=True)
class Material:
    """A small data set with what two prompts give on it: 120 clips, d = 12."""

    classes: list[str]
    labels: np.ndarray  # names, (n,)
    folds: np.ndarray
    groups: np.ndarray
    scores: tuple[np.ndarray, ...]  # (n, C) of each prompt
    audio: dict[str, np.ndarray]
    text: dict[str, np.ndarray]

    def clips(self, index):
        """The clips at these places, in this order."""
        return replace(
            self,
            labels=self.labels[index],
            folds=self.folds[index],
            groups=self.groups[index],
            scores=tuple(one[index] for one in self.scores),
            audio={space: one[index] for space, one in self.audio.items()},
        )

    def ordered(self, index):
        """The classes in another order."""
        return replace(
            self,
            classes=[self.classes[i] for i in index],
            scores=tuple(one[:, index] for one in self.scores),
            text={space: one[index] for space, one in self.text.items()},
        )


@pytest.fixture(scope="module")
def material():
    rng = np.random.default_rng(7)
    index = np.arange(120) % len(CLASSES)
    centres = rng.normal(size=(2, len(CLASSES), 12))
    audio = centres[:, index] + 1.5 * rng.normal(size=(2, 120, 12))
    scores = np.tanh(rng.normal(size=(2, 120, len(CLASSES))) / 2 + np.eye(len(CLASSES))[index])
    return Material(
        CLASSES,
        np.array(CLASSES)[index],
        (np.arange(120) // len(CLASSES)) % 4,
        np.array([f"note {i}" for i in range(120)]),
        tuple(scores.astype(np.float32)),
        {"joint": audio[0], "pre_joint": audio[1]},
        {"joint": centres[0] + 0.3, "pre_joint": centres[1]},
    )


@pytest.fixture
def rows(repository, tmp_path):
    """Makes the rows that a task measures on material, by what they are of."""
    tree = repository / "listenread/resources/ontology/doktorski.csv"

    def make(task, material, name):
        cells = []
        for number, scores in enumerate(material.scores):
            folder = tmp_path / f"{name}{number}"
            folder.mkdir()
            cells.append(
                write_cell(
                    folder, [[label] for label in material.labels], material.classes,
                    folds=material.folds, groups=material.groups, scores=scores,
                    audio=material.audio, text=material.text, ontology=tree,
                )
            )  # fmt: skip
        cells[0].reference = cells[1]
        found = {}
        # Drawn at random: it differs within its own interval.
        left_out = "chance_by_permutation"
        for row in collect(task, cells[0], task.settings(), Resampling(20)):
            key = tuple(row[k] for k in ("task", "space", "protocol", "label", "metric"))
            assert key not in found
            if row["task"] != left_out:
                found[key] = row
        return found

    return make


@pytest.fixture(params=TASKS.names())
def task(request):
    return TASKS.find(request.param)


def assert_same(expected, found, columns):
    """The same rows, with the same content but for rounding."""
    assert expected.keys() == found.keys() and expected
    for key, row in expected.items():
        for name in columns:
            near = row[name]
            if isinstance(near, float):
                near = pytest.approx(near, abs=1e-6, nan_ok=True)
            assert found[key][name] == near, (key, name)


def test_a_task_does_not_depend_on_the_order_of_clips(task, material, rows):
    order = np.random.default_rng(1).permutation(len(material.labels))
    assert_same(
        rows(task, material, "as is"), rows(task, material.clips(order), "other"), ["value"]
    )


def test_a_task_does_not_depend_on_the_order_of_classes(task, material, rows):
    """But where that is how it is defined.

    The released loop of triplets pairs an instrument with those that come after it in the list, and
    among classes with as many neighbours the first is taken.
    """
    order = np.random.default_rng(2).permutation(len(CLASSES))
    expected, found = rows(task, material, "as is"), rows(task, material.ordered(order), "other")
    by_order = {
        key for key in expected
        if key[:3:2] == ("triplets", "published") or key[0] == "k_nearest"
    }  # fmt: skip
    assert bool(by_order) == (task.name in ("triplets", "probes"))
    for key in by_order:
        del expected[key], found[key]
    assert_same(expected, found, ["value"])


def test_a_task_takes_copies_in_a_group_for_one_clip(task, material, rows):
    """Values of probes differ: a regularised classifier and k neighbours see the copies."""
    twice = material.clips(np.repeat(np.arange(len(material.labels)), 2))
    columns = ["n_groups", "interval", "value", "ci_low", "ci_high"]
    assert_same(
        rows(task, material, "as is"),
        rows(task, twice, "other"),
        columns[:2] if task.name == "probes" else columns,
    )
