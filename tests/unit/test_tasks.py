"""Tasks without a workflow: their numbers against scikit-learn, scipy and plain loops."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cosine
from scipy.stats import spearmanr
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.model_selection import PredefinedSplit, StratifiedKFold, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from small_cell import KEYS, write_cell

from listenread.errors import Unavailable
from listenread.files import tables
from listenread.metrics.base import Measurement, Resampling, Scale
from listenread.metrics.uncertainty import deal, interval
from listenread.tasks import audio_only, margin, probes, separation, tidy, triplets
from listenread.tasks.base import TASKS, Row, Task
from listenread.tasks.cell import Cell, cell_of
from listenread.tasks.claims import Reading
from listenread.tasks.runner import collect

#: Not in alphabetical order, as the classes of the released data set.
CLASSES = ["violin", "cello", "flute", "oboe"]
TREE = """instrument,path,aliases
violin,strings/bowed,
violoncello,strings/bowed,cello
flute,winds/edge,
oboe,winds/reed,
harp,strings/plucked,
"""


class Case:
    """A cell and the arrays that its files hold."""

    def __init__(self, folder, seed=0, folds=True):
        """Write 48 clips of four classes."""
        rng = np.random.default_rng(seed)
        self.labels = rng.permutation(np.arange(48) % 4)
        self.folds = np.arange(48) % 3
        centres = rng.normal(size=(4, 6))
        self.audio = {
            space: (centres[:, :d][self.labels] + rng.normal(size=(48, d))).astype(np.float32)
            for space, d in (("joint", 6), ("pre_joint", 5))
        }
        self.text = {
            space: rng.normal(size=(4, d)).astype(np.float32) + centres[:, :d].astype(np.float32)
            for space, d in (("joint", 6), ("pre_joint", 5))
        }
        self.scores = cosine_similarity(self.audio["joint"], self.text["joint"])
        folder.mkdir(exist_ok=True)
        (folder / "tree.csv").write_text(TREE)
        self.cell = write_cell(
            folder, [[CLASSES[index]] for index in self.labels], CLASSES,
            folds=self.folds if folds else (), scores=self.scores, audio=self.audio,
            text=self.text, ontology=folder / "tree.csv",
        )  # fmt: skip


@pytest.fixture
def case(tmp_path):
    return Case(tmp_path)


def run(task, cell, n=0, **settings):
    """Rows of a task by what tells them apart, with the numbers."""
    found = TASKS.find(task)
    rows = collect(found, cell, found.settings(**settings), Resampling(n, seed=5))
    keys = ("task", "space", "protocol", "label", "metric")
    return {tuple(row[key] for key in keys): row for row in rows}


def value(rows, metric, space="joint", protocol="corrected", task=None, label=None):
    """The one value of a metric among rows."""
    (found,) = [
        row["value"]
        for key, row in rows.items()
        if key[1:] == (space, protocol, label, metric) and task in (None, key[0])
    ]
    return found


def test_audio_only_is_the_nearest_centroid(case):
    rows = run("audio_only", case.cell)
    for space, vectors in case.audio.items():
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

        def predict(train, test, vectors=vectors, unit=unit):
            centroids = NearestCentroid().fit(vectors[train], case.labels[train]).centroids_
            return cosine_similarity(unit[test], centroids).argmax(axis=1)

        everything = np.ones(48, dtype=bool)
        published = predict(everything, everything)
        corrected = np.empty(48, dtype=int)
        for fold in range(3):
            corrected[case.folds == fold] = predict(case.folds != fold, case.folds == fold)
        for protocol, predicted in (("published", published), ("corrected", corrected)):
            top_1 = value(rows, "top_1", space, protocol)
            assert top_1 == accuracy_score(case.labels, predicted)
            expected = f1_score(case.labels, predicted, average="macro")
            assert value(rows, "f1_macro", space, protocol) == pytest.approx(expected)
    assert case.cell.facts["corrected_by"] == "folds"


def test_audio_only_leaves_one_out_where_there_are_no_folds(tmp_path):
    case = Case(tmp_path, folds=False)
    rows = run("audio_only", case.cell, top_k=[1], classification_metrics=[])
    vectors = case.audio["joint"].astype(float)
    right = 0
    for clip in range(48):
        others = np.delete(np.arange(48), clip)
        means = [vectors[others][case.labels[others] == c].mean(axis=0) for c in range(4)]
        right += np.argmin([cosine(vectors[clip], mean) for mean in means]) == case.labels[clip]
    assert value(rows, "top_1") == right / 48
    assert case.cell.facts["corrected_by"] == "leave-one-group-out"


def test_probes_are_cross_validated_on_the_folds_of_the_data_set(case):
    rows = run("probes", case.cell, neighbours=3, inverse_regularisation=0.5)
    linear = make_pipeline(StandardScaler(), LogisticRegression(C=0.5, tol=1e-8, max_iter=10_000))
    nearest = KNeighborsClassifier(3, metric="cosine", weights="distance")
    for space, vectors in case.audio.items():
        for task, model in (("linear_probe", linear), ("k_nearest", nearest)):
            scores = cross_val_predict(
                model, vectors.astype(float), case.labels, cv=PredefinedSplit(case.folds),
                method="predict_proba",
            )  # fmt: skip
            top_1 = value(rows, "top_1", space, task=task)
            assert top_1 == accuracy_score(case.labels, scores.argmax(axis=1))
            expected = roc_auc_score(np.eye(4)[case.labels], scores)
            assert value(rows, "roc_auc_macro", space, task=task) == pytest.approx(expected)
    assert case.cell.facts["official_folds"]


def test_probes_make_folds_where_the_data_set_has_none(tmp_path):
    case = Case(tmp_path, folds=False)
    rows = run("probes", case.cell, folds=4)
    assert not case.cell.facts["official_folds"]
    expected = cross_val_predict(
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=10_000)),
        case.audio["joint"], case.labels, cv=StratifiedKFold(4, shuffle=True, random_state=0),
    )  # fmt: skip
    # Other folds of the same sizes: near, not equal.
    top_1 = value(rows, "top_1", task="linear_probe")
    assert top_1 == pytest.approx(accuracy_score(case.labels, expected), abs=0.15)


def test_audio_separation_compares_all_pairs_of_clips(case):
    rows = run("audio_separation", case.cell)
    off = ~np.eye(48, dtype=bool)
    same = case.labels[:, None] == case.labels
    for space, vectors in case.audio.items():
        cosines = cosine_similarity(vectors.astype(float))
        positive, negative = cosines[same & off], cosines[~same]
        assert value(rows, "positive_mean", space) == pytest.approx(positive.mean())
        assert value(rows, "negative_mean", space) == pytest.approx(negative.mean())
        spread = np.sqrt((positive.var() + negative.var()) / 2)
        d_prime = (positive.mean() - negative.mean()) / spread
        assert value(rows, "d_prime", space) == pytest.approx(d_prime)
    few = run("audio_separation", case.cell, max_others=10)
    assert value(few, "positive_mean") != value(rows, "positive_mean")


def test_separation_compares_clips_with_texts(case):
    rows = run("separation", case.cell)
    scores = case.scores.astype(np.float32).astype(float)
    own = np.eye(4, dtype=bool)[case.labels]
    assert value(rows, "positive_mean") == pytest.approx(scores[own].mean())
    assert value(rows, "negative_mean") == pytest.approx(scores[~own].mean())
    edges = np.linspace(-1, 1, 201)
    positive, negative = (
        np.histogram(part, edges)[0] / part.size for part in (scores[own], scores[~own])
    )
    assert value(rows, "overlap") == pytest.approx(np.minimum(positive, negative).sum())
    centroids = [
        (part / np.linalg.norm(part, axis=1, keepdims=True)).mean(axis=0)
        for part in (case.audio["joint"].astype(float), case.text["joint"].astype(float))
    ]
    gap = np.linalg.norm(centroids[0] - centroids[1])
    assert value(rows, "modality_gap") == pytest.approx(gap)
    assert case.cell.facts["variants"] == 1


def test_margin_tells_right_from_wrong(case):
    rows = run("margin", case.cell)
    ordered = np.sort(case.scores.astype(np.float32), axis=1).astype(float)
    margins = ordered[:, -1] - ordered[:, -2]
    right = case.scores.argmax(axis=1) == case.labels
    assert value(rows, "margin_right") == pytest.approx(margins[right].mean(), rel=1e-5)
    assert value(rows, "margin_wrong") == pytest.approx(margins[~right].mean(), rel=1e-5)
    assert value(rows, "margin_roc_auc") == pytest.approx(roc_auc_score(right, margins))


def test_zero_shot_averages_the_templates_of_a_prompt_set(case, tmp_path):
    rng = np.random.default_rng(2)
    variants = np.stack([case.scores, np.tanh(rng.normal(size=(48, 4)))])
    cell = write_cell(
        tmp_path / "set", [[CLASSES[index]] for index in case.labels], CLASSES, scores=variants,
        templates=["a {label}", "the {label}"],
    )  # fmt: skip
    task = TASKS.find("zero_shot")
    rows = collect(task, cell, task.settings(top_k=[1]), Resampling(20, seed=1))
    accuracy = [accuracy_score(case.labels, one.argmax(axis=1)) for one in variants]
    top_1 = {row["prompt"]: row for row in rows if row["metric"] == "top_1"}
    assert list(top_1) == ["p", "p: a {label}", "p: the {label}"]
    assert top_1["p"]["value"] == pytest.approx(np.mean(accuracy))
    assert [top_1[f"p: {name}"]["value"] for name in ("a {label}", "the {label}")] == accuracy
    assert {row["task"] for row in rows} == {"zero_shot"}, "sets have no permutations"
    assert cell.facts["variants"] == 2
    recall = {row["label"]: row["value"] for row in rows if row["metric"] == "recall"}
    for index, label in enumerate(CLASSES):
        own = case.labels == index
        expected = np.mean([(one[own].argmax(axis=1) == index).mean() for one in variants])
        assert recall[label] == pytest.approx(expected)


def test_luck_of_zero_shot_is_a_loop_over_permutations(case):
    rows = run("zero_shot", case.cell, permutations=30, top_k=[1])
    scores = case.scores.astype(np.float32)
    earned = []
    for p in range(30):
        labels = np.empty(48, dtype=int)
        labels[np.random.default_rng([5, p]).permutation(48)] = np.sort(case.labels)
        earned.append(accuracy_score(labels, scores.argmax(axis=1)))
    row = rows["chance_by_permutation", "joint", "published", None, "top_1"]
    assert row["value"] == pytest.approx(np.mean(earned))
    assert (row["ci_low"], row["ci_high"]) == pytest.approx(
        tuple(np.quantile(earned, [0.025, 0.975]))
    )
    assert row["chance"] == 0.25
    without = run("zero_shot", case.cell, permutations=0)
    assert {key[0] for key in without} == {"zero_shot"}


def plain_triplets(vectors, distances, published=False):
    """Right and all triplets of each anchor, by a plain loop over the definition."""
    right, total = np.zeros(len(vectors)), np.zeros(len(vectors))
    for a in range(len(vectors)):
        others = [i for i in range(len(vectors)) if (i > a if published else i != a)]
        for p in others:
            for q in others:
                near, far = distances[a][p], distances[a][q]
                if published:  # the larger number is the positive, no common family the smallest
                    near, far = (-(-1 if math.isinf(d) else d) for d in (near, far))
                if near < far:
                    total[a] += 1
                    right[a] += cosine(vectors[a], vectors[p]) < cosine(vectors[a], vectors[q])
    return right, total


#: Edges of the tree between the four instruments.
DISTANCES = [
    [0, 2, math.inf, math.inf],
    [2, 0, math.inf, math.inf],
    [math.inf, math.inf, 0, 4],
    [math.inf, math.inf, 4, 0],
]


def test_triplets_are_judged_by_the_tree(case):
    rows = run("triplets", case.cell)
    for space, vectors in case.text.items():
        for protocol in ("corrected", "published"):
            right, total = plain_triplets(vectors.astype(float), DISTANCES, protocol == "published")
            expected = right.sum() / total.sum()
            assert value(rows, "accuracy", space, protocol) == pytest.approx(expected)
            for index, label in enumerate(CLASSES):
                one = rows["triplets", space, protocol, label, "accuracy"]
                assert one["n"] == total[index]
                share = right[index] / total[index] if total[index] else math.nan
                assert one["value"] == pytest.approx(share, nan_ok=True)
                assert math.isnan(one["ci_low"]) and one["chance"] == 0.5
    assert case.cell.facts["ontology"] == "tree.csv"


def test_triplets_know_a_label_by_its_other_words(case, tmp_path):
    spelt = write_cell(
        tmp_path / "spelt", [["vln"]], ["vln", "cello", "flute", "oboe"], text=case.text,
        ontology=case.cell.files["ontology"],
    )  # fmt: skip
    with pytest.raises(Unavailable, match=r"tree.csv has no instrument or alias 'vln'"):
        run("triplets", spelt)
    named = Cell(KEYS, spelt.files, {"vln": ["vln.", "violin"]})
    found, expected = run("triplets", named), run("triplets", case.cell)
    assert value(found, "accuracy") == value(expected, "accuracy")


def test_anchors_are_averaged_over_the_variants_of_a_prompt(case, tmp_path):
    variants = np.stack([case.text["joint"], case.text["joint"][::-1]])
    cell = write_cell(
        tmp_path / "set", [["violin"]], CLASSES, text={"joint": variants},
        ontology=case.cell.files["ontology"],
    )  # fmt: skip
    rows = run("triplets", cell)
    shares = [np.divide(*plain_triplets(one.astype(float), DISTANCES)) for one in variants]
    for index, label in enumerate(CLASSES):
        found = value(rows, "accuracy", label=label)
        assert found == pytest.approx(np.mean([share[index] for share in shares]))


def test_triplets_of_an_ontology_have_one_protocol(case):
    files = {"ontology_text": case.cell.files["text"], "ontology": case.cell.files["ontology"]}
    rows = run("ontology_triplets", Cell(KEYS, files))
    assert {key[2] for key in rows} == {"corrected"}
    right, total = plain_triplets(case.text["joint"].astype(float), DISTANCES)
    assert value(rows, "accuracy") == pytest.approx(right.sum() / total.sum())


@pytest.fixture
def pair(case, tmp_path):
    """A prompt, and a reference prompt for the same clips."""
    other = Case(tmp_path / "reference")
    rng = np.random.default_rng(9)
    other.text = {space: one + rng.normal(size=one.shape) for space, one in case.text.items()}
    other.scores = case.scores + 0.3 * rng.normal(size=(48, 4))
    other.cell = write_cell(
        tmp_path / "reference", [[CLASSES[index]] for index in case.labels], CLASSES,
        scores=other.scores, text=other.text,
    )  # fmt: skip
    case.cell.reference = other.cell
    return case, other


def test_prompt_effects_are_differences_on_the_same_clips(pair):
    case, other = pair
    rows = run("prompt_effects", case.cell, n=30)
    first, second = (one.scores.astype(np.float32) for one in pair)
    top_1 = [accuracy_score(case.labels, one.argmax(axis=1)) for one in (first, second)]
    row = rows["prompt_effects", "joint", "corrected", None, "top_1_difference"]
    assert row["value"] == pytest.approx(top_1[0] - top_1[1]) and row["chance"] == 0
    sets, n_sets = deal(np.arange(48), Resampling(30, seed=5))
    right = [(one.argmax(axis=1) == case.labels).astype(float) for one in (first, second)]
    replicates = np.array([(right[0] - right[1])[sets != one].mean() for one in range(n_sets)])
    ends = interval(row["value"], replicates, Scale(share=True), 48, 0.95)[:2]
    assert (row["ci_low"], row["ci_high"]) == pytest.approx(ends)
    agreement = np.mean(first.argmax(axis=1) == second.argmax(axis=1))
    assert value(rows, "top_1_agreement") == pytest.approx(agreement)
    correlation = np.mean([spearmanr(a, b).statistic for a, b in zip(first, second, strict=True)])
    assert value(rows, "rank_correlation") == pytest.approx(correlation)
    for space, texts in case.text.items():
        cosines = cosine_similarity(texts, other.text[space].astype(np.float32))
        assert value(rows, "pair_cosine", space) == pytest.approx(np.trace(cosines) / 4, rel=1e-5)


def test_prompt_effects_need_texts_but_not_scores(pair, tmp_path):
    case, _ = pair
    empty = tmp_path / "none.parquet"
    tables.write_unavailable(empty, "no audio tower")
    without_scores = Cell(KEYS, {**case.cell.files, "scores": empty}, reference=case.cell.reference)
    assert {key[4] for key in run("prompt_effects", without_scores)} == {
        "pair_cosine",
        "label_cosine",
    }
    without_text = Cell(KEYS, {**case.cell.files, "text": empty}, reference=case.cell.reference)
    with pytest.raises(Unavailable, match="no audio tower"):
        run("prompt_effects", without_text)


def test_a_cell_of_a_job_has_the_files_by_name(case, pair):
    files = case.cell.files
    inputs = {
        "manifest": files["manifest"], "scores": files["scores"], "text": files["text"],
        "reference_scores": pair[1].cell.files["scores"],
        "reference_text": pair[1].cell.files["text"], "code": ["a.py"],
    }  # fmt: skip
    names = {"dataset": "d", "model": "m", "prompt": "p", "reference": "r"}
    cell = cell_of(names, inputs)
    assert cell.keys == {"dataset": "d", "model": "m", "prompt": "p - r"}
    assert cell.reference.keys["prompt"] == "r" and "code" not in cell.files
    assert run("prompt_effects", cell).keys() == run("prompt_effects", case.cell).keys()
    of_ontology = cell_of(
        {"ontology_name": "tree", "model": "m", "prompt": "p"},
        {"ontology_text": files["text"], "ontology": files["ontology"]}, ontology={"root": None},
    )  # fmt: skip
    assert of_ontology.keys["dataset"] == "tree"
    assert of_ontology.ontology.instruments[:2] == ["violin", "violoncello"]


def test_a_task_of_an_experiment_reads_all_cells(case, pair):
    """Correlation over clips of two models' similarities with the right class."""
    files = [one.cell.files for one in pair]
    keys = [{"dataset": "d", "model": model, "prompt": "p"} for model in ("m1", "m2")]
    cell = cell_of(
        {"experiment": "e"},
        {
            "scores": [one["scores"] for one in files],
            "manifest": [files[0]["manifest"]],
        },
        parts={"scores": keys, "manifest": [{"dataset": "d"}]},
    )
    assert [part.keys for part in cell.parts] == keys

    def measure(cell, settings, resampling):
        own = []
        for part in cell.parts:
            scores = part.scores()
            own.append(scores.values[0][np.arange(48), part.target(scores.clip_ids).labels])
        agreement = float(np.corrcoef(own)[0, 1])
        one = Measurement("rank_correlation", agreement, math.nan, math.nan, 48)
        yield Row(one, "joint", "corrected")

    metrics = TASKS.find("prompt_effects").metrics
    task = Task("models", "Models", "meets", "experiment", ("scores",), measure, metrics)
    assert task.problems() == []
    settings = TASKS.find("prompt_effects").settings()
    (row,) = collect(task, cell, settings, Resampling(0))
    index = np.arange(48), case.labels
    expected = np.corrcoef(*(one.scores.astype(np.float32)[index] for one in pair))[0, 1]
    assert row["value"] == pytest.approx(expected)
    assert row["dataset"] is row["model"] is row["prompt"] is None


def frame(**columns):
    """Rows of a tidy table of one metric."""
    base = {"dataset": "d", "model": "m", "prompt": "p", "space": "joint", "chance": 0.5}
    base |= {"protocol": "corrected", "ci_low": 0.6, "ci_high": 0.8, "n": 40, "n_groups": 40}
    return pd.DataFrame({**base, **columns})


def replicates(*values, spread=0.001):
    """Replicates of a jackknife of 40 sets about each value, independent of each other."""
    rng = np.random.default_rng(0)
    return [value + spread * rng.normal(size=40) for value in values]


def test_sentences_of_single_numbers():
    rows = frame(metric=["margin_roc_auc"], value=0.7)
    assert margin.sentences(rows, Reading(0.9)) == [
        "The difference of its two largest similarities tells right decisions of m on d from wrong "
        "ones with a ROC-AUC of 0.700 (90\u202f% interval 0.600 to 0.800), prompt “p”; 0.500 would "
        "be no information."
    ]
    rows = frame(metric="top_1", value=[0.7, 0.5], space=["joint", "pre_joint"])
    assert probes.sentences(rows, Reading()) == [
        "A linear classifier that is trained on the audio vectors of m recognises 70.0\u202f% "
        "(95\u202f% interval 60.0 to 80.0\u202f%) in the joint space and 50.0\u202f% (95\u202f% "
        "interval 60.0 to 80.0\u202f%) before the projection of the clips of d that it has not "
        "seen."
    ]
    rows = frame(metric="accuracy", value=[0.7, 0.4], p=[0.001, 0.9], prompt=["p", "q"])
    assert triplets.sentences(rows, Reading()) == [
        "Of the relations between the instruments of d, the text vectors of m order as the "
        "ontology does 55.0\u202f% in the median of 2 prompts, from 40.0\u202f% (“q”) to "
        "70.0\u202f% (“p”); chance is 50.0\u202f%. One of 2 prompts is above chance at the "
        "5.0\u202f% level, corrected for 2 tests after Holm."
    ]
    (sentence,) = triplets.sentences(rows[:1], Reading())
    assert (
        "order 70.0\u202f% (95\u202f% interval 60.0 to 80.0\u202f%) as the ontology does"
        in sentence
    )
    assert sentence.endswith("This is above chance at the 5.0\u202f% level.")


def test_the_projection_costs_or_does_not_matter():
    rows = frame(metric="top_1", value=[0.3, 0.9], space=["joint", "pre_joint"])
    rows["replicates"] = replicates(0.3, 0.9)
    (sentence,) = audio_only.sentences(rows, Reading())
    assert "The projection into the joint space costs: -60.0 points (95\u202f% interval" in sentence
    rows["value"] = [0.90, 0.901]
    rows["replicates"] = replicates(0.90, 0.901, spread=0.00005)
    (sentence,) = audio_only.sentences(rows, Reading(margin=0.03))
    assert "makes no difference beyond 3 points: -0.1 points" in sentence
    rows["replicates"] = replicates(0.90, 0.901, spread=0.002)
    (sentence,) = audio_only.sentences(rows, Reading())
    assert "No difference by the projection into the joint space was found, which could" in sentence
    del rows["replicates"]
    (sentence,) = audio_only.sentences(rows, Reading())
    assert sentence.endswith("protocol corrected).")


def test_settings_of_tasks_refuse_what_cannot_be_computed():
    for task, wrong in [
        ("zero_shot", {"permutations": -1}),
        ("zero_shot", {"top_k": [0]}),
        ("zero_shot", {"top_k": [1, 1]}),
        ("zero_shot", {"top_k": []}),
        ("probes", {"folds": 1}),
        ("probes", {"tolerance": 0.0}),
        ("separation", {"bins": 1}),
        ("audio_separation", {"max_others": "10"}),
        ("margin", {"bins": 3}),
    ]:
        with pytest.raises(ValueError, match=next(iter(wrong))):
            TASKS.find(task).settings(**wrong)
    assert separation.SeparationSettings().bins == 200


def test_tables_are_gathered_with_what_is_missing(tmp_path):
    row = {
        "dataset": "d", "model": "m", "task": "t", "space": "joint", "protocol": "corrected",
        "metric": "top_1", "value": math.nan, "ci_low": 0.1, "ci_high": 0.2, "n": 3, "chance": 0.5,
    }  # fmt: skip
    facts = {"dataset": "d", "model": "m", "task": "t"}
    tidy.write(tmp_path / "a.parquet", [row], **facts, missing_spaces={"pre_joint": "kept"})
    tables.write_unavailable(tmp_path / "b.parquet", "not healthy", **facts | {"model": "n"})
    tidy.gather(
        [tmp_path / "a.parquet", tmp_path / "b.parquet"], tmp_path / "all.parquet",
        tmp_path / "all.csv",
    )  # fmt: skip
    table = tables.read(tmp_path / "all.parquet")
    assert table.data.num_rows == 1
    assert [
        (one["model"], one["space"], one["why"]) for one in table.made_by["unavailable_cells"]
    ] == [("m", "pre_joint", "kept"), ("n", None, "not healthy")]
    lines = (tmp_path / "all.csv").read_text().splitlines()
    assert lines[1] == "d,m,t,joint,,corrected,top_1,,0.1,0.2,3,0.5,,,"
