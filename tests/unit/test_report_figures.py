"""Figures: the csv holds what is drawn, the bytes are the same on every run."""

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

from listenread import ontology
from listenread.figures import columns, confusion, depth, map, margin, similarity, style
from listenread.files import tables
from listenread.metrics import separation
from listenread.report.inline import inline_svg
from listenread.scores import score_prompt
from listenread.tasks.triplets import measure_triplets

CLASSES = ["Cello <1>", "Flute", "Oboe & co"]


@pytest.fixture
def vectors():
    generator = np.random.default_rng(0)
    centres = generator.normal(size=(3, 8))
    labels = np.arange(60) % 3
    return centres[labels] + generator.normal(0, 1, (60, 8)), centres, labels


@pytest.fixture
def files(tmp_path, vectors):
    audio, text, labels = vectors
    names = [CLASSES[label] for label in labels]
    ids = [f"clip {number}" for number in range(len(labels))]
    spaces = {"joint": tables.vectors(audio), "pre_joint": tables.vectors(audio)}
    tables.write(tmp_path / "audio.parquet", {"clip_id": ids, "label": names, **spaces})
    tables.write(
        tmp_path / "text.parquet",
        {"label": CLASSES, "text": CLASSES, "joint": tables.vectors(text)},
    )
    cosines = 1 - cdist(audio, text, "cosine")
    columns = {name: cosines[:, i].astype(np.float32) for i, name in enumerate(CLASSES)}
    tables.write(tmp_path / "scores.parquet", {"clip_id": ids, "label": names, **columns})
    return tmp_path


def draw_all(files, folder):
    scores = files / "scores.parquet"
    similarity.draw_text_audio(scores, folder / "similarity.svg", bins=12)
    similarity.draw_audio_only(
        files / "audio.parquet", folder / "audio.svg", bins=12, max_others=1000, seed=0
    )
    confusion.draw(scores, folder / "confusion.svg")
    map.draw(files / "audio.parquet", files / "text.parquet", folder / "map.svg")
    margin.draw(
        scores,
        folder / "confidence.svg",
        histogram_bins=10,
        reliability_bins=4,
        resamples=50,
        confidence=0.9,
        seed=1,
    )
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_every_figure_is_three_files_and_the_same_on_every_run(files, tmp_path):
    first, second = draw_all(files, tmp_path / "one"), draw_all(files, tmp_path / "two")
    assert len(first) == 15 and first == second
    assert {name.rpartition(".")[2] for name in first} == {"svg", "pdf", "csv"}
    for name, content in first.items():
        if name.endswith(".svg"):
            assert ElementTree.fromstring(content).tag.endswith("svg")
            assert b"<text" in content, "text stays text"


def test_the_histogram_counts_every_pair(files, tmp_path, vectors):
    audio, text, labels = vectors
    draw_all(files, tmp_path / "one")
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
    profile = separation.text_audio_profile(np.full((4, 2), 0.25), np.array([0, 1, 0, 1]), bins=400)
    drawn = similarity.histogram(profile, 60)
    assert drawn["positive"].tolist() == drawn["negative"].tolist() == [4]


def test_the_confusion_csv_is_scikit_learns(files, tmp_path, vectors):
    audio, text, labels = vectors
    draw_all(files, tmp_path / "one")
    frame = pd.read_csv(tmp_path / "one/confusion.csv")
    predicted = (1 - cdist(audio, text, "cosine")).argmax(axis=1)
    expected = confusion_matrix(labels, predicted)
    np.testing.assert_array_equal(frame["clips"].to_numpy().reshape(3, 3), expected)
    shares = confusion_matrix(labels, predicted, normalize="true")
    np.testing.assert_allclose(frame["share"].to_numpy().reshape(3, 3), shares, atol=1e-5)


def test_figures_of_many_classes_keep_their_size_and_leave_names_to_the_csv(tmp_path):
    n = 120
    names = [f"class <{number}>" for number in range(n)]
    vectors = np.random.default_rng(0).normal(size=(n, 4))
    keys = {"clip_id": names, "label": names}
    tables.write(tmp_path / "audio.parquet", {**keys, "joint": tables.vectors(vectors)})
    tables.write(tmp_path / "text.parquet", {**keys, "joint": tables.vectors(-vectors)})
    score_prompt(*(tmp_path / f"{name}.parquet" for name in ("audio", "text", "scores")))
    confusion.draw(tmp_path / "scores.parquet", tmp_path / "confusion.svg")
    map.draw(tmp_path / "audio.parquet", tmp_path / "text.parquet", tmp_path / "map.svg")
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
def test_an_unavailable_table_gives_a_figure_that_says_why(files, tmp_path, name):
    tables.write_unavailable(files / f"{name}.parquet", "it was not released")
    map.draw(files / "audio.parquet", files / "text.parquet", tmp_path / "map.svg")
    assert "it was not released" in (tmp_path / "map.svg").read_text()
    assert pd.read_csv(tmp_path / "map.csv")["unavailable"].item() == "it was not released"


def test_vectors_of_one_space_alone_give_a_figure_that_says_so(files, tmp_path):
    audio = tables.read(files / "audio.parquet").data.drop_columns("joint")
    tables.write(files / "audio.parquet", audio)
    map.draw(files / "audio.parquet", files / "text.parquet", tmp_path / "map.svg")
    lines = re.findall(r">([^<]+)</text>", (tmp_path / "map.svg").read_text())
    assert " ".join(lines) == "Nothing to draw: no audio vectors in the joint space"


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


def test_inlined_figures_do_not_share_identifiers_and_follow_the_page(files, tmp_path):
    svg = draw_all(files, tmp_path / "one")["map.svg"].decode()
    one, two = (inline_svg(svg, prefix, 'a "map" & <more>') for prefix in ("a-", "b-"))
    found = [set(re.findall(r'\bid="([^"]*)"', text)) for text in (one, two)]
    assert found[0] and not found[0] & found[1]
    used = set(re.findall(r'(?:url\(#|href="#)([^")]*)', one))
    assert used <= found[0]
    assert style.INK not in one and "var(--ink)" in one
    assert 'aria-label="a &quot;map&quot; &amp; &lt;more>"' in one
    ElementTree.fromstring(one)


def test_triplets_by_depth_are_the_rows_of_the_tidy_table(tmp_path, repository):
    """Vectors that lie in the order of the tree are right at every level, others are not."""
    names = ["violin", "viola", "flute", "oboe", "bassoon", "trumpet", "trombone", "accordion"]
    file = repository / "listenread/resources/ontology/doktorski.csv"
    tree = ontology.read(file)
    far = np.minimum(tree.distances(names), 20.0)
    tree_like = np.exp(-far / 4)
    noise = np.random.default_rng(0).normal(size=(len(names), 8))
    paths = []
    for prompt, vectors in (("ordered", tree_like), ("noise", noise)):
        text, paths = tmp_path / f"{prompt}.parquet", [*paths, tmp_path / f"{prompt}_m.parquet"]
        spaces = {"joint": tables.vectors(vectors), "pre_joint": tables.vectors(vectors)}
        tables.write(text, {"label": names, "text": names, **spaces})
        measure_triplets(
            text, file, paths[-1], tmp_path / "c.parquet",
            dataset="d", model="m", prompt=prompt, column="path", root=None,
            names={name: [name] for name in names}, resamples=50, confidence=0.9, seed=1,
        )  # fmt: skip
    depth.draw(paths, tmp_path / "depth.svg")
    drawn = pd.read_csv(tmp_path / "depth.csv")
    tidy = pd.concat([tables.read(path).data.to_pandas() for path in paths])
    tidy = tidy[(tidy["protocol"] == "corrected") & tidy["metric"].str.contains("_level_")]
    np.testing.assert_allclose(drawn["value"], tidy["value"], atol=1e-6)
    assert (drawn.loc[drawn["prompt"] == "ordered", "value"] > 0.9).all()
    assert (drawn.loc[drawn["prompt"] == "noise", "value"] < 0.9).all()
    assert (tmp_path / "depth.pdf").exists()
    by_anchor = tables.read(tmp_path / "c.parquet").data.to_pandas()
    assert set(by_anchor["label"]) == set(names)
