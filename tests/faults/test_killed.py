"""Jobs and whole runs that are killed, and two runs at once: nothing is lost, nothing is mixed."""

import shutil
import subprocess

import pytest

from listenread.files import checksums

from .conftest import held, kill, nothing_half_written, script, start, wait_for

pytestmark = pytest.mark.slow
AUDIO = [f"results/embeddings/audio/tones/{model}.parquet" for model in ("spectrum", "tiny")]


def test_an_embedding_job_that_is_killed_is_redone_alone(project, as_undisturbed):
    for target in AUDIO:
        (project.folder / target).unlink()
    with held(project):
        run = start(project, "--cores", "1", "--", *AUDIO)
        kill(wait_for(lambda: script(project, "embed_audio.py")))
    output, _ = run.communicate(timeout=300)
    assert run.returncode != 0
    assert "embed_audio" in output and "Exiting because a job execution failed" in output
    (lost,) = [target for target in AUDIO if not (project.folder / target).exists()]
    assert not nothing_half_written(project.folder)
    assert {job.split()[0] for job in project.planned(*AUDIO)} == {"embed_audio"}
    assert len(project.planned(*AUDIO)) == 1, lost
    project.snakemake("--", *AUDIO)
    as_undisturbed(project.folder)


def test_training_that_is_killed_goes_on_from_its_checkpoint(project):
    project.config["models"]["tiny"]["train"] |= {"steps": 400, "checkpoint_every": 10}
    model = project.folder / "results/models/tiny"
    names = ("audio_tower.safetensors", "text_tower.safetensors", "training.csv", "model.json")
    target = "results/models/tiny/model.json"
    project.snakemake("--", target)
    undisturbed = {name: checksums.checksum(model / name, "sha256") for name in names}
    shutil.rmtree(model)

    checkpoint = project.folder / "data/models/tiny/training/checkpoint.safetensors"
    assert not checkpoint.exists()
    run = start(project, "--", target)
    wait_for(checkpoint.exists)
    kill(script(project, "prepare_model.py"))
    run.communicate(timeout=300)
    assert run.returncode != 0 and not (model / "model.json").exists() and checkpoint.exists()

    again = project.snakemake("--", target)
    assert "training goes on after step" in again.stdout + again.stderr
    assert {name: checksums.checksum(model / name, "sha256") for name in names} == undisturbed
    assert not checkpoint.exists() and not nothing_half_written(project.folder)


def test_two_runs_at_once_and_a_run_that_is_killed(project, as_undisturbed):
    """The second is refused; after kill -9 the lock says what to do; orphans do no harm."""
    for target in AUDIO:
        (project.folder / target).unlink()
    with held(project):
        first = start(project, "--", *AUDIO, output=subprocess.DEVNULL)
        orphan = wait_for(lambda: script(project, "embed_audio.py"))
        second = project.snakemake("--", *AUDIO, check=False)
        assert second.returncode != 0
        assert "cannot be locked" in second.stdout + second.stderr

        kill(first.pid)  # the jobs that it started live on
        first.wait(timeout=60)
        assert script(project, "embed_audio.py")
        refused = project.snakemake("--", *AUDIO, check=False)
        assert refused.returncode != 0 and "--unlock" in refused.stdout + refused.stderr
        project.snakemake("--unlock")
    # The orphan and the new job write the same file at the same time.
    project.snakemake("--", *AUDIO)
    as_undisturbed(project.folder, among="embeddings/audio")
    wait_for(lambda: not script(project, "embed_audio.py"))
    as_undisturbed(project.folder)
    assert project.planned(*AUDIO) == set(), orphan
