"""The lock is complete and of one kind, and the conda environments agree with it."""

import importlib.metadata
import re
import tomllib

import pytest
import yaml

#: conda-forge's name -> the lock's.
OTHER_NAMES = {"pytorch": "torch", "soxr-python": "soxr", "pretty_midi": "pretty-midi"}
#: What only conda needs.
ONLY_CONDA = {"python", "pip", "pyaudio"}


@pytest.fixture(scope="module")
def lock(repository):
    text = (repository / "envs" / "requirements.lock").read_text("utf-8")
    return dict(re.findall(r"^(\S+)==(\S+)", text, re.MULTILINE))


@pytest.mark.parametrize("name", ["requirements.lock", "uv.lock"])
def test_a_lock_has_versions_and_hashes_and_nothing_else(repository, name):
    text = (repository / "envs" / name).read_text("utf-8")
    package = r"[a-z0-9-]+==[A-Za-z0-9.+!]+( \\\n    --hash=sha256:[0-9a-f]{64})+\n"
    rest = re.sub(package, "", text)
    assert text and not rest, rest[:300]


def test_the_locks_are_installed_with_their_hashes(repository):
    """A file that the registry replaced is refused."""
    makefile = (repository / "Makefile").read_text("utf-8")
    installs = [line for line in makefile.splitlines() if " install " in line]
    assert len(installs) == 2
    assert all("--require-hashes -r envs/" in re.sub(r" --python \S+", "", i) for i in installs)


def test_what_the_project_is_made_for_is_in_the_lock(lock):
    wanted = "snakemake torch torchaudio laion-clap transformers numpy pyarrow scikit-learn pandas"
    assert set(wanted.split()) <= set(lock)
    assert lock["numpy"].startswith("2.")


def test_this_environment_is_the_locked_one(lock):
    """A version that is not the lock's would make every other test say something else."""
    installed = {
        re.sub(r"[-_.]+", "-", d.metadata["Name"]).lower(): d.version
        for d in importlib.metadata.distributions()
    }
    differing = {name: installed.get(name) for name, v in lock.items() if installed.get(name) != v}
    assert not differing


@pytest.mark.parametrize("name", ["tables", "towers"])
def test_a_conda_environment_agrees_with_the_lock(repository, lock, name):
    environment = yaml.safe_load((repository / "envs" / f"{name}.yaml").read_text("utf-8"))
    entries = []
    for entry in environment["dependencies"]:
        entries += entry["pip"] if isinstance(entry, dict) else [entry]
    for entry in entries:
        package, _, version = re.sub("=+", "=", entry).partition("=")
        if package in ONLY_CONDA:
            continue
        assert version == lock[OTHER_NAMES.get(package, package)], entry


def test_pre_commit_uses_the_versions_of_the_lock(repository, lock):
    config = yaml.safe_load((repository / ".pre-commit-config.yaml").read_text("utf-8"))
    revisions = {
        entry["repo"].rsplit("/", 1)[-1].removesuffix("-pre-commit"): entry["rev"]
        for entry in config["repos"]
        if entry["repo"] != "local"
    }
    assert revisions.pop("pre-commit-hooks"), "not in the lock"
    assert revisions == {name: f"v{lock[name]}" for name in ("codespell", "ruff", "snakefmt")}


def test_the_two_descriptions_of_ci_run_the_same(repository):
    script = (repository / ".ci/run").read_text("utf-8")
    targets = re.findall(r"^make ([\w-]+)$", script, re.MULTILINE)
    workflow = yaml.safe_load((repository / ".github/workflows/ci.yaml").read_text("utf-8"))
    (job,) = workflow["jobs"].values()
    steps = [step.get("run", "") for step in job["steps"]]
    assert [run.removeprefix("make ") for run in steps if run.startswith("make ")] == targets
    assert "lint" in targets


def test_ci_runs_every_supported_version_of_python(repository):
    workflow = yaml.safe_load((repository / ".github/workflows/ci.yaml").read_text("utf-8"))
    (job,) = workflow["jobs"].values()
    project = tomllib.loads((repository / "pyproject.toml").read_text("utf-8"))["project"]
    low, high = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", project["requires-python"]).groups()
    versions = [f"3.{minor}" for minor in range(int(low), int(high))]
    assert job["strategy"]["matrix"]["python"] == versions
