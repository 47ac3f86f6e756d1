"""Audio embedded in shards: more jobs, the same vectors; and in another precision, other ones."""

import json

import numpy as np
import pytest

from listenread.files import tables

pytestmark = pytest.mark.slow

TARGETS = [f"results/embeddings/audio/tones/{model}.parquet" for model in ("spectrum", "tiny")]


def joint(project, target):
    return tables.to_numpy(tables.read(project.folder / target).data["joint"])


def test_shards_give_the_vectors_of_one_job(project):
    whole = [tables.read(project.folder / target).data for target in TARGETS]
    for target in TARGETS:
        (project.folder / target).unlink()
    project.config["embedding"] = {"shard_clips": 4}
    project.snakemake("--", *TARGETS)
    for target, before in zip(TARGETS, whole, strict=True):
        after = tables.read(project.folder / target).data
        assert after["clip_id"].to_pylist() == before["clip_id"].to_pylist()
        for space in ("joint", "pre_joint"):
            np.testing.assert_allclose(
                tables.to_numpy(after[space]), tables.to_numpy(before[space]), atol=1e-5
            )
    logs = {path.name for path in (project.folder / "logs/embed_shard/tones/tiny").glob("*.log")}
    assert logs == {"0.log", "1.log", "2.log"}  # nine clips
    assert not list((project.folder / "results/embeddings/audio/tones").rglob("*.shards/*"))
    assert project.planned(*TARGETS) == set()


def test_bfloat16_is_measured_by_the_health_gate(project):
    before = joint(project, TARGETS[1])
    project.config["embedding"] = {"precision": "bfloat16"}
    project.snakemake("--", TARGETS[1])
    after = joint(project, TARGETS[1])
    assert 0 < np.abs(after - before).max() < 0.1
    np.testing.assert_allclose(np.linalg.norm(after, axis=1), 1, atol=1e-5)
    health = json.loads((project.folder / "results/models/tiny/health.json").read_text())
    (check,) = [check for check in health["checks"] if check["name"] == "precision"]
    assert check["passed"] is True
    assert 0 < check["measured"] < 0.05
