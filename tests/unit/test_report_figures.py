"""Figures: the csv holds what is drawn, the bytes are the same on every run."""

import html
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist
from sklearn.decomposition import PCA
from sklearn.metrics import confusion_matrix
from small_cell import write_cell

from listenread.errors import Unavailable
from listenread.figures import columns, confusion, depth, map, margin, prompts, similarity, style
from listenread.figures.settings import (
    AudioHistogramSettings,
    HistogramSettings,
    IntervalSettings,
    MarginSettings,
)
from listenread.files import tables
from listenread.metrics import separation
from listenread.metrics.base import Resampling
from listenread.report.inline import inline_svg
from listenread.settings import NoSettings
from listenread.tasks.base import TASKS
from listenread.tasks.cell import Cell
from listenread.tasks.runner import measure_cell

CLASSES = ["Cello <1>", "$\\badcommand{Flute$", "Oboe & co"]
NONE = NoSettings()
AUDIO = AudioHistogramSettings(histogram_bins=12, max_others=1000, seed=0)
MARGIN = MarginSettings(
    histogram_bins=10, reliability_bins=4, replicates=50, confidence_level=0.9, seed=1
)


@pytest.fixture
def vectors():
    generator = np.random.default_rng(0)
    centres = generator.normal(size=(3, 8))
    labels = np.arange(60) % 3
    return centres[labels] + generator.normal(0, 1, (60, 8)), centres, labels


@pytest.fixture
def cell(tmp_path, vectors):
    audio, text, labels = vectors
    return write_cell(
        tmp_path,
        [(CLASSES[label],) for label in labels],
        CLASSES,
        scores=1 - cdist(audio, text, "cosine"),
        audio={"joint": audio, "pre_joint": audio},
        text={"joint": text},
    )


def draw_all(cell, folder):
    similarity.draw(cell, folder / "similarity.svg", HistogramSettings(histogram_bins=12))
    similarity.draw_audio(cell, folder / "audio.svg", AUDIO)
    confusion.draw(cell, folder / "confusion.svg", NONE)
    map.draw(cell, folder / "map.svg", NONE)
    margin.draw(cell, folder / "margin.svg", MARGIN)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.slow
def test_every_figure_is_three_files_and_the_same_on_every_run(cell, tmp_path):
    first, second = draw_all(cell, tmp_path / "one"), draw_all(cell, tmp_path / "two")
    assert len(first) == 15 and first == second
    assert {name.rpartition(".")[2] for name in first} == {"svg", "pdf", "csv"}
    for name, content in first.items():
        if name.endswith(".svg"):
            assert ElementTree.fromstring(content).tag.endswith("svg")
            assert b"<text" in content, "text stays text"


@pytest.mark.slow
def test_the_histogram_counts_every_pair(cell, tmp_path, vectors):
    audio, text, labels = vectors
    draw_all(cell, tmp_path / "one")
    cosines = 1 - cdist(audio, text, "cosine")
    own = np.eye(3, dtype=bool)[labels]
    frame = pd.read_csv(tmp_path / "one/similarity.csv")
    assert frame["positive"].sum() == 60 and frame["negative"].sum() == 120
    edges = [*frame["low"], frame["high"].iloc[-1]]
    np.testing.assert_array_equal(np.histogram(cosines[own], edges)[0], frame["positive"])
    np.testing.assert_array_equal(np.histogram(cosines[~own], edges)[0], frame["negative"])
    area = (frame["positive_density"] * (frame["high"] - frame["low"])).sum()
    assert area == pytest.approx(1, abs=1e-4)
    pairs = pd.read_csv(tmp_path / "one/audio.csv").groupby("panel")[["positive", "negative"]]
    assert pairs.sum().to_numpy().tolist() == [[60 * 19, 60 * 40]] * 2


def test_a_histogram_of_one_value_is_drawn(tmp_path):
    same = np.full((1, 4, 2), 0.25)
    profile = separation.text_audio_profile(same, np.array([0, 1, 0, 1]), bins=400)
    drawn = similarity.histogram(profile, 60)
    assert drawn["positive"].tolist() == drawn["negative"].tolist() == [4]


@pytest.mark.slow
def test_the_confusion_csv_is_scikit_learns(cell, tmp_path, vectors):
    audio, text, labels = vectors
    draw_all(cell, tmp_path / "one")
    frame = pd.read_csv(tmp_path / "one/confusion.csv")
    predicted = (1 - cdist(audio, text, "cosine")).argmax(axis=1)
    expected = confusion_matrix(labels, predicted)
    np.testing.assert_array_equal(frame["clips"].to_numpy().reshape(3, 3), expected)
    shares = confusion_matrix(labels, predicted, normalize="true")
    np.testing.assert_allclose(frame["share"].to_numpy().reshape(3, 3), shares, atol=1e-5)
    drawn = html.unescape((tmp_path / "one/confusion.svg").read_text("utf-8"))
    assert all(name in drawn for name in CLASSES), "labels are not shown as they are written"


def test_figures_of_many_classes_keep_their_size_and_leave_names_to_the_csv(tmp_path):
    n = 120
    names = [f"class <{number}>" for number in range(n)]
    vectors = np.random.default_rng(0).normal(size=(n, 4))
    cell = write_cell(
        tmp_path,
        [(name,) for name in names],
        names,
        scores=1 - cdist(vectors, -vectors, "cosine"),
        audio={"joint": vectors},
        text={"joint": -vectors},
    )
    confusion.draw(cell, tmp_path / "confusion.svg", NONE)
    map.draw(cell, tmp_path / "map.svg", NONE)
    for name in ("confusion", "map"):
        svg = (tmp_path / f"{name}.svg").read_text()
        assert float(re.search(r'width="([0-9.]+)pt"', svg)[1]) < 72 * 9
        assert "class &lt;" not in svg
        assert set(pd.read_csv(tmp_path / f"{name}.csv")["label"]) == set(names)


def test_the_map_is_scikit_learns_pca():
    points = np.random.default_rng(2).normal(size=(40, 6)) * [5, 4, 3, 2, 1, 1]
    found = map.principal_axes(points)
    pca = PCA(2).fit(points)
    expected = pca.transform(points)
    signs = np.sign((found.points * expected).sum(axis=0))
    np.testing.assert_allclose(found.points, expected * signs, atol=1e-9)
    np.testing.assert_allclose(found.explained, pca.explained_variance_ratio_)


def test_margins_are_counted_right_and_wrong():
    drawn = margin.margin_histogram(
        np.array([0.0, 0.1, 0.4, 0.4]), np.array([False, True, True, False]), bins=4
    )
    assert drawn["right"].tolist() == [0, 1, 0, 1] and drawn["wrong"].tolist() == [1, 0, 0, 1]


def test_a_figures_csv_is_what_pandas_writes(tmp_path):
    """Six digits, nothing for what is not a number, and no text that a spreadsheet computes."""
    parts = [
        {"label": ["a, b", 'say "c"'], "share": np.array([1 / 3, np.nan]), "clips": np.arange(2)},
        {"label": ["=1+1"], "low": np.array([-1e-9], dtype=np.float32)},
    ]
    data = columns.stacked(parts)
    columns.write_csv(tmp_path / "ours.csv", data)
    frame = pd.DataFrame(data).replace("=1+1", "'=1+1")
    frame.to_csv(tmp_path / "theirs.csv", index=False, float_format="%.6g")
    assert (tmp_path / "ours.csv").read_bytes() == (tmp_path / "theirs.csv").read_bytes()


def test_nothing_that_draws_imports_pandas():
    """It would take longer than most figures do."""
    modules = "confusion, depth, map, margin, prompts, similarity"
    code = f"import sys; from listenread.figures import {modules}; print('pandas' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert ran.stdout.split() == ["False"]


@pytest.mark.parametrize("name", ["text", "audio"])
def test_nothing_is_drawn_of_an_unavailable_table(cell, tmp_path, name):
    tables.write_unavailable(cell.files[name], "it was not released")
    with pytest.raises(Unavailable, match="it was not released"):
        map.draw(cell, tmp_path / "map.svg", NONE)
    assert not list(tmp_path.glob("map.*"))


def test_a_map_needs_the_joint_space(cell, tmp_path):
    audio = tables.read(cell.files["audio"]).data.drop_columns("joint")
    tables.write(cell.files["audio"], audio)
    with pytest.raises(Unavailable, match="no joint vectors"):
        map.draw(cell, tmp_path / "map.svg", NONE)


def test_a_single_class_has_no_margins(tmp_path):
    cell = write_cell(tmp_path, [("a",)] * 3, ["a"], scores=np.ones((3, 1)))
    with pytest.raises(Unavailable, match="a single class"):
        margin.draw(cell, tmp_path / "margin.svg", MARGIN)


def test_a_figure_that_says_why_breaks_its_lines(tmp_path):
    reason = "no audio vectors in the joint space of the model that was released with the paper"
    style.save_reason(reason, tmp_path / "map.svg")
    lines = re.findall(r">([^<]+)</text>", (tmp_path / "map.svg").read_text())
    assert len(lines) > 1 and " ".join(lines) == f"Nothing to draw: {reason}"
    assert pd.read_csv(tmp_path / "map.csv")["unavailable"].item() == reason
    assert (tmp_path / "map.pdf").exists()


def contrast(first, second):
    def luminance(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return np.dot(linear, [0.2126, 0.7152, 0.0722])

    low, high = sorted([luminance(first), luminance(second)])
    return (high + 0.05) / (low + 0.05)


def test_the_two_kinds_of_pairs_are_told_apart_in_grey():
    """WCAG 2.2, 1.4.11 asks for 3 : 1 of graphics; hatching tells them apart besides."""
    assert contrast(style.BLUE, "#ffffff") > 3
    assert contrast(style.BLUE, style.ORANGE) > 2.2
    assert len(set(style.MARKERS)) == len(style.SERIES)


@pytest.mark.slow
def test_inlined_figures_do_not_share_identifiers_and_follow_the_page(cell, tmp_path):
    svg = draw_all(cell, tmp_path / "one")["map.svg"].decode()
    one, two = (inline_svg(svg, prefix, 'a "map" & <more>') for prefix in ("a-", "b-"))
    found = [set(re.findall(r'\bid="([^"]*)"', text)) for text in (one, two)]
    assert found[0] and not found[0] & found[1]
    used = set(re.findall(r'(?:url\(#|href="#)([^")]*)', one))
    assert used <= found[0]
    assert style.INK not in one and "var(--ink)" in one
    assert 'aria-label="a &quot;map&quot; &amp; &lt;more>"' in one
    ElementTree.fromstring(one)


def measured(task, cell, output, **settings):
    resampling = {"n": 50, "confidence_level": 0.9, "seed": 1}
    per_class = output.with_suffix(".per_class") if TASKS.find(task).per_class else None
    measure_cell(task, cell, settings, resampling, output, per_class)
    return output


def test_triplets_by_depth_are_the_rows_of_the_tidy_table(tmp_path, repository):
    """Vectors that lie in the order of the tree are right at every level, others are not."""
    names = ["violin", "viola", "flute", "oboe", "bassoon", "trumpet", "trombone", "accordion"]
    file = repository / "listenread/resources/ontology/doktorski.csv"
    settings = {"column": "path", "root": None}
    tree = Cell({}, {"ontology": file}, ontology_settings=settings).ontology
    tree_like = np.exp(-np.minimum(tree.distances(names), 20.0) / 4)
    noise = np.random.default_rng(0).normal(size=(len(names), 8))
    paths = []
    for prompt, vectors in (("ordered", tree_like), ("noise", noise)):
        (tmp_path / prompt).mkdir()
        spaces = {"joint": vectors, "pre_joint": vectors}
        labels = [(name,) for name in names]
        cell = write_cell(tmp_path / prompt, labels, names, text=spaces, ontology=file)
        cell.keys = {**cell.keys, "prompt": prompt}
        cell.ontology_settings = settings
        paths.append(measured("triplets", cell, tmp_path / prompt / "metrics.parquet"))
    depth.draw(Cell({}, {"metrics": paths}), tmp_path / "depth.svg", NONE)
    drawn = pd.read_csv(tmp_path / "depth.csv")
    tidy = pd.concat([tables.read(path).data.to_pandas() for path in paths])
    tidy = tidy[(tidy["protocol"] == "corrected") & tidy["metric"].str.contains("_level_")]
    np.testing.assert_allclose(drawn["value"], tidy["value"], atol=1e-6)
    assert (drawn.loc[drawn["prompt"] == "ordered", "value"] > 0.9).all()
    assert (drawn.loc[drawn["prompt"] == "noise", "value"] < 0.9).all()
    by_anchor = tables.read(paths[0].with_suffix(".per_class")).data.to_pandas()
    assert set(by_anchor["label"]) == set(names)
    with pytest.raises(Unavailable, match="no triplets by level"):
        depth.draw(Cell({}, {"metrics": []}), tmp_path / "none.svg", NONE)


def test_the_figure_of_prompts_holds_the_smallest_k_of_every_model(cell, tmp_path):
    paths = []
    for model in ("one", "two"):
        cell.keys = {"dataset": "d", "model": model, "prompt": "p"}
        path = tmp_path / f"{model}.parquet"
        paths.append(measured("zero_shot", cell, path, top_k=[3, 2], permutations=5))
    settings = IntervalSettings(top_k=[3, 2])
    prompts.draw(Cell({"dataset": "d"}, {"metrics": paths}), tmp_path / "prompts.svg", settings)
    drawn = pd.read_csv(tmp_path / "prompts.csv")
    assert drawn["model"].tolist() == ["one", "two"] and set(drawn["metric"]) == {"top_2"}
    tidy = tables.read(paths[0]).data.to_pandas()
    wanted = tidy[(tidy["metric"] == "top_2") & (tidy["task"] == "zero_shot")]
    np.testing.assert_allclose(drawn["value"][0], wanted["value"].item(), atol=1e-6)
    with pytest.raises(Unavailable, match="no zero-shot top-2 on d"):
        prompts.draw(Cell({"dataset": "d"}, {"metrics": []}), tmp_path / "none.svg", settings)


def test_accuracy_by_margin_is_drawn_as_it_is_measured(cell, tmp_path, vectors):
    margin.draw(cell, tmp_path / "margin.svg", MARGIN)
    audio, text, labels = vectors
    cosines = (1 - cdist(audio, text, "cosine")).astype(np.float32)
    drawn = pd.read_csv(tmp_path / "margin.csv")
    right = drawn[["right", "wrong"]].sum()
    assert right["right"] == (cosines.argmax(axis=1) == labels).sum() and right.sum() == 60
    curve = drawn[drawn["panel"] == "reliability"]
    found = margin.reliability(
        cosines,
        labels,
        bins=4,
        groups=np.arange(len(labels)),
        resampling=Resampling(50, 0.9, 1),
    )
    for name in ("margin_mean", "top_1", "ci_low", "ci_high"):
        np.testing.assert_allclose(curve[name], found._asdict()[name], rtol=1e-5, atol=1e-6)
