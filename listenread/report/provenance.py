"""Where the numbers come from: versions, the machine, times, and how to reproduce the page."""

import os
import platform
import subprocess
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml

from listenread import __version__

#: Packages whose versions the page states.
_PACKAGES = (
    "snakemake",
    "torch",
    "transformers",
    "laion-clap",
    "numpy",
    "scikit-learn",
    "pyarrow",
    "pandas",
    "soundfile",
    "soxr",
    "matplotlib",
)
_OVERLAY = "reproduce.yaml"


def versions() -> dict[str, str]:
    """Versions of listenread, Python and the packages that compute, as installed."""
    found = {"listenread": __version__, "Python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, str]:
    """Describe the machine that the page was written on."""
    facts = {"system": f"{platform.system()} on {platform.machine()}"}
    facts["processor cores"] = str(os.cpu_count())
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        gibibytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
        facts["memory"] = f"{gibibytes:.0f} GiB"
    return facts


def commit(project: Path) -> str | None:
    """Name the commit of a working copy, with ``-dirty`` where it has changes; None without git."""
    command = ["git", "-C", str(project), "describe", "--always", "--dirty", "--abbrev=40"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


def docs(folder: Path) -> str | None:
    """Path of the documentation from a folder; None for a package without its repository."""
    place = Path(__file__).parents[2] / "docs"
    return Path(os.path.relpath(place, folder)).as_posix() if place.is_dir() else None


def overlay(configuration: Mapping[str, Any]) -> str:
    """Write a configuration as the YAML that an overlay needs."""
    return yaml.safe_dump(
        dict(configuration),
        sort_keys=False,
        allow_unicode=True,
        width=100,
        default_flow_style=False,
    )


def how_to_reproduce(configuration: Mapping[str, Any], at: str | None) -> str:
    """Write the shell commands that reproduce the page in a clone of the project.

    Args:
        configuration: as stated on the page.
        at: the commit, or None.
    """
    lines = ["# in a clone of listenread"]
    if at is not None:
        clean = at.removesuffix("-dirty")
        note = "   # plus changes that were not committed" if clean != at else ""
        lines.append(f"git checkout {clean}{note}")
    lines += [
        f"cat > {_OVERLAY} <<'END_OF_OVERLAY'",
        overlay(configuration).rstrip("\n"),
        "END_OF_OVERLAY",
        "make setup",
        f".venv/bin/snakemake --cores all --configfile {_OVERLAY}",
    ]
    return "\n".join(lines)
