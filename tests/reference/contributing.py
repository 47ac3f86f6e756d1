"""The examples of CONTRIBUTING.md, and a way to run them outside the project."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import soundfile
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = (REPOSITORY / "CONTRIBUTING.md").read_text("utf-8")
#: The examples in the order of the page.
KINDS = ("task", "figure", "metric", "dataset", "family", "degradation")


def code_blocks() -> dict[str, str]:
    """Kind -> the module of its example."""
    found = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return dict(zip(KINDS, found, strict=True))


def overlay() -> dict:
    """The overlay that uses the examples, with few replicates and permutations."""
    found = yaml.safe_load(re.search(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[1])
    found["metrics"]["replicates"] = 20
    found["tasks"]["zero_shot"] = {"permutations": 5}
    return found


def write_notes(folder: Path) -> None:
    """Write four half-second tones of each of three labels, named by their label."""
    folder.mkdir(parents=True)
    time = np.arange(4000) / 8000
    for label, base in (("low", 200), ("middle", 800), ("high", 2400)):
        for take in range(4):
            tone = 0.5 * np.sin(2 * np.pi * base * (1 + 0.1 * take) * time)
            soundfile.write(folder / f"{label}_{take}.wav", tone, 8000)


def snakemake(
    folder: Path, *options: str | Path, python_path: Path | None = None
) -> subprocess.CompletedProcess:
    """Run Snakemake in a folder, with nothing of the project or of the tests on its path."""
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    if python_path is not None:
        environment["PYTHONPATH"] = str(python_path)
    program = Path(sys.executable).with_name("snakemake")
    return subprocess.run(
        [program, "--cores", "2", "--workflow-profile", "none", *options],
        cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip


def planned(result: subprocess.CompletedProcess) -> dict[str, int]:
    """Rule -> the number of its jobs, from what a run or a dry run prints at its start."""
    table = result.stdout + result.stderr
    rows = re.search(r"^job +count\n[- ]+\n(.*?)^total", table, re.MULTILINE | re.DOTALL)
    return {name: int(n) for name, n in map(str.split, rows[1].splitlines())} if rows else {}
