"""The wheel in an environment of its own: only what `pyproject.toml` declares, no checkout."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

UV = Path(sys.executable).parent / "uv"
#: Markdown files whose Python blocks have to run, and the extras that they say one needs.
TUTORIALS = ("docs/tutorial.md",)
EXTRAS: tuple[str, ...] = ()


def run(*command: str | Path, cwd: Path) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    result = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def wheel(repository, tmp_path_factory) -> Path:
    """Built from the source distribution, so that a file missing there is missing here too."""
    folder = tmp_path_factory.mktemp("wheel")
    run(UV, "build", "--quiet", "--out-dir", folder, repository, cwd=folder)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def python(repository, wheel, tmp_path_factory) -> Path:
    """An environment with the wheel and its dependencies in the lock's versions."""
    folder = tmp_path_factory.mktemp("environment")
    run(UV, "venv", "--quiet", "--python", sys.executable, folder / "venv", cwd=folder)
    path = folder / "venv/bin/python"
    lock = repository / "envs/requirements.lock"
    requirement = f"listenread[{','.join(EXTRAS)}] @ {wheel.as_uri()}"
    run(UV, "pip", "install", "--quiet", "--python", path, "-c", lock, requirement, cwd=folder)
    return path


def test_the_wheel_has_every_file_of_the_package_and_no_other(repository, wheel):
    tracked = run("git", "ls-files", "listenread", cwd=repository).split()
    names = zipfile.ZipFile(wheel).namelist()
    assert sorted(n for n in names if ".dist-info/" not in n) == sorted(tracked)


def test_the_core_needs_no_extra(repository, python, tmp_path):
    out = run(python, "-I", repository / "tests/package/import_core.py", cwd=tmp_path)
    assert "modules imported" in out


@pytest.mark.parametrize("name", TUTORIALS)
def test_a_tutorial_runs(repository, python, tmp_path, name):
    script = repository / "tests/package/run_tutorial.py"
    run(python, "-I", script, repository / name, cwd=tmp_path)


def test_the_version_is_that_of_the_package(repository, wheel):
    source = (repository / "listenread/__init__.py").read_text("utf-8")
    assert f'__version__ = "{wheel.name.split("-")[1]}"' in source


def test_a_tutorial_that_fails_says_in_which_line(repository, tmp_path):
    (tmp_path / "bad.md").write_text("```sh\nls\n```\n\n```python\nx = 1\nprint(y)\n```\n", "utf-8")
    script = repository / "tests/package/run_tutorial.py"
    result = subprocess.run(
        [sys.executable, script, "bad.md"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert '"bad.md", line 7' in result.stderr
    assert "name 'y' is not defined" in result.stderr
