"""Where the numbers come from: versions, the machine, times, and how to get the page again."""

import csv
import os
import platform
import subprocess
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

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


class StageTime(NamedTuple):
    """Run time of the jobs of one rule.

    Attributes:
        rule: its name.
        jobs: how many were measured.
        seconds: wall-clock time of all of them together.
        megabytes: largest resident memory of one, in MiB; None where it was not measured.
    """

    rule: str
    jobs: int
    seconds: float
    megabytes: float | None


def versions() -> dict[str, str]:
    """Versions of listenread, Python and the packages that compute; as installed now."""
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


def stage_times(folder: str | Path) -> list[StageTime]:
    """Sum the benchmark files below a folder up, ``{folder}/{rule}/...tsv``.

    Files of jobs of other experiments count too: shared stages are run once for all.
    """
    times = []
    for rule in sorted(path for path in Path(folder).glob("*") if path.is_dir()):
        rows = [row for path in sorted(rule.rglob("*.tsv")) for row in _read_benchmark(path)]
        if rows:
            memory = [float(row["max_rss"]) for row in rows if _is_number(row.get("max_rss"))]
            seconds = sum(float(row["s"]) for row in rows)
            times.append(StageTime(rule.name, len(rows), seconds, max(memory, default=None)))
    return times


def _read_benchmark(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file, delimiter="\t") if row.get("s")]


def _is_number(text: str | None) -> bool:
    # A job that ends within a second may leave "-" or "NA".
    return text is not None and text.replace(".", "", 1).isdigit()


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
    """Write shell lines that compute the page again, in a clone of the project.

    Args:
        configuration: as stated on the page.
        at: the commit, or None.
    """
    lines = ["# in a clone of listenread"]
    if at is not None:
        clean = at.removesuffix("-dirty")
        note = "   # and it had changes that were not committed" if clean != at else ""
        lines.append(f"git checkout {clean}{note}")
    lines += [
        f"cat > {_OVERLAY} <<'END_OF_OVERLAY'",
        overlay(configuration).rstrip("\n"),
        "END_OF_OVERLAY",
        "make setup",
        f".venv/bin/snakemake --cores all --configfile {_OVERLAY}",
    ]
    return "\n".join(lines)
