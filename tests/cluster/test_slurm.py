"""The experiment on real Slurm: where its jobs ran, what it gave, and faults that it gets over."""

import os
import re
import shutil
import signal

import pyarrow.parquet as pq
import pytest

from .slurm import wait_for

pytestmark = pytest.mark.slow

#: Rules that may use the network, so that they stay where Snakemake runs.
LOCAL = {"fetch_tinysol_metadata", "fetch_tinysol"}
#: The groups of the profile that the experiment has jobs of.
GROUPS = ("texts", "cells", "summary")

FAULTY_FAMILY = '''
"""Vectors like those of `own_family.Spectrum`, after a fault that is met once."""

import time
from pathlib import Path

from own_family import Spectrum


class Faulty(Spectrum):
    def __init__(self, model_dir, description, *, tower, device):
        super().__init__(model_dir, description, tower=tower, device=device)
        self.fault = description["options"]["fault"] if tower == "audio" else None

    def encode_audio(self, waveforms):
        met = Path(f"met-{self.fault}")
        if self.fault == "hungry":
            # Too much for the first attempt's request, not for the second's.
            held = bytearray(700_000_000)
            held[::4096] = b"x" * len(held[::4096])
            time.sleep(5)
        elif self.fault and not met.exists():
            met.touch()
            time.sleep(600)
        return super().encode_audio(waveforms)
'''


#: What the chain makes, but for the checkpoints that training could go on from.
MADE = ("data/tinysol", "data/gm_captions", "results")


def files_of(project):
    """Every file that was made, as bytes; but for the page, which states how long jobs took."""
    return {
        str(path.relative_to(project.folder)): path.read_bytes()
        for folder in MADE
        for path in (project.folder / folder).rglob("*")
        if path.is_file() and path.name != "report.html"
    }


def test_the_cluster_gives_the_bytes_of_a_local_run(slurm, project, submit, tmp_path):
    before = {job.number for job in slurm.jobs()}
    shared = {"SNAKEMAKE_OUTPUT_CACHE": str(tmp_path)}
    run = submit(project, "--cache", "train_muscall", "embed_audio", environment=shared)
    run.finish()

    done = [job for job in slurm.jobs() if job.number not in before]
    assert {job.state for job in done} == {"COMPLETED"}
    assert len({job.node for job in done}) >= 2
    submitted = {re.sub(r"^rule_|_wildcards_.*", "", job.comment) for job in done}
    assert not submitted & LOCAL
    assert {"train_muscall", "embed_audio", "check_model"} <= submitted
    for group in GROUPS:
        assert any(name.startswith(f"{group}_") for name in submitted), submitted
    assert len(done) < 20

    # The trained model's five files, and the vectors of two models.
    assert len(list(tmp_path.iterdir())) >= 7

    on_cluster = files_of(project)
    for folder in ("data", "results"):
        shutil.rmtree(project.folder / folder)
    project.snakemake()
    here = files_of(project)
    assert set(on_cluster) == set(here)
    assert [name for name in here if here[name] != on_cluster[name]] == []


def test_faults_of_jobs_and_nodes_are_got_over(slurm, project, submit):
    """Four models meet a fault each at their first attempt; all end with the vectors of none.

    `late` runs into its time limit, `hungry` into its memory limit, `killed` is killed on a node
    that is being drained, the node of `lost` dies.
    """
    faults = ("late", "hungry", "killed", "lost")
    (project.folder / "faulty_family.py").write_text(FAULTY_FAMILY, "utf-8")
    model = project.config["models"].pop("spectrum")
    for fault in faults:
        project.config["models"][fault] = {
            "family": "faulty_family:Faulty", "options": {"fault": fault}
        }  # fmt: skip
    project.config["models"]["unharmed"] = model
    project.config["experiment"] |= {"models": [*faults, "unharmed"]}
    vectors = [f"results/embeddings/audio/tinysol/{name}.parquet" for name in (*faults, "unharmed")]
    project.snakemake("--until", "check_model", "build_manifest", "--", *vectors)

    before = {job.number for job in slurm.jobs()}
    run = submit(
        project, "--set-threads", "embed_audio=1", "--set-resources", "embed_audio:gpu=0",
        "embed_audio:mem_mb=attempt*1000",
        "embed_audio:runtime=attempt if wildcards.model == 'late' else 20", "--", *vectors,
    )  # fmt: skip

    def attempts(fault):
        found = [job for job in slurm.jobs() if job.number not in before]
        return [job for job in found if job.comment.endswith(f"_{fault}")]

    for fault in ("killed", "lost", "late"):
        wait_for(lambda fault=fault: (project.folder / f"met-{fault}").exists(), f"{fault} to run")

    [killed] = attempts("killed")
    slurm.drain(killed.node)
    for process in slurm.job_processes(killed.number, "embed_audio.py"):
        os.kill(process, signal.SIGKILL)
    [lost] = attempts("lost")
    assert len({job.node for job in (lost, killed, *attempts("late"))}) == 3
    slurm.crash_node(lost.node)
    run.finish()
    slurm.start_node(lost.node)
    slurm.resume(killed.node)

    assert [job.state for job in attempts("killed")] == ["FAILED", "COMPLETED"]
    assert attempts("killed")[1].node != killed.node
    assert [job.state for job in attempts("late")] == ["TIMEOUT", "COMPLETED"]
    assert [job.limit for job in attempts("late")] == ["1:00", "2:00"]
    assert [job.state for job in attempts("hungry")] == ["FAILED", "COMPLETED"]
    logs = project.folder / ".snakemake/slurm_logs/rule_embed_audio/tinysol_hungry"
    assert "exceeded memory limit" in "".join(log.read_text() for log in logs.iterdir())
    assert attempts("lost")[-1].node != lost.node
    here = [pq.read_table(project.folder / name) for name in vectors]
    assert all(table.equals(here[-1]) for table in here)


def test_the_profile_for_other_schedulers_submits(slurm, project, submit):
    """With `sbatch` in place of the command that is to be edited."""
    before = {job.number for job in slurm.jobs()}
    requests = "-c {threads} --mem {resources.mem_mb} -t {resources.runtime} --gpus {resources.gpu}"
    run = submit(
        project, "--cluster-generic-submit-cmd", f"sbatch --parsable -J {{rule}} {requests}",
        "--cluster-generic-cancel-cmd", "scancel", "--seconds-between-status-checks", "1",
        "--", "results/manifests/tinysol.parquet",
        profile="cluster-generic",
    )  # fmt: skip
    run.finish()
    [job] = [job for job in slurm.jobs() if job.number not in before]
    assert (job.state, job.limit) == ("COMPLETED", "30:00")
    assert (project.folder / "results/manifests/tinysol.parquet").exists()
