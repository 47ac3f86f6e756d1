"""A Slurm cluster for the tests of this folder, and an experiment that they run on it."""

import csv
import fcntl
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml

from listenread.datasets import tinysol

from ..conftest import OWN_FAMILY, SMALL, Project
from .slurm import Slurm, why_not

#: The controller is asked often, as nothing else waits for it; jobs are in fewer, larger groups.
IMPATIENT = (
    "--slurm-init-seconds-before-status-checks", "2", "--slurm-status-command", "squeue",
    "--group-components", "cells=4",
)  # fmt: skip
#: A host that does not exist: what is not in the mirror cannot be had.
HOST = "listenread.invalid"
INSTRUMENTS = [entry for entry in tinysol.INSTRUMENTS if entry.label in ("Flute", "Oboe", "Viola")]


@pytest.fixture(scope="session")
def slurm() -> Iterator[Slurm]:
    """Five nodes that take jobs; everything is stopped in the end, whatever happened."""
    reason = why_not()
    if reason:
        pytest.skip(f"no Slurm here: {reason}")
    with (Path(tempfile.gettempdir()) / "listenread-slurm.lock").open("w") as lock:
        # One at a time on a machine: job steps know only one place for their configuration.
        fcntl.flock(lock, fcntl.LOCK_EX)
        cluster = Slurm(nodes=5)
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.stop()


@dataclass
class Run:
    """Snakemake, submitting the jobs of a project; its output is in `log`."""

    process: subprocess.Popen
    log: Path

    def finish(self, seconds: float = 600) -> str:
        """Wait for a good end, and return what was said."""
        code = self.process.wait(seconds)
        said = self.log.read_text("utf-8")
        assert code == 0, said
        return said


@pytest.fixture
def submit() -> Iterator[Callable[..., Run]]:
    """Runs a project on the cluster with its own profile; what still runs is ended afterwards."""
    started = []

    def start(
        project: Project, *options: str, profile: str = "slurm", environment: dict | None = None
    ) -> Run:
        (project.folder / "overlay.yaml").write_text(
            yaml.safe_dump(project.config, sort_keys=False)
        )
        log = project.folder / "run.log"
        command = [
            sys.executable, "-m", "snakemake", "--profile", f"profiles/{profile}",
            "--configfile", "overlay.yaml", "--cores", "2", "--latency-wait", "10",
            *(IMPATIENT if profile == "slurm" else ()), *options,
        ]  # fmt: skip
        with log.open("w") as output:
            process = subprocess.Popen(
                command,
                cwd=project.folder,
                env=os.environ | (environment or {}),
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        started.append(process)
        return Run(process, log)

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
def project(copy_project) -> Project:
    """A clone and a small experiment: notes to be downloaded, and two models, one to be trained."""
    project = copy_project("cluster")
    (project.folder / "own_family.py").write_text(OWN_FAMILY, "utf-8")
    config = yaml.safe_load(yaml.safe_dump(SMALL))
    config["experiment"] |= {
        "datasets": ["tinysol"],
        "prompts": ["track"],
    }
    del config["prompts"], config["datasets"]["tones"]
    config["datasets"]["tinysol"] = publish_notes(project.folder / "mirror")
    config["mirror"] = "mirror"
    project.config = config
    return project


def publish_notes(mirror: Path) -> dict:
    """Write three notes of three instruments where TinySOL would be downloaded from.

    Returns:
        The dataset's entry: addresses and checksums.
    """
    place = mirror / HOST
    place.mkdir(parents=True)
    time = np.arange(4000) / 8000
    lines = []
    with tarfile.open(place / "notes.tar.gz", "w:gz") as archive:
        for number, instrument in enumerate(INSTRUMENTS):
            for take in range(3):
                tone = 0.5 * np.sin(2 * np.pi * 300 * 2**number * (1 + 0.1 * take) * time)
                content = io.BytesIO()
                soundfile.write(content, tone, 8000, format="WAV")
                path = f"{instrument.family}/{instrument.folder}/ordinario/{number}-{take}.wav"
                member = tarfile.TarInfo(f"TinySOL/{path}")
                member.size = content.tell()
                content.seek(0)
                archive.addfile(member, content)
                lines.append(
                    dict.fromkeys(tinysol.CSV_COLUMNS, "")
                    | {
                        "Path": path, "Fold": take, "Family": instrument.family,
                        "Instrument (in full)": instrument.label, "Pitch ID": 60,
                        "Instance ID": 0, "Needed digital retuning": "FALSE",
                    }
                )  # fmt: skip
    with (place / "notes.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, tinysol.CSV_COLUMNS)
        table.writeheader()
        table.writerows(lines)
    return {
        "official": False,
        "archive": _address(place / "notes.tar.gz"),
        "metadata": _address(place / "notes.csv"),
        "vocabulary": {entry.label: entry.label.lower() for entry in INSTRUMENTS},
        "spellings": {},
    }


def _address(file: Path) -> dict:
    content = file.read_bytes()
    return {
        "url": f"https://{HOST}/{file.name}",
        "md5": hashlib.md5(content).hexdigest(),
        "bytes": len(content),
    }
