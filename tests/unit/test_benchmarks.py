"""The benchmarks that measure package functions still call them as they are; nothing is timed."""

import subprocess
import sys

import pytest

from listenread.tasks.base import TASKS


@pytest.mark.slow
def test_every_job_that_measures_is_benchmarked(repository):
    tasks = [TASKS.find(name) for name in TASKS.names()]
    # the size of the others is that of the ontology
    jobs = {"score_prompt", *(task.name for task in tasks if "ontology" not in task.reads)}
    command = [sys.executable, "benchmarks/measure_metrics.py", "--jobs", *jobs]
    command += "--clips 300 --labels 5 --dimensions 6 --replicates 10 --permutations 2".split()
    ran = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    rows = [line.split("|")[1].strip() for line in ran.stdout.splitlines()[2:]]
    assert {row.partition(",")[0] for row in rows} == {*jobs, "most memory"}
