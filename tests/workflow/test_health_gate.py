"""A broken model stops its own cells; nothing of it reaches a table unless asked for."""

import json

import pytest

from listenread.files import tables

pytestmark = pytest.mark.slow

FLAT_FAMILY = '''
"""A model with one vector for everything."""

import numpy as np

from listenread.audio.base import AudioInput
from listenread.models.base import Vectors


class Flat:
    audio_input = AudioInput(sample_rate=8000, clip_seconds=0.5)

    def __init__(self, model_dir, description, *, tower, device):
        pass

    def encode_audio(self, waveforms):
        return self.encode_text(["" for _ in waveforms])

    def encode_text(self, texts):
        ones = np.ones((len(texts), 4), np.float32)
        return Vectors(ones, ones / 2)
'''
TABLE = "results/experiments/small/metrics.parquet"


def test_an_unhealthy_model_is_named_and_not_scored_unless_asked_for(project):
    (project.folder / "flat_family.py").write_text(FLAT_FAMILY, "utf-8")
    project.config["models"]["flat"] = {"family": "flat_family:Flat"}
    project.config["experiment"] |= {"models": ["spectrum", "flat"], "prompts": ["track"]}
    before = tables.read(project.folder / TABLE).data.to_pandas()

    project.snakemake(TABLE)
    health = json.loads((project.folder / "results/models/flat/health.json").read_text())
    assert not health["healthy"]
    gathered = tables.read(project.folder / TABLE)
    rows = gathered.data.to_pandas()
    assert set(rows["model"]) == {"spectrum"}
    kept = before[(before["model"] == "spectrum") & (before["prompt"] != "meaning")]
    assert rows["value"].tolist() == kept["value"].tolist()
    cells = gathered.made_by["unavailable_cells"]
    assert {(cell["model"], cell["task"]) for cell in cells} == {
        ("flat", "zero_shot"),
        ("flat", "audio_only"),
    }
    assert all(cell["why"].startswith("unhealthy: ") for cell in cells)

    project.config["models"]["flat"]["accept_unhealthy"] = True
    project.snakemake(TABLE)
    rows = tables.read(project.folder / TABLE).data.to_pandas()
    flat = rows[(rows["model"] == "flat") & (rows["metric"] == "top_1")]
    # Equal scores everywhere: the lowest class wins each clip, which is chance for three classes.
    assert flat.loc[flat["task"] == "zero_shot", "value"].tolist() == [pytest.approx(1 / 3)]
