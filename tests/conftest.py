"""Fixtures shared by all tests."""

import os
import runpy
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from selenium import webdriver

os.environ.setdefault("HF_HUB_OFFLINE", "1")

REPOSITORY = Path(__file__).resolve().parent.parent


def _shared(name: str) -> Path:
    folder = REPOSITORY.parent / "shared" / name
    if not folder.is_dir():
        pytest.skip(f"trial material is not here: ../shared/{name} (see CONTRIBUTING.md)")
    return folder


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the working copy."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real recordings and reference vectors; the test is skipped where they are absent."""
    return _shared("data")


@pytest.fixture(scope="session")
def shared_mirror() -> Path:
    """A part of what the pipeline downloads, in `wget -x` layout; skipped where absent."""
    return _shared("mirror")


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
    from listenread.models import verify
    from listenread.models.clap.sizes import TextSizes

    folder = tmp_path_factory.mktemp("laion")
    environment = verify.offline_hub(folder / "hub", tokenizer_path, asdict(TextSizes()))
    verify.run_reference([sys.executable, maker, folder], environment)
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
    yield started
    started.quit()
