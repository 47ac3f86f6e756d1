"""Triplets of all instruments of an ontology, whichever the configuration names."""

import csv
import hashlib
import json
from itertools import pairwise

import networkx as nx
import numpy as np
import pytest

from listenread.files import tables

pytestmark = pytest.mark.slow

EXPERIMENT = "results/experiments/small"
TARGETS = [f"{EXPERIMENT}/metrics.parquet", f"{EXPERIMENT}/per_class.parquet"]
#: The format of AudioSet's ontology.json, with a handful of its nodes.
AUDIOSET = [
    {"id": "/m/04szw", "name": "Musical instrument", "child_ids": ["/m/1", "/m/2"]},
    {"id": "/m/1", "name": "Plucked string instrument", "child_ids": ["/m/3", "/m/4"]},
    {"id": "/m/2", "name": "Brass instrument", "child_ids": ["/m/5", "/m/6"]},
    *({"id": f"/m/{i}", "name": name, "child_ids": []} for i, name in
      [(3, "Guitar"), (4, "Banjo"), (5, "French horn"), (6, "Trumpet")]),
]  # fmt: skip


@pytest.fixture
def asked(project):
    """The small experiment, asked about the ontology and nothing else."""
    project.config["experiment"] |= {"models": ["spectrum"], "tasks": ["ontology_triplets"]}
    return project


def rows_of(project, name):
    return tables.read(project.folder / EXPERIMENT / name).data.to_pandas()


def distances_by_networkx(path):
    """Edges between instruments, counted in a graph; pairs of different families are not there."""
    graph = nx.Graph()
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            groups = row["path"].split("/")
            nodes = ["/".join(groups[: i + 1]) for i in range(len(groups))]
            nx.add_path(graph, [*nodes, row["instrument"]])
            assert all(graph.has_edge(*edge) for edge in pairwise(nodes))
    return dict(nx.all_pairs_shortest_path_length(graph))


def test_all_instruments_of_hornbostel_and_sachs(asked, repository):
    file = "resources/ontology/hornbostel_sachs.csv"
    asked.config["ontology"] = {"file": file}
    asked.snakemake(*TARGETS)
    frame = rows_of(asked, "metrics.parquet")
    # `meaning` is a file of definitions of the dataset's labels: it has none of a bull roarer.
    assert set(frame["prompt"]) == {"track"}
    assert set(frame["dataset"]) == {"hornbostel_sachs"}

    far = distances_by_networkx(repository / "listenread" / file)
    with (repository / "listenread" / file).open(encoding="utf-8", newline="") as lines:
        names = [row["instrument"] for row in csv.DictReader(lines)]
    seeds = [int(hashlib.sha256(f"A {n} track".encode()).hexdigest()[:8], 16) for n in names]
    vectors = np.stack([np.random.default_rng(seed).random(256) for seed in seeds])
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = unit @ unit.T
    right, total = np.zeros(len(names)), np.zeros(len(names))
    for a, anchor in enumerate(names):
        edges = np.array([far[anchor].get(name, np.inf) for name in names])
        others = [i for i in range(len(names)) if i != a]
        for p in others:
            farther = [q for q in others if edges[p] < edges[q]]
            total[a] += len(farther)
            right[a] += (cosines[a, p] > cosines[a, farther]).sum()
    whole = frame[(frame["metric"] == "accuracy") & (frame["space"] == "pre_joint")]
    assert whole["value"].item() == pytest.approx(right.sum() / total.sum())
    assert whole["n"].item() == len(names)
    anchors = rows_of(asked, "per_class.parquet")
    anchors = anchors[anchors["space"] == "pre_joint"].set_index("label").loc[names]
    np.testing.assert_allclose(anchors["value"], right / total)
    np.testing.assert_array_equal(anchors["n"], total)

    asked.config["experiment"]["prompts"].append("recording")
    planned = {job.split()[0] for job in asked.planned(*TARGETS)}
    assert planned == {"embed_ontology", "measure_ontology_triplets", "gather_metrics"}
    assert all(
        "recording" in job for job in asked.planned(*TARGETS) if not job.startswith("gather")
    )


def test_audioset_and_a_system_without_a_text_tower(asked):
    (asked.folder / "audioset.json").write_text(json.dumps(AUDIOSET), "utf-8")
    asked.config["ontology"] = {"file": "audioset.json"}
    asked.config["experiment"]["models"].append("muscall_released")
    asked.snakemake(*TARGETS)
    frame = rows_of(asked, "metrics.parquet")
    assert set(frame["dataset"]) == {"audioset"} and set(frame["model"]) == {"spectrum"}
    assert set(rows_of(asked, "per_class.parquet")["label"]) >= {"Guitar", "French horn"}
    (cell,) = tables.read(asked.folder / TARGETS[0]).made_by["unavailable_cells"]
    assert (cell["model"], cell["dataset"]) == ("muscall_released", "audioset")
    assert "released for TinySOL's labels only" in cell["why"]
