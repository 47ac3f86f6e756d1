"""What goes wrong, done for real: kills, full and read-only disks, servers that misbehave."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

LIST = "results/experiments/small/checksums.sha256"
#: The jobs' progress bars are no input of any rule: here is where a job can be made to wait.
PROGRESS = "listenread/progress.py"


def start(
    project, *options: str, output: int = subprocess.PIPE, **environment: str
) -> subprocess.Popen:
    """Start Snakemake in the background."""
    return subprocess.Popen(
        project.command(*options), cwd=project.folder, text=True, env=os.environ | environment,
        stdout=output, stderr=subprocess.STDOUT,
    )  # fmt: skip


#: What is appended there; Snakemake itself imports it, too, and must not wait.
WAIT = """
import os, sys, time
while "/.snakemake/scripts/" in sys.argv[0] and os.path.exists({gate!r}):
    time.sleep(0.05)
"""


@contextlib.contextmanager
def held(project) -> Iterator[None]:
    """Every job with a progress bar that starts within waits before its work; then all go on."""
    path, gate = project.folder / PROGRESS, project.folder / "gate"
    open_code = path.read_text("utf-8")
    gate.touch()
    path.write_text(open_code + WAIT.format(gate=str(gate)), "utf-8")
    try:
        yield
    finally:
        path.write_text(open_code, "utf-8")
        gate.unlink()


def wait_for(condition: Callable[[], object], patience_s: float = 90.0) -> object:
    """Wait until something is true, and return it."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("what was waited for never came")


def script(project, name: str) -> int | None:
    """The process that runs a script of the workflow in this project's folder."""
    found = subprocess.run(
        ["pgrep", "-f", f"python[^ ]* {project.folder}/.snakemake/scripts/.*{name}"],
        capture_output=True, text=True, check=False,
    ).stdout.split()  # fmt: skip
    return int(found[0]) if found else None


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


@pytest.fixture
def as_undisturbed(finished) -> Callable:
    """Asserts that a folder holds, byte for byte, what an undisturbed run made."""

    def compare(folder: Path, among: str = "") -> None:
        checked = subprocess.run(
            ["sha256sum", "--check", "--quiet", finished.folder / LIST],
            cwd=folder, env=os.environ | {"LC_ALL": "C"}, capture_output=True, text=True,
        )  # fmt: skip
        wrong = [line for line in checked.stdout.splitlines() if among in line]
        assert not wrong, wrong
        assert among or checked.returncode == 0, checked.stderr
        assert not nothing_half_written(folder), nothing_half_written(folder)

    return compare


def nothing_half_written(folder: Path) -> list[Path]:
    """Temporary files below a folder's results and data."""
    return [path for top in ("results", "data") for path in (folder / top).rglob("*.partial*")]


@pytest.fixture(scope="session")
def own_mounts() -> list[str]:
    """A command in front of another that gives it mounts of its own, gone when it ends."""
    as_root = ["unshare", "--mount", "--propagation", "private"]
    for prefix in (as_root, ["unshare", "--map-root-user", *as_root[1:]]):
        trial = [*prefix, "mount", "-t", "tmpfs", "none", "/mnt"]
        try:
            if subprocess.run(trial, capture_output=True, check=False).returncode == 0:
                return prefix
        except FileNotFoundError:
            break
    pytest.skip("needs to mount a small tmpfs: root, or a kernel that lets users do it")


def in_mounts(
    prefix: list[str], project, steps: str, **environment: str
) -> subprocess.CompletedProcess:
    """Run shell steps with mounts of their own; `$SNAKEMAKE` there is a list of words in `$@`."""
    return subprocess.run(
        [*prefix, "sh", "-c", steps, "sh", *project.command()],
        cwd=project.folder, capture_output=True, text=True, check=False, timeout=600,
        env=os.environ | environment,
    )  # fmt: skip
