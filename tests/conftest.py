"""Fixtures shared by all tests, among them a copy of the project and real Snakemake runs in it."""

import gzip
import os
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile
import yaml

if TYPE_CHECKING:
    from selenium import webdriver

os.environ.setdefault("HF_HUB_OFFLINE", "1")

REPOSITORY = Path(__file__).resolve().parent.parent


#: Recordings and released files that are too large for the repository, or not ours to publish.
TRIAL_DATA = Path(os.environ.get("LISTENREAD_TRIAL_DATA", REPOSITORY.parent / "shared"))


#: How the reason of a skip begins that is expected in CI.
EXPECTED_SKIPS = ("no GPU", "no open internet", "trial data are left out")


def _fail_if_skipped(report):
    """Turn an unexpected skip into a failure: in CI, what is not tested counts as broken."""
    if os.environ.get("CI") == "true" and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2].removeprefix("Skipped: ")
        if not reason.startswith(EXPECTED_SKIPS):
            report.outcome = "failed"
            report.longrepr = f"skipped, which CI does not expect: {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    return _fail_if_skipped((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report():
    return _fail_if_skipped((yield))


def _trial_data(name: str) -> Path:
    if str(TRIAL_DATA) == "none":
        pytest.skip("trial data are left out: LISTENREAD_TRIAL_DATA=none")
    folder = TRIAL_DATA / name
    if not folder.is_dir():
        pytest.skip(f"no trial data: {folder} does not exist (LISTENREAD_TRIAL_DATA names another)")
    return folder


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the working copy."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real recordings and reference vectors; the test is skipped where they are absent."""
    return _trial_data("data")


@pytest.fixture(scope="session")
def shared_mirror() -> Path:
    """A part of what the pipeline downloads, in `wget -x` layout; skipped where absent."""
    return _trial_data("mirror")


@pytest.fixture(scope="session")
def published_files(tmp_path_factory) -> Path:
    """The released numbers of tests/data, in `wget -x` layout: always there, unlike the mirror."""
    folder = tmp_path_factory.mktemp("published") / "mirror"
    shutil.copytree(REPOSITORY / "tests/data/mirror", folder)
    for packed in folder.rglob("*.gz"):
        packed.with_suffix("").write_bytes(gzip.decompress(packed.read_bytes()))
        packed.unlink()
    return folder


@pytest.fixture(scope="session")
def maker() -> Path:
    """The script that makes the checkpoint with the laion-clap package."""
    return REPOSITORY / "tests" / "reference" / "laion_checkpoint.py"


@pytest.fixture(scope="session")
def tokenizer_path(maker, tmp_path_factory) -> Path:
    """A `tokenizer.json` of RoBERTa's size and format."""
    from listenread.models.clap.sizes import TextSizes

    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    runpy.run_path(str(maker))["write_tokenizer"](path, TextSizes().vocabulary)
    return path


@pytest.fixture(scope="session")
def made_by_package(maker, tokenizer_path, tmp_path_factory):
    """``HTSAT-base.pt``, full size and random, and the names and shapes of ``HTSAT-tiny.json``."""
    import laion_package

    from listenread.models.clap.sizes import TextSizes

    folder = tmp_path_factory.mktemp("laion")
    environment = laion_package.offline_hub(folder / "hub", tokenizer_path, asdict(TextSizes()))
    laion_package.run_reference([sys.executable, maker, folder], environment)
    yield folder
    (folder / "HTSAT-base.pt").unlink()


CHROMIUM_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--window-size=1400,1000",
    "--autoplay-policy=no-user-gesture-required",
)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator["webdriver.Chrome"]:
    """Headless Chromium with a fresh profile; skipped where it or its driver is absent."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    driver = shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("Chromium or chromedriver is absent (Debian: chromium, chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*CHROMIUM_FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(executable_path=driver)
    started = webdriver.Chrome(options=options, service=service)
    started.set_script_timeout(60)
    started.get("about:blank")  # else requests of Chromium's own first page are among the page's
    yield started
    started.quit()


#: What a clone of the project needs to run.
PARTS = (
    "Snakefile",
    "config.yaml",
    "catalogue",
    "config",
    "envs",
    "rules",
    "scripts",
    "listenread",
    "profiles",
)

#: A family of one's own, as a module that tests put next to the Snakefile.
OWN_FAMILY = (REPOSITORY / "tests/reference/spectrum_family.py").read_text("utf-8")


def write_tones(folder: Path) -> None:
    """Nine half-second tones of three labels, with folds, as a user's own dataset."""
    lines = ["path,label,fold"]
    time = np.arange(4000) / 8000
    for label, base in (("low", 200), ("middle", 800), ("high", 2400)):
        for take in range(3):
            tone = 0.5 * np.sin(2 * np.pi * base * (1 + 0.1 * take) * time)
            path = folder / f"{label}-{take}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, tone, 8000)
            lines.append(f"{path.name},{label},{take}")
    (folder / "metadata.csv").write_text("\n".join(lines) + "\n", "utf-8")


SMALL = {
    "experiment": {
        "name": "small",
        "datasets": ["tones"],
        "models": ["spectrum", "tiny"],
        "prompts": ["track", "meaning"],
        "tasks": ["zero_shot", "audio_only"],
    },
    "metrics": {"replicates": 20, "top_k": [1, 2]},
    "datasets": {
        "tones": {"kind": "folder", "metadata": "tones/metadata.csv"},
        "gm_captions": {"notes_per_program": 1, "seconds": 1.0, "sample_rate": 8000},
    },
    "models": {
        "spectrum": {"family": "own_family:Spectrum"},
        "tiny": {
            "family": "muscall",
            "sizes": {
                "d_joint": 8,
                "audio": {
                    "kind": "cnn", "sample_rate": 8000, "clip_seconds": 0.5, "n_fft": 256,
                    "hop": 128, "n_mels": 16, "f_max": 4000, "width": 4, "d_encoder": 8,
                },
                "text": {"d_encoder": 8, "layers": 1, "heads": 2},
            },
            "train": {
                "dataset": "gm_captions", "steps": 2, "batch_size": 4, "validation_pairs": 2,
                "tokenizer_captions": 1, "learning_rate": 1e-3, "keep": "last",
            },
        },
    },
    "prompts": {"meaning": {"file": "meanings.csv"}},
}  # fmt: skip
MEANINGS = "label,definition\nlow,A {label} tone.\nmiddle,A {label} tone.\nhigh,A {label} tone.\n"


@dataclass
class Project:
    """A working copy in `folder`; `config` is written as an overlay before every call."""

    folder: Path
    config: dict
    profile: dict = field(default_factory=dict)

    def command(self, *options: str) -> list[str]:
        """Write the configuration, and say how Snakemake is called."""
        (self.folder / "overlay.yaml").write_text(yaml.safe_dump(self.config, sort_keys=False))
        profile = self.folder / "test_profile"
        profile.mkdir(exist_ok=True)
        (profile / "config.yaml").write_text(yaml.safe_dump(self.profile))
        return [
            sys.executable, "-m", "snakemake", "--cores", "2",
            "--configfile", "overlay.yaml", "--workflow-profile", str(profile), *options,
        ]  # fmt: skip

    def snakemake(self, *options: str, check: bool = True) -> subprocess.CompletedProcess:
        result = subprocess.run(
            self.command(*options),
            cwd=self.folder, capture_output=True, text=True, check=False, timeout=600,
        )  # fmt: skip
        if check and result.returncode:
            raise AssertionError(result.stdout + result.stderr)
        return result

    def planned(self, *targets: str) -> set[str]:
        """The jobs that would run, as ``rule`` or ``rule dataset/model/prompt``."""
        result = self.snakemake("--dry-run", "--", *targets)
        text = result.stdout + result.stderr
        jobs = set()
        for block in re.split(r"^(?:local)?rule (?=\w+:$)", text, flags=re.MULTILINE)[1:]:
            rule = block.partition(":")[0]
            values = re.search(r"^ +wildcards: (.*)$", block, re.MULTILINE)
            names = re.findall(r"=([^,\s]+)", values[1]) if values else []
            jobs.add(" ".join([rule, "/".join(names)]).strip())
        total = re.search(r"^total +(\d+)$", text, re.MULTILINE)
        assert len(jobs) == (int(total[1]) if total else 0), text
        return jobs


@pytest.fixture(scope="session")
def copy_project(tmp_path_factory, repository) -> Callable[[str], Project]:
    """Makes a copy of the project, as a clone would have it."""

    def copy(name: str) -> Project:
        folder = tmp_path_factory.mktemp(name) / "project"
        folder.mkdir()
        for part in PARTS:
            source = repository / part
            (shutil.copytree if source.is_dir() else shutil.copy2)(source, folder / part)
        profile = yaml.safe_load((repository / "profiles/default/config.yaml").read_text("utf-8"))
        # The plain logger lists every job of a dry run; everything else is as users have it.
        del profile["logger"]
        return Project(folder, {}, profile)

    return copy


@pytest.fixture(scope="session")
def finished(copy_project) -> Project:
    """The small experiment, run to its end once; do not change it, take `project`."""
    project = copy_project("finished")
    write_tones(project.folder / "tones")
    (project.folder / "meanings.csv").write_text(MEANINGS, "utf-8")
    (project.folder / "own_family.py").write_text(OWN_FAMILY, "utf-8")
    project.config = yaml.safe_load(yaml.safe_dump(SMALL))
    project.snakemake()
    return project


@pytest.fixture
def project(finished, tmp_path) -> Project:
    """A copy of the finished experiment that a test may change."""
    folder = tmp_path / "project"
    shutil.copytree(finished.folder, folder, symlinks=True)
    return Project(folder, yaml.safe_load(yaml.safe_dump(finished.config)), finished.profile)


@pytest.fixture(scope="session")
def released(copy_project, shared_mirror):
    """`config/released.yaml` for the one system that the mirror has, and one prompt."""
    project = copy_project("released")
    project.config = {
        "mirror": str(shared_mirror),
        "released": {"retries": 0},
        "experiment": {
            "models": ["muscall_released", "music_clap_released"],
            "prompts": ["track", "recording"],
            "datasets": ["tinysol_released"],
            "tasks": ["zero_shot", "audio_only", "triplets"],
        },
    }
    project.snakemake("--configfile", "config/released.yaml", "overlay.yaml")
    return project
