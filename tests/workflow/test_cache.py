"""The cache never lies: what a change re-runs is exactly what depends on it.

Every change is made in a copy of a finished experiment of one dataset (`tones`), two models
(`spectrum`, a family of one's own, and `tiny`, trained) and two prompts (`track`, a template, and
`meaning`, a definition), and Snakemake is asked for its plan.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

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


def test_a_job_killed_in_the_middle_is_redone_alone(project):
    """kill -9 of a job that embeds audio: nothing half-written stays, the next run redoes it."""
    targets = [f"results/embeddings/audio/tones/{model}.parquet" for model in MODELS]
    good = [tables.to_numpy(tables.read(project.folder / t).data["joint"]) for t in targets]
    project.config["embedding"] = {"batch_size": 4}
    assert project.planned(*targets) == {f"embed_audio tones/{model}" for model in MODELS}
    progress = project.folder / "listenread/progress.py"
    quick = progress.read_text("utf-8")
    progress.write_text(quick + "\nimport time\n\ntime.sleep(6)\n", "utf-8")
    run = subprocess.Popen(
        [
            sys.executable, "-m", "snakemake", "--cores", "1", "--configfile", "overlay.yaml",
            "--workflow-profile", "test_profile", "--", *targets,
        ],
        cwd=project.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    killed = _kill_script("embed_audio.py", project.folder)
    output, _ = run.communicate(timeout=300)
    progress.write_text(quick, "utf-8")
    assert killed and run.returncode != 0, output
    (lost,) = [target for target in targets if not (project.folder / target).exists()]
    assert not list((project.folder / lost).parent.glob(".*partial*"))
    model = Path(lost).stem
    assert project.planned(*targets) == {f"embed_audio tones/{model}"}
    project.snakemake(*targets)
    for target, vectors in zip(targets, good, strict=True):
        again = tables.to_numpy(tables.read(project.folder / target).data["joint"])
        np.testing.assert_allclose(again, vectors, atol=1e-6)  # of another batch size


def _kill_script(name, folder, patience_s=60):
    """Kill -9 the process that runs a script of the workflow in `folder`, once it is there."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        found = subprocess.run(
            ["pgrep", "-f", f"^[^ ]*python[^ ]* {folder}/.snakemake/scripts/.*{name}"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if found.stdout.split():
            time.sleep(2)
            os.kill(int(found.stdout.split()[0]), signal.SIGKILL)
            return True
        time.sleep(0.2)
    return False
