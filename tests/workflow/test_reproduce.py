"""What the page says about its making: the block that makes it again."""

import html
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

EXPERIMENT = Path("results/experiments/small")


def test_the_block_gives_the_same_numbers_when_pasted_into_a_fresh_clone(project, copy_project):
    project.config["experiment"] |= {"models": ["spectrum"], "prompts": ["track"]}
    project.snakemake()
    page = (project.folder / EXPERIMENT / "report.html").read_text("utf-8")
    block = html.unescape(re.search(r'<pre[^>]* id="reproduce">(.*?)</pre>', page, re.DOTALL)[1])
    # The environment of this test is the locked one (see test_environment); making another takes
    # minutes and a registry.
    assert block.count("\nmake setup\n") == 1
    block = block.replace("\nmake setup\n", "\n")

    clone = copy_project("clone").folder
    # What is the user's own, an experiment names and no clone has.
    for own in ("tones", "own_family.py"):
        copy = shutil.copytree if (project.folder / own).is_dir() else shutil.copy2
        copy(project.folder / own, clone / own)
    (clone / ".venv").symlink_to(sys.prefix)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        cwd=clone, capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("metrics.csv", "per_class.csv"):
        made, again = (
            (place / EXPERIMENT / name).read_bytes() for place in (project.folder, clone)
        )
        assert made == again and len(made) > 500


def test_the_page_has_the_times_of_every_job_that_it_is_made_of(finished):
    """Snakemake's own plan of a run from empty, against the times on the page."""
    planned = finished.snakemake("--dry-run", "--forceall").stdout
    jobs = dict(re.findall(r"^(\w+) +(\d+)$", planned, re.MULTILINE))
    # The page itself, and what it is not made of.
    for rule in ("all", "total", "write_report", "write_checksums", "hash_model"):
        del jobs[rule]
    page = (finished.folder / EXPERIMENT / "report.html").read_text("utf-8")
    cell = '<td class="value">'
    row = rf'<tr><th scope="row">(\w+)</th>{cell}(\d+)</td>{cell}[\d.]+ (?:s|min|h)\b'
    times = dict(re.findall(row, page))
    assert {rule: times.get(rule) for rule in jobs} == jobs
