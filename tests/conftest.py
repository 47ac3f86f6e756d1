"""Fixtures shared by all tests."""

import os
from pathlib import Path

import pytest

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
