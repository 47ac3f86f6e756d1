"""Small experiments in a copy of the project, for the benchmarks of the workflow."""

import shutil
import sys
from pathlib import Path
from typing import Any

import yaml

from benchmarks import common

#: What a clone of the project needs to run.
PARTS = (
    "config.yaml",
    "catalogue",
    "config",
    "envs",
    "listenread",
    "profiles",
    "rules",
    "scripts",
)


class Experiment:
    """A copy of the project in a folder, with an overlay that may change between runs."""

    def __init__(self, folder: Path, overlay: dict[str, Any]):
        """Copy the project; `overlay` is written before every run."""
        self.folder, self.overlay = folder, overlay
        folder.mkdir(parents=True)
        for part in ("Snakefile", *PARTS):
            source = common.PROJECT / part
            (shutil.copytree if source.is_dir() else shutil.copy2)(source, folder / part)

    def run(self, *options: object, cores: int = 2) -> common.Process:
        """Run Snakemake as a user would, but for the live panel."""
        (self.folder / "overlay.yaml").write_text(yaml.safe_dump(self.overlay, sort_keys=False))
        profile = self.folder / "plain_profile"
        if not profile.exists():
            settings = yaml.safe_load((self.folder / "profiles/default/config.yaml").read_text())
            del settings["logger"]
            profile.mkdir()
            (profile / "config.yaml").write_text(yaml.safe_dump(settings))
        command = [
            sys.executable, "-m", "snakemake", "--cores", cores, "--workflow-profile", profile,
            "--configfile", "overlay.yaml", *options,
        ]  # fmt: skip
        return common.timed(command, cwd=self.folder)


def write_tones(folder: Path, clips: int, labels: int = 3, sample_rate: int = 8000) -> None:
    """Write half-second tones and their csv, as a user's dataset."""
    import numpy as np
    import soundfile

    folder.mkdir(parents=True)
    time_s = np.arange(sample_rate // 2) / sample_rate
    lines = ["path,label"]
    for number in range(clips):
        label = number % labels
        pitch = 200 * 2 ** (label / 2) * (1 + 0.2 * number / clips)
        path = folder / f"{number:06d}.wav"
        soundfile.write(path, 0.5 * np.sin(2 * np.pi * pitch * time_s), sample_rate)
        lines.append(f"{path.name},label {label}")
    (folder / "metadata.csv").write_text("\n".join(lines) + "\n")


#: A user's family in numpy, so that the workflow and not a tower is measured.
TINY_FAMILY = (common.PROJECT / "tests/reference/spectrum_family.py").read_text("utf-8")
