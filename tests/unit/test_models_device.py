"""Processes that run at the same time get a GPU each; a lock stands for it, so none is needed."""

import subprocess
import sys

import pytest
import torch

from listenread.models.common import device

CLAIM = """
import sys
from listenread.models.common.device import claim_gpu
claims = [claim_gpu(int(sys.argv[1]), sys.argv[2]) for _ in range(2)]
print(*claims, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def claim(tmp_path, repository):
    """Starts a process that claims one of several GPUs, and keeps it until it is ended."""
    started = []

    def start(count: int) -> tuple[subprocess.Popen, int]:
        process = subprocess.Popen(
            [sys.executable, "-c", CLAIM, str(count), str(tmp_path)],
            cwd=repository, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        started.append(process)
        first, again = process.stdout.readline().split()
        assert first == again
        return process, int(first)

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_each_process_gets_its_own_gpu_and_a_killed_one_gives_it_back(claim):
    first, one = claim(3)
    _, two = claim(3)
    assert (one, two) == (0, 1)
    first.kill()
    first.wait()
    assert claim(3)[1] == 0
    assert claim(3)[1] == 2
    assert claim(3)[1] in range(3)


def test_gpus_are_known_by_the_names_that_all_processes_share(claim, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,5")
    assert claim(2)[1] == 0
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5,4")
    assert claim(2)[1] == 0
    assert claim(2)[1] in range(2)


def test_without_a_gpu_auto_is_the_cpu_and_cuda_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert device.resolve_device("auto") == "cpu"
    with pytest.raises(device.ModelError, match="torch sees no GPU here"):
        device.resolve_device("cuda")
