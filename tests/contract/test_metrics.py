"""The contract of metrics: those of the registry and of tasks, one of a user, broken ones."""

import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from small_cell import write_cell

import listenread
from listenread.entries import Registry
from listenread.errors import ConfigError, DataError, Unavailable
from listenread.metrics.base import METRICS, Metric, Resampling, Target
from listenread.metrics.chance import by_permutation
from listenread.metrics.classification import evaluate, measure, top
from listenread.metrics.scored import check
from listenread.tasks.base import TASKS
from listenread.tasks.runner import collect
from listenread.tasks.settings import ClassificationSettings
from listenread.workflow import config as configuration

OWN = """
import numpy as np
from listenread.metrics.base import NO_CHANCE, Metric

def reciprocal_rank(resampled):
    return resampled.mean(1 / (1 + resampled.scored.rank))

def chance(target):
    return float(np.mean(1 / np.arange(1, target.n_classes + 1)))

COMPLETE = dict(name="reciprocal_rank", title="Reciprocal rank", better="larger", low=0.0,
                high=1.0, chance=chance, reference="own", weighted=reciprocal_rank)
RANK = Metric(**COMPLETE)
SAME_NAME = Metric(**COMPLETE | {"title": "Another"})
UNDEFINED_CHANCE = Metric(**COMPLETE | {"chance": NO_CHANCE})
UNTITLED = Metric(**COMPLETE | {"title": ""})
NO_SOURCE = Metric(**COMPLETE | {"reference": ""})
NO_NAME = Metric(**COMPLETE | {"name": "reciprocal rank"})
NOT_STATED = Metric(**COMPLETE | {"chance": None})
LARGE_CHANCE = Metric(**COMPLETE | {"chance": lambda target: target.n_classes})
BROKEN_CHANCE = Metric(**COMPLETE | {"chance": lambda target: target.n_clips})
UPWARDS = Metric(**COMPLETE | {"better": "up"})
NO_RANGE = Metric(**COMPLETE | {"low": 1.0})
OUTSIDE = Metric(**COMPLETE | {"weighted": lambda r: 2 + reciprocal_rank(r)})
SCALAR = Metric(**COMPLETE | {"weighted": lambda r: reciprocal_rank(r).mean()})
BY_CLASS = Metric(**COMPLETE | {"weighted": lambda r: r.f1})
INTEGERS = Metric(**COMPLETE | {"weighted": lambda r: reciprocal_rank(r).astype(int)})
BROKEN = Metric(**COMPLETE | {"weighted": lambda r: r.ranks})
ONE_LABEL = Metric(**COMPLETE | {"multi_label": True})
TAKEN = Metric(**COMPLETE | {"name": "top_1"})
SEVENTH = Metric(**COMPLETE | {"name": "top_7"})
NOT_ONE = reciprocal_rank
"""
#: Metrics of a classification: they are computed from scores and a target.
OF_CLASSIFICATION = [name for name in METRICS.names() if METRICS.find(name).weighted is not None]


@pytest.fixture
def own(tmp_path, monkeypatch):
    """The name of a module of a user, which can be imported."""
    name = f"own_metrics_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    yield name
    sys.modules.pop(name, None)


@pytest.fixture(params=[*OF_CLASSIFICATION, "top_7", "RANK"])
def metric(request, own):
    """Every metric of a classification, one that is made when it is asked for, one of a user."""
    if request.param == "top_7":
        return top(7)
    return METRICS.find(f"{own}:RANK" if request.param == "RANK" else request.param)


def of_tasks():
    """Every metric that a built-in task can measure, with its defaults, by name."""
    tasks = [TASKS.find(name) for name in TASKS.names()]
    return {one.name: one for task in tasks for one in task.metrics(task.settings())}


def case(seed, tied=False, n=60, n_classes=6):
    """Scores that know something, and labels of all classes but the last."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, n_classes - 1, n)
    scores = rng.normal(size=(n, n_classes)) + 0.8 * np.eye(n_classes)[labels]
    return (np.round(scores) if tied else scores), labels


def drawn(n, times, seed):
    """How often each of n clips is drawn, `times` times: some of them never, shape (n, times)."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(n, np.full(n, 1 / n), size=times).T.astype(np.float32)


def several_labels(scores, labels):
    """A target in which some clips have a second label, none, or a label that was not judged."""
    positive = np.eye(scores.shape[1], dtype=bool)[labels]
    positive[::4, 0] = True
    positive[1::9] = False
    known = np.ones_like(positive)
    known[::5, 1] = False
    return Target(scores.shape[1], None, positive, known)


@pytest.mark.parametrize("entry", dict.fromkeys([*METRICS.names(), *of_tasks()]))
def test_every_metric_states_what_it_is(entry):
    metric = of_tasks().get(entry) or METRICS.find(entry)
    assert metric.problems() == []
    assert metric.name == entry and metric.name.isidentifier()
    assert metric.title.strip() and metric.reference.strip()
    assert metric.better in ("larger", "smaller", None)
    assert metric.low < metric.high
    level = metric.chance_level(Target(4, np.arange(8) % 4))
    assert math.isnan(level) or metric.low <= level <= metric.high


def test_no_two_metrics_share_a_name_or_a_title_in_a_table():
    made = of_tasks()
    for name in set(made) & set(METRICS.names()):
        assert made[name] is METRICS.find(name)
    for task in map(TASKS.find, TASKS.names()):
        titles = [one.title for one in task.metrics(task.settings())]
        assert len(set(titles)) == len(titles), task.name


@pytest.mark.parametrize("tied", [False, True])
def test_values_lie_in_the_range_on_many_weights(metric, tied):
    for seed in range(5):
        scores, labels = case(seed, tied)
        counts = drawn(len(labels), 40, seed)
        values = metric.weighted(check(scores, Target(6, labels)).on(counts))
        assert values.shape == (40,) and values.dtype == np.float64
        assert ((values >= metric.low) & (values <= metric.high)).all()


def test_counts_are_copies_of_clips(metric):
    scores, labels = case(1, tied=True)
    counts = drawn(len(labels), 6, 0)
    values = metric.weighted(check(scores, Target(6, labels)).on(counts))
    for value, column in zip(values, counts.T, strict=True):
        rows = np.repeat(np.arange(len(labels)), column.astype(int))
        plain = evaluate(scores[rows], labels[rows], [metric])[metric.name]
        assert value == pytest.approx(plain, abs=1e-12)


def test_chance_is_what_permuted_labels_earn(metric):
    """Scores that know nothing, in classes of unequal size, and one class without a clip."""
    labels = np.repeat(np.arange(5), [160, 40, 80, 20, 100])
    scores = np.random.default_rng(5).normal(size=(400, 6))
    by_luck = by_permutation(scores, labels, metrics=[metric], permutations=60, seed=2)
    level = metric.chance_level(Target(6, labels))
    assert by_luck[metric.name].mean() == pytest.approx(level, abs=0.015)


@pytest.mark.parametrize("tied", [False, True])
def test_the_fast_way_of_permuting_is_the_plain_loop(metric, tied):
    scores, labels = case(2, tied)
    found = by_permutation(scores, labels, metrics=[metric], permutations=5, seed=4)[metric.name]
    for p, value in enumerate(found):
        permuted = np.empty_like(labels)
        permuted[np.random.default_rng([4, p]).permutation(len(labels))] = np.sort(labels)
        plain = evaluate(scores, permuted, [metric])[metric.name]
        assert value == pytest.approx(plain, abs=1e-12)
    slow = replace(metric, permuted=None)
    loop = by_permutation(scores, labels, metrics=[slow], permutations=5, seed=4)[metric.name]
    np.testing.assert_allclose(found, loop, atol=1e-12)


def test_small_data_have_a_value_in_the_range_or_none(metric):
    """One clip, one class in the data, one class in all, and scores that are all equal."""
    for scores, labels in [
        (np.array([[0.1, 0.2]]), [1]),
        (np.array([[0.1, 0.2], [0.4, 0.3]]), [0, 0]),
        (np.array([[0.1], [0.2]]), [0, 0]),
        (np.zeros((4, 3)), [0, 1, 2, 0]),
    ]:
        target = Target(scores.shape[1], np.array(labels))
        (one,) = measure(scores, target, metrics=[metric], resampling=Resampling(5))
        for number in (one.value, one.chance, *one.replicates):
            assert math.isnan(number) or metric.low <= number <= metric.high
        assert math.isnan(one.ci_low) == (one.interval == "not defined")
        assert not math.isnan(one.value) or math.isnan(one.ci_low)


def test_scores_that_are_not_finite_are_refused(metric):
    scores, labels = case(3)
    scores[2, 1] = np.nan
    with pytest.raises(DataError, match=r"1 clip\(s\) have a score that is NaN"):
        evaluate(scores, labels, [metric])


def test_several_labels_are_measured_or_a_reason(metric):
    scores, labels = case(4)
    target = several_labels(scores, labels)
    if not metric.multi_label:
        with pytest.raises(Unavailable, match=metric.name):
            evaluate(scores, target, [metric])
        with pytest.raises(Unavailable, match="exactly one label"):
            metric.weighted(check(scores, target).on(np.ones((len(target), 1))))
        return
    value = evaluate(scores, target, [metric])[metric.name]
    assert metric.low <= value <= metric.high
    assert metric.low <= metric.chance_level(target) <= metric.high
    other = np.where(target.known, scores, 5.0)
    assert evaluate(other, target, [metric])[metric.name] == value
    as_indices = Target(6, None, np.eye(6, dtype=bool)[labels])
    same = evaluate(scores, as_indices, [metric])[metric.name]
    assert same == pytest.approx(evaluate(scores, labels, [metric])[metric.name], abs=1e-12)
    assert metric.chance_level(as_indices) == pytest.approx(
        metric.chance_level(Target(6, labels)), abs=1e-12
    )


@pytest.fixture(scope="module")
def measured(tmp_path_factory, repository):
    """Rows of every built-in task on random vectors, which know nothing of labels: 4 data sets."""
    tree = repository / "listenread/resources/ontology/doktorski.csv"
    classes = [
        "violin", "viola", "flute", "oboe", "bassoon", "trombone", "french horn", "alto saxophone",
    ]  # fmt: skip
    rows = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        labels = [[classes[index]] for index in rng.permutation(np.arange(240) % 8)]
        audio, text = rng.normal(size=(2, 240, 16)), rng.normal(size=(2, 8, 16))
        cells = [
            write_cell(
                tmp_path_factory.mktemp("random"), labels, classes, folds=np.arange(240) % 4,
                scores=np.tanh(rng.normal(size=(240, 8))),
                audio={"joint": audio[0], "pre_joint": audio[1]},
                text={"joint": rng.normal(size=(8, 16)), "pre_joint": text[1]}, ontology=tree,
            )
            for _ in range(2)
        ]  # fmt: skip
        cells[0].reference = cells[1]
        for name in TASKS.names():
            task = TASKS.find(name)
            defaults = {"bins": 10} if "bins" in task.settings.model_fields else {}
            settings = task.settings(**defaults)
            metrics = {one.name: one for one in task.metrics(settings)}
            for row in collect(task, cells[0], settings, Resampling(10)):
                rows.append(row | {"described": metrics[row["metric"]], "of": name})
    return rows


def test_every_metric_is_measured_by_a_task(measured):
    assert set(METRICS.names()) <= {row["metric"] for row in measured}


def test_what_tasks_measure_lies_in_the_range(measured):
    for row in measured:
        metric = row["described"]
        for number in (row["value"], row["ci_low"], row["ci_high"], row["chance"]):
            assert math.isnan(number) or metric.low - 1e-12 <= number <= metric.high + 1e-12, row


def test_what_tasks_give_as_chance_is_that_of_the_metric(measured):
    target = Target(8, np.arange(240) % 8)
    for row in measured:
        if row["label"] is None:
            expected = row["described"].chance_level(target)
            assert row["chance"] == pytest.approx(expected, nan_ok=True), row


def test_vectors_that_know_nothing_stay_at_chance(measured):
    """Except where the paper's protocol lets a clip be judged by a prototype that contains it."""
    values = {}
    for row in measured:
        published = row["of"] == "audio_only" and row["protocol"] == "published"
        if row["label"] is None and not math.isnan(row["chance"]) and not published:
            key = (row["of"], row["task"], row["space"], row["protocol"], row["metric"])
            values.setdefault(key, []).append(row["value"] - row["chance"])
    assert len(values) > 60
    for key, distances in values.items():
        # eight instruments have few triplets, and histograms of few pairs overlap a little less
        tolerance = 0.35 if "triplets" in key[0] else 0.12
        assert abs(np.nanmean(distances)) < tolerance, key


def test_a_metric_of_a_user_is_found_and_measured(own):
    metric = METRICS.find(f"{own}:RANK")
    assert METRICS.module(f"{own}:RANK") == own
    scores, labels = case(6)
    settings = ClassificationSettings(top_k=[1], classification_metrics=[f"{own}:RANK"])
    one, other = measure(scores, labels, metrics=settings.metrics(), resampling=Resampling(20))
    assert (one.metric, other.metric) == ("top_1", "reciprocal_rank")
    rank = (scores > scores[np.arange(60), labels][:, None]).sum(axis=1)
    assert other.value == pytest.approx(np.mean(1 / (1 + rank)))
    assert other.chance == pytest.approx(np.mean([1, 1 / 2, 1 / 3, 1 / 4, 1 / 5, 1 / 6]))
    assert other.ci_low < other.value < other.ci_high
    assert metric.problems() == [] and METRICS.find(f"{own}:UNDEFINED_CHANCE").problems() == []


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("UNTITLED", "`title` is empty"),
        ("NO_SOURCE", "`reference` is empty"),
        ("NO_NAME", "the name 'reciprocal rank' is not an identifier"),
        ("NOT_STATED", "`chance` is neither a number, NO_CHANCE nor a function of the target"),
        ("LARGE_CHANCE", "its chance level 3.0 is outside its range"),
        ("BROKEN_CHANCE", "breaks down on six clips of three classes: AttributeError"),
        ("UPWARDS", "`better` is 'up', not 'larger', 'smaller' or None"),
        ("NO_RANGE", "its range is 1.0 to 1.0"),
        ("OUTSIDE", "outside its range 0.0 to 1.0"),
        ("SCALAR", "`weighted` gives float64 of shape () for 2 replicates"),
        ("BY_CLASS", "`weighted` gives float64 of shape (3, 2) for 2 replicates"),
        ("INTEGERS", "`weighted` gives int64 of shape (2,) for 2 replicates; floats"),
        ("BROKEN", "breaks down on six clips of three classes: AttributeError"),
        ("ONE_LABEL", "three classes with several labels: Unavailable: every clip must have"),
        ("TAKEN", "there is a built-in metric named `top_1` already"),
        ("NOT_ONE", "is not a metric: it is of type `function`"),
        ("MISSING", "has no `MISSING`"),
    ],
)
def test_broken_metrics_are_refused_by_name(own, entry, reason):
    with pytest.raises(ConfigError) as error:
        METRICS.find(f"{own}:{entry}")
    assert own in str(error.value)
    assert reason in str(error.value)


def test_a_metric_without_chance_cannot_be_made(tmp_path, monkeypatch):
    text = OWN.replace("chance=chance, ", "").partition("SAME_NAME")[0]
    (tmp_path / "chanceless_metric.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigError, match=r"chanceless_metric cannot be imported.*'chance'"):
        METRICS.find("chanceless_metric:RANK")


def test_a_name_twice_is_refused(own):
    names = [f"{own}:RANK", f"{own}:SAME_NAME"]
    with pytest.raises(ConfigError, match="two metrics are named `reciprocal_rank`"):
        ClassificationSettings(classification_metrics=names).metrics()
    chosen = ClassificationSettings(top_k=[1, 7], classification_metrics=[f"{own}:SEVENTH"])
    with pytest.raises(ConfigError, match="two metrics are named `top_7`"):
        chosen.metrics()


def test_metrics_of_a_user_are_checked_before_a_run(own, repository):
    """Each problem is told once, although several tasks have it."""
    config = {}
    for name in ("catalogue/datasets", "catalogue/models", "catalogue/prompts", "config"):
        config |= yaml.safe_load((repository / f"{name}.yaml").read_text("utf-8"))
    config["experiment"] |= {
        "datasets": ["gm_notes"], "models": ["mini"], "prompts": ["track"],
        "tasks": ["zero_shot", "audio_only"],
    }  # fmt: skip
    package = Path(listenread.__file__).parent
    for chosen, reason in [
        (["RANK", "SAME_NAME"], "two metrics are named `reciprocal_rank`"),
        (["BY_CLASS"], "`weighted` gives float64 of shape (3, 2)"),
    ]:
        named = [f"{own}:{name}" for name in chosen]
        config["metrics"] = {**config["metrics"], "classification_metrics": named}
        with pytest.raises(ConfigError) as error:
            configuration.resolve(config, package)
        assert str(error.value).count(reason) == 1
        assert "`metrics.classification_metrics`" in str(error.value)
    config["metrics"]["classification_metrics"] = [f"{own}:RANK"]
    tasks = configuration.resolve(config, package).tasks
    assert tasks["zero_shot"].settings.metrics()[-1].name == "reciprocal_rank"


def test_a_metric_of_something_else_is_refused_for_a_classification():
    chosen = ClassificationSettings(classification_metrics=["f1_macro", "d_prime"])
    with pytest.raises(ConfigError, match="`d_prime` is not computed from the scores"):
        chosen.metrics()


@pytest.mark.parametrize("modules", [("first", "second"), ("first", "first")])
def test_a_package_with_a_name_twice_is_refused(tmp_path, monkeypatch, modules):
    package = f"twice_{len(set(modules))}"
    (tmp_path / package).mkdir()
    (tmp_path / package / "__init__.py").touch()
    text = OWN.partition("SAME_NAME")[0]
    other = "SAME_NAME = Metric(**COMPLETE)\n"
    (tmp_path / package / "first.py").write_text(text + other * (len(set(modules)) == 1))
    (tmp_path / package / "second.py").write_text(text * (len(set(modules)) == 2))
    monkeypatch.syspath_prepend(tmp_path)
    message = rf"{package}\.{modules[1]}: .*`reciprocal_rank` is already in {package}\.first"
    with pytest.raises(ConfigError, match=message):
        Registry("metric", Metric, package).names()
