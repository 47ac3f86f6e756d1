"""The paper's families through the whole workflow, from files in the layouts that are published.

The weights are random: what is proved is that fetching, conversion, the health gate, comparison
and embedding fit together, and that a checkpoint which does not give its known answers is stopped.
"""

import json
import runpy
from pathlib import Path

import laion_package
import pytest
import torch
import yaml
from safetensors.torch import load_file

from listenread import health
from listenread.files import tables
from listenread.models.common import tokenization

from ..conftest import write_tones

pytestmark = pytest.mark.slow

SNAPSHOT = Path(__file__).parents[1] / "reference" / "hf_snapshot.py"
EXPERIMENT = "results/experiments/systems"
#: Of the reference weights; the vocabulary is CLIP's.
REDUCED = {
    "d_joint": 48,
    "audio": {"clip_seconds": 4.0, "width": 8, "d_encoder": 64},
    "text": {"max_tokens": 77, "d_encoder": 64, "layers": 2, "heads": 4},
}
VOCABULARY = 49_408


@pytest.fixture(scope="module")
def systems(copy_project, shared_data, shared_mirror, made_by_package, tokenizer_path):
    project = copy_project("systems")
    folder = project.folder
    mirror = folder / "mirror"
    mirror.mkdir()
    for host in shared_mirror.iterdir():
        (mirror / host.name).symlink_to(host.resolve())
    catalogue = yaml.safe_load((folder / "catalogue/models.yaml").read_text("utf-8"))["models"]
    published = catalogue["larger_clap_general"]
    place = mirror / "huggingface.co" / published["repository"] / "resolve" / published["revision"]
    place.mkdir(parents=True)
    runpy.run_path(str(SNAPSHOT))["write_snapshot"](place)
    weights = load_file(shared_data / "muscall_parity.safetensors")
    state = {k.removeprefix("weights."): v for k, v in weights.items() if k.startswith("weights.")}
    known = state["textual_head.token_embedding.weight"]
    tokens = torch.randn(VOCABULARY, known.shape[1], generator=torch.Generator().manual_seed(0))
    state["textual_head.token_embedding.weight"] = tokens * known.std()
    torch.save({"epoch": 3, "state_dict": state}, folder / "muscall.pth.tar")
    words = {word for text in health.PROBE_TEXTS for word in text.lower().split()}
    others = (f"unused{number}" for number in range(VOCABULARY - 3 - len(words)))
    tokenizer = tokenization.train_word_level([*words, *others])
    assert tokenizer.get_vocab_size() == VOCABULARY
    tokenizer.save(str(folder / "words.json"))
    write_tones(folder / "tones")
    project.config = {
        "mirror": "mirror",
        "released": {"retries": 0},
        "experiment": {
            "name": "systems",
            "datasets": ["tones"],
            "models": ["music_clap", "larger_clap_general", "muscall"],
            "prompts": ["track"],
            "tasks": ["zero_shot", "audio_only"],
        },
        "metrics": {"replicates": 20, "top_k": [1, 2]},
        "health": {"largest_mean_text_cosine": 1.0, "largest_mean_audio_cosine": 1.0},
        "datasets": {"tones": {"kind": "folder", "metadata": "tones/metadata.csv"}},
        "models": {
            "music_clap": {
                "checkpoint": {"path": str(made_by_package / "HTSAT-base.pt")},
                "tokenizer": {"path": str(tokenizer_path)},
            },
            "muscall": {
                "sizes": REDUCED,
                "checkpoint": {"path": "muscall.pth.tar"},
                "tokenizer": {"path": "words.json"},
            },
        },
    }
    project.snakemake("--", f"{EXPERIMENT}/metrics.parquet")
    return project


def test_the_families_are_measured_from_published_layouts(systems):
    gathered = tables.read(systems.folder / EXPERIMENT / "metrics.parquet")
    rows = gathered.data.to_pandas()
    top_1 = rows[(rows["metric"] == "top_1") & (rows["task"] == "zero_shot")]
    assert set(top_1["model"]) == {"music_clap", "larger_clap_general"}
    assert top_1["value"].between(0, 1).all()
    for model in ("music_clap", "larger_clap_general"):
        found = json.loads((systems.folder / f"results/models/{model}/health.json").read_text())
        assert found["failures"] == []


def test_a_checkpoint_that_does_not_give_its_known_answers_is_stopped(systems):
    found = json.loads((systems.folder / "results/models/muscall/health.json").read_text())
    assert len(found["failures"]) == 1
    assert found["failures"][0].startswith("known answers: ")
    gathered = tables.read(systems.folder / EXPERIMENT / "metrics.parquet")
    cells = gathered.made_by["unavailable_cells"]
    assert {cell["model"] for cell in cells} == {"muscall"}
    assert all("known answers" in cell["why"] for cell in cells)


def test_the_prepared_model_gives_the_vectors_of_the_package(systems, made_by_package):
    model = systems.folder / "results/models/music_clap"
    rows, _ = laion_package.verify(model, made_by_package / "HTSAT-base.pt", threads=2)
    assert len(rows) > 20
    assert [row for row in rows if not row["agrees"]] == []


def test_what_is_fetched_says_where_it_came_from(systems):
    source = systems.folder / "data/models/larger_clap_general/repository/source.json"
    assert json.loads(source.read_text())["repository"] == "laion/larger_clap_general"
