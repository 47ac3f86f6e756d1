"""MusCALL's recipe at reduced size, from the published layouts to evaluated vectors."""

import json
import runpy
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from listenread import health
from listenread.datasets.manifest import read_manifest
from listenread.models import storage
from listenread.models.common import tokenization

from ..conftest import write_tones

#: Makes the published layouts.
LAYOUTS = Path(__file__).parents[1] / "unit" / "test_datasets_magnatagatune.py"
SIZES = {
    "d_joint": 32,
    "audio": {"clip_seconds": 2.0, "width": 8, "blocks": [1, 1, 1, 1], "heads": 4, "d_encoder": 32},
    "text": {"d_encoder": 32, "layers": 1, "heads": 2},
}
#: What the catalogue says but for the size of the run, and one batch ahead as with 29 s clips.
SMALLER = {
    "steps": 10,
    "batch_size": 16,
    "validation_pairs": 20,
    "evaluate_every": 5,
    "checkpoint_every": 2,
    "precision": "float32",
    "memory_mb": 1,
}


@pytest.fixture(scope="module")
def retrained(copy_project):
    project = copy_project("retrained")
    pitches = np.geomspace(150, 3000, 201).round().astype(int).tolist()
    clips = [(str(i), pitch) for i, pitch in enumerate(pitches)]
    clips[0] = ("35644", None)
    published = runpy.run_path(str(LAYOUTS))["publish"](
        project.folder / "mirror", {"train": clips[:181], "valid": clips[181:]}, 2.5
    )
    # a tokenizer that the captions alone would not give, in the place of CLIP's
    url = yaml.safe_load((project.folder / "catalogue/models.yaml").read_text("utf-8"))
    url = url["models"]["muscall_retrained"]["tokenizer"]["url"].removeprefix("https://")
    place = project.folder / "mirror" / url
    place.parent.mkdir(parents=True)
    words = ["slow synth holds tone of hertz low middle high zither", *health.PROBE_TEXTS]
    tokenization.train_word_level(words).save(str(place))
    write_tones(project.folder / "tones")
    project.config = {
        "experiment": {
            "name": "retrained",
            "datasets": ["tones"],
            "models": ["muscall_retrained"],
            "prompts": ["track"],
            "tasks": ["zero_shot"],
        },
        "mirror": "mirror",
        "health": {"largest_mean_text_cosine": 1.0, "largest_mean_audio_cosine": 1.0},
        "metrics": {"replicates": 20, "top_k": [1, 2]},
        "datasets": {
            "tones": {"kind": "folder", "metadata": "tones/metadata.csv"},
            "magnatagatune": published,
        },
        "models": {"muscall_retrained": {"sizes": SIZES, "train": SMALLER}},
    }
    project.snakemake()
    return project


@pytest.mark.slow
def test_from_the_published_files_to_a_number(retrained):
    manifest = read_manifest(retrained.folder / "results/manifests/magnatagatune.parquet")
    assert len(manifest.clips) == 200
    assert [clip["clip_id"] for clip in manifest.skipped] == ["35644"]
    model = retrained.folder / "results/models/muscall_retrained"
    curves = pd.read_csv(model / "training.csv")
    assert curves["step"].tolist() == list(range(1, 11))
    # what vectors that say nothing would give is log 16
    assert curves["loss"].iloc[0] == pytest.approx(np.log(16), abs=1.5)
    recall = curves[["recall_at_1", "recall_at_5", "recall_at_10"]]
    assert recall.notna().all(axis=1).tolist() == [step in (5, 10) for step in curves["step"]]
    provenance = json.loads((model / storage.DESCRIPTION_FILE).read_text())["provenance"]
    assert provenance["weights_of_step"] == curves.loc[curves["recall_at_10"].idxmax(), "step"]
    settings = provenance["settings"]
    # the catalogue's recipe, where the overlay says nothing else
    assert (settings["noise_p"], settings["pitch_shift_p"], settings["keep"]) == (0.3, 0.4, "best")
    assert (settings["betas"], settings["weight_decay"]) == ([0.9, 0.98], 0.2)
    tokenizer = tokenization.load(model / "tokenizer.json")
    assert tokenizer.token_to_id("zither") is not None
    assert settings["sizes"]["text"]["vocabulary"] == tokenizer.get_vocab_size()
    metrics = pd.read_csv(retrained.folder / "results/experiments/retrained/metrics.csv")
    top_1 = metrics.loc[metrics["metric"] == "top_1", "value"]
    assert not top_1.empty
    assert top_1.between(0, 1).all()
    assert not list((retrained.folder / "data/downloads").glob("*.partial"))


@pytest.mark.slow
def test_another_tokenizer_is_another_model(retrained, tmp_path):
    folder = tmp_path / "project"
    shutil.copytree(retrained.folder, folder, symlinks=True)
    other = type(retrained)(folder, yaml.safe_load(yaml.safe_dump(retrained.config)))
    other.profile = retrained.profile
    assert other.planned() == set()
    # an overlay may add a file at hand to the catalogue's URL
    own = folder / "own_tokenizer.json"
    tokenization.train_word_level(["a tone of some hertz low middle high"]).save(str(own))
    other.config["models"]["muscall_retrained"]["tokenizer"] = {"path": "own_tokenizer.json"}
    planned = other.planned()
    assert "train_muscall muscall_retrained" in planned
    assert not [job for job in planned if job.startswith(("fetch", "build_manifest"))]
