"""The cache never lies: what a change re-runs is exactly what depends on it.

Every change is made in a copy of a finished experiment of one dataset (`tones`), two models
(`spectrum`, a family of one's own, and `tiny`, trained) and two prompts (`track`, a template, and
`meaning`, a definition), and Snakemake is asked for its plan.
"""

import io
import os
import shutil

import numpy as np
import pytest
import soundfile

from listenread.files import tables

pytestmark = pytest.mark.slow

MODELS = ("spectrum", "tiny")
PROMPTS = ("track", "meaning")
#: What every change of a number leads to.
SUMMARY = {
    "gather_metrics small",
    "compare_with_paper small",
    "write_report small",
    "write_checksums small",
    "all",
}
#: How the rules are called whose jobs make pictures and sounds for the page.
DRAWING = ("draw_", "encode_clips")


def prompt_jobs(*prompts, models=MODELS):
    """Text, scores and metrics of some prompts."""
    return {
        f"{rule} tones/{model}/{prompt}"
        for rule in ("embed_text", "score_prompt", "measure_zero_shot")
        for model in models
        for prompt in prompts
    }


def audio_jobs(*models):
    return {f"{rule} tones/{m}" for rule in ("embed_audio", "measure_audio_only") for m in models}


def assert_plan(project, wanted, *, drawn=(), summary=SUMMARY):
    """Assert the exact jobs before the figures, and figures of no other cell than `drawn`.

    `drawn` has cells ``model`` and ``model/prompt``; a figure of a whole dataset or experiment may
    be drawn anew whenever anything is, one of a cell only when the cell changed.
    """
    planned = project.planned()
    figures = {job for job in planned if job.startswith(DRAWING)}
    assert planned - figures == wanted | summary
    cells = {job.split()[1].split("/", 2)[2] for job in figures if job.count("/") >= 2}
    assert cells == set(drawn)


def cells(*prompts, models=MODELS):
    return {f"{model}/{prompt}" for model in models for prompt in prompts}


def test_nothing_changed_runs_nothing(project):
    assert project.planned() == set()


def test_a_file_touched_without_a_change_runs_nothing(project):
    for name in (
        "tones/low-0.wav",
        "tones/metadata.csv",
        "meanings.csv",
        "own_family.py",
        "scripts/embed_audio.py",
        "listenread/metrics/classification.py",
        "listenread/report/templates/page.html.j2",
        "config.yaml",
        "rules/measure.smk",
    ):
        path = project.folder / name
        assert path.exists(), name
        os.utime(path)
    assert project.planned() == set()


def test_a_prompt_added(project):
    project.config["experiment"]["prompts"].append("recording")
    assert_plan(project, prompt_jobs("recording"), drawn=cells("recording"))


def test_a_prompt_reworded(project):
    project.config["prompts"]["track"] = "Another {label} track"
    assert_plan(project, prompt_jobs("track"), drawn=cells("track"))


def test_a_prompt_removed(project):
    project.config["experiment"]["prompts"].remove("meaning")
    assert_plan(project, set())


def test_a_replaced_experiment_is_said_before_the_first_job(project):
    project.config["experiment"]["prompts"] = ["track", "recording"]
    result = project.snakemake("--dry-run")
    said = result.stdout + result.stderr
    sentence = "without the prompts `meaning`, with the prompts `recording`"
    assert said.index(sentence) < said.index("rule embed_text")
    assert "results/experiments/small holds" in said and "/meaning.svg" in said
    project.config["experiment"]["name"] = "other"
    result = project.snakemake("--dry-run")
    assert "is finished" not in result.stdout + result.stderr


def test_a_definition_edited(project):
    path = project.folder / "meanings.csv"
    path.write_text(path.read_text().replace("low,A {label} tone.", "low,A deep {label} tone."))
    assert_plan(project, prompt_jobs("meaning"), drawn=cells("meaning"))


def test_a_label_spelt_otherwise(project):
    words = {"high": "high", "low": "deep", "middle": "mid"}
    project.config["datasets"]["tones"]["vocabulary"] = words
    project.config["experiment"]["prompts"].remove("meaning")
    assert_plan(project, prompt_jobs("track"), drawn=cells("track"))


def test_a_model_added(project):
    project.config["models"]["other"] = {"family": "own_family:Spectrum", "options": {"seed": 1}}
    project.config["experiment"]["models"].append("other")
    new = {"prepare_own other", "check_model other", "hash_model other"} | audio_jobs("other")
    assert_plan(
        project,
        new | prompt_jobs(*PROMPTS, models=["other"]),
        drawn={"other"} | cells(*PROMPTS, models=["other"]),
    )


def test_a_model_trained_with_another_seed(project):
    project.config["models"]["tiny"]["train"]["seed"] = 3
    new = {"train_muscall tiny", "check_model tiny", "hash_model tiny"} | audio_jobs("tiny")
    assert_plan(
        project,
        new | prompt_jobs(*PROMPTS, models=["tiny"]),
        drawn={"tiny"} | cells(*PROMPTS, models=["tiny"]),
    )


@pytest.mark.parametrize(
    ("key", "value"),
    [("seed", 5), ("replicates", 30), ("confidence_level", 0.9), ("top_k", [1, 3])],
)
def test_a_constant_of_the_metrics_changed(project, key, value):
    project.config["metrics"][key] = value
    measured = {f"measure_zero_shot tones/{m}/{p}" for m in MODELS for p in PROMPTS}
    # Reliability curves have intervals of their own, and the seed picks the pairs of clips that
    # histograms show; nothing that is drawn for a cell depends on k.
    assert_plan(
        project,
        measured | {f"measure_audio_only tones/{model}" for model in MODELS},
        drawn={"top_k": set(), "seed": {*MODELS} | cells(*PROMPTS)}.get(key, cells(*PROMPTS)),
    )


def edit(project, name):
    path = project.folder / name
    path.write_text(path.read_text("utf-8") + "\n# edited\n", "utf-8")


def test_a_metric_module_edited(project):
    edit(project, "listenread/metrics/prototypes.py")
    assert_plan(project, {f"measure_audio_only tones/{model}" for model in MODELS})


def test_the_family_of_one_model_edited(project):
    edit(project, "own_family.py")
    new = {f"{rule} spectrum" for rule in ("prepare_own", "check_model", "hash_model")}
    new |= audio_jobs("spectrum")
    assert_plan(
        project,
        new | prompt_jobs(*PROMPTS, models=["spectrum"]),
        drawn={"spectrum"} | cells(*PROMPTS, models=["spectrum"]),
    )


def test_the_report_template_edited(project):
    templates = sorted((project.folder / "listenread/report/templates").glob("*.j2"))
    edit(project, templates[0].relative_to(project.folder))
    assert project.planned() == {"write_report small", "all"}


def test_a_module_that_only_shows_progress_edited(project):
    edit(project, "listenread/progress.py")
    assert project.planned() == set()


def test_an_audio_file_replaced(project):
    time_s = np.arange(4000) / 8000
    soundfile.write(project.folder / "tones/low-0.wav", 0.4 * np.sin(900 * time_s), 8000)
    after = {job for job in prompt_jobs(*PROMPTS) if not job.startswith("embed_text")}
    assert_plan(
        project,
        {"build_manifest tones"} | audio_jobs(*MODELS) | after,
        drawn={*MODELS} | cells(*PROMPTS),
    )


def replace_by_older(path, content):
    """As `cp -p backup file`, `rsync -t` and `unzip` do: the new content has an older time."""
    backup = path.with_name(f"{path.name}.backup")
    backup.write_bytes(content)
    os.utime(backup, (1_600_000_000, 1_600_000_000))
    shutil.copy2(backup, path)
    backup.unlink()
    assert path.stat().st_mtime == 1_600_000_000


def sounding_jobs(*models):
    """What a change of clips or of their labels leads to, for some models."""
    scored = {job for job in prompt_jobs(*PROMPTS, models=models) if not job.startswith("embed_t")}
    return audio_jobs(*models) | scored


def test_an_audio_file_replaced_by_an_older_one(project):
    clip = project.folder / "tones/low-0.wav"
    content = io.BytesIO()
    soundfile.write(content, 0.4 * np.sin(900 * np.arange(4000) / 8000), 8000, format="WAV")
    assert len(content.getvalue()) == clip.stat().st_size
    replace_by_older(clip, content.getvalue())
    wanted = {"build_manifest tones"} | sounding_jobs(*MODELS)
    assert_plan(project, wanted, drawn={*MODELS} | cells(*PROMPTS))


def test_two_audio_files_that_took_each_others_place(project):
    first, second = (project.folder / f"tones/{name}.wav" for name in ("low-0", "middle-0"))
    contents = first.read_bytes(), second.read_bytes()
    replace_by_older(first, contents[1])
    replace_by_older(second, contents[0])
    assert "build_manifest tones" in project.planned()


def test_metadata_replaced_by_an_older_file(project):
    """The plan, the outcome, and the way back, which is another change."""
    metadata = project.folder / "tones/metadata.csv"
    before = metadata.read_bytes()
    swapped = {b"low": b"high", b"high": b"low"}
    lines = [line.split(b",") for line in before.splitlines()]
    after = b"\n".join(b",".join([p, swapped.get(label, label), f]) for p, label, f in lines)
    replace_by_older(metadata, after + b"\n")
    target = "results/manifests/tones.parquet"
    assert_plan(
        project,
        {"build_manifest tones"} | sounding_jobs(*MODELS),
        drawn={*MODELS} | cells(*PROMPTS),
    )
    project.snakemake(target)
    labels = tables.read(project.folder / target).data["labels"].to_pylist()
    assert labels == [[label] for label in ("high", "middle", "low") for _ in range(3)]
    assert project.planned(target) == set()
    replace_by_older(metadata, before)
    assert project.planned(target) == {"build_manifest tones"}


def test_definitions_replaced_by_an_older_file(project):
    path = project.folder / "meanings.csv"
    replace_by_older(path, path.read_bytes().replace(b"low,A {label}", b"low,A deep {label}"))
    assert_plan(project, prompt_jobs("meaning"), drawn=cells("meaning"))


def test_a_family_replaced_by_an_older_module(project):
    path = project.folder / "own_family.py"
    replace_by_older(path, path.read_bytes() + b"\n# another version\n")
    new = {f"{rule} spectrum" for rule in ("prepare_own", "check_model", "hash_model")}
    assert_plan(
        project,
        new | audio_jobs("spectrum") | prompt_jobs(*PROMPTS, models=["spectrum"]),
        drawn={"spectrum"} | cells(*PROMPTS, models=["spectrum"]),
    )


def test_a_metric_module_replaced_by_an_older_one(project):
    """As an installation of another version does that keeps the times of its files."""
    path = project.folder / "listenread/metrics/prototypes.py"
    replace_by_older(path, path.read_bytes() + b"\n# another version\n")
    assert_plan(project, {f"measure_audio_only tones/{model}" for model in MODELS})


PREPARED_FROM_A_FILE = """
from pathlib import Path

from listenread.models.base import Family, OwnSettings, Preparation
from listenread.models.storage import prepare_own

FAMILY = Family(
    name="given",
    description="A model that is prepared from a file and a folder of the user.",
    settings=OwnSettings,
    towers=frozenset({"audio", "text"}),
    loader="own_family:Spectrum",
    preparations=(
        Preparation(
            rule="prepare_given",
            make=prepare_own,
            outputs=("model.json",),
            inputs=lambda settings, made: {
                "checkpoint": Path("checkpoint.pt"), "snapshot": Path("snapshot"),
            },
            uses=("options",),
        ),
    ),
)
"""


@pytest.mark.parametrize("name", ["checkpoint.pt", "snapshot/below/config.json"])
def test_a_checkpoint_replaced_by_an_older_one(project, name):
    """Also a file of a folder, whose own time Snakemake looks at."""
    (project.folder / "own_given.py").write_text(PREPARED_FROM_A_FILE, "utf-8")
    (project.folder / "snapshot/below").mkdir(parents=True)
    for given in ("checkpoint.pt", "snapshot/below/config.json"):
        (project.folder / given).write_bytes(b"first")
    project.config["models"]["given"] = {"family": "own_given:FAMILY"}
    target = "results/models/given/model.json"
    project.snakemake(target)
    assert project.planned(target) == set()
    replace_by_older(project.folder / name, b"other")
    assert project.planned(target) == {"prepare_given given"}


def test_an_audio_file_replaced_behind_the_workflow_is_never_embedded(project):
    """With `track_clips` off no job is planned, but the next job that reads the clip refuses it."""
    project.config["datasets"]["tones"]["track_clips"] = False
    target = "results/embeddings/audio/tones/spectrum.parquet"
    project.snakemake(target)
    time_s = np.arange(4000) / 8000
    soundfile.write(project.folder / "tones/low-0.wav", 0.4 * np.sin(900 * time_s), 8000)
    assert project.planned(target) == set()
    result = project.snakemake("--forcerun", "embed_audio", "--", target, check=False)
    assert result.returncode != 0
    assert "changed since the manifest was made" in result.stdout + result.stderr
    assert not (project.folder / target).exists()


def test_a_changed_prompt_changes_the_vectors_and_only_its_own(project):
    """Not the plan but the outcome: the new words are there, the other prompt stays."""
    folder = project.folder / "results/embeddings/text/tones/spectrum"
    untouched = (folder / "meaning.parquet").stat().st_mtime_ns
    project.config["prompts"]["track"] = "Another {label} track"
    targets = [f"results/embeddings/text/tones/spectrum/{prompt}.parquet" for prompt in PROMPTS]
    project.snakemake(*targets)
    assert tables.read(folder / "track.parquet").data["text"].to_pylist() == [
        f"Another {label} track" for label in ("high", "low", "middle")
    ]
    assert (folder / "meaning.parquet").stat().st_mtime_ns == untouched
    assert project.planned(*targets) == set()
