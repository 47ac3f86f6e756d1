"""Snakemake's own loop: a local run sets no timers, and a limit that the user sets is kept."""

import subprocess

import pytest

pytestmark = pytest.mark.slow

#: Counts the timers that are started while Snakemake runs as on the command line.
COUNTING = """
import atexit, sys, threading
started = []
class Timer(threading.Timer):
    def start(self):
        started.append(self)
        super().start()
threading.Timer = Timer
atexit.register(lambda: print("timers:", len(started)))
from snakemake.cli import main
sys.argv[0] = "snakemake"
main()
"""


def timers(project, *options):
    python, _, _, *arguments = project.command(*options)
    result = subprocess.run(
        [python, "-c", COUNTING, *arguments],
        cwd=project.folder, capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    return int(result.stdout.rpartition("timers: ")[2])


def test_a_local_run_looks_for_jobs_when_one_ends(project):
    project.config["prompts"]["track"] = "Another {label} track"
    target = "results/metrics/tones/spectrum/zero_shot/track.parquet"
    assert timers(project, "--", target) == 0
    assert project.planned(target) == set()


def test_a_limit_that_the_user_sets_is_kept(project):
    project.config["prompts"]["track"] = "Another {label} track"
    target = "results/metrics/tones/spectrum/zero_shot/track.parquet"
    assert timers(project, "--max-jobs-per-timespan", "30/1s", "--", target) > 0
