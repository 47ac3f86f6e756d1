"""How long the jobs of a run took, and how much memory they used.

Snakemake writes both for every job beside its log: ``logs/{rule}/.../{name}.benchmark.tsv``, with
the columns that `psutil` measured (Snakemake's documentation, "Benchmark rules").
"""

import csv
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

_SUFFIX = ".benchmark.tsv"


class Timing(NamedTuple):
    """Jobs of one rule.

    Attributes:
        rule: its name.
        jobs: how many there were.
        seconds: wall-clock time of all of them together.
        megabytes: of the largest job (2**20 bytes); NaN where it was too short to be measured.
    """

    rule: str
    jobs: int
    seconds: float
    megabytes: float


def read_timings(logs: str | Path, known: Collection[str]) -> list[Timing]:
    """Sum run times up by rule, the longest first.

    Args:
        logs: folder of the logs.
        known: names of datasets, models, prompts, ...: jobs of others belong to other experiments.
    """
    found = []
    for folder in sorted(path for path in Path(logs).glob("*") if path.is_dir()):
        jobs = [
            _read(path)
            for path in folder.rglob(f"*{_SUFFIX}")
            if set(_names(path.relative_to(folder))) <= set(known)
        ]
        jobs = [job for job in jobs if job is not None]
        if jobs:
            seconds, megabytes = zip(*jobs, strict=True)
            found.append(Timing(folder.name, len(jobs), sum(seconds), max(megabytes)))
    return sorted(found, key=lambda timing: -timing.seconds)


def _names(path: Path) -> list[str]:
    """Values of the wildcards in a path below the rule's folder; the number of a shard is none."""
    parts = (*path.parts[:-1], path.name.removesuffix(_SUFFIX))
    return [part for part in parts if not part.isdigit()]


def _read(path: Path) -> tuple[float, float] | None:
    """Seconds and megabytes of a job; None for a file that is not whole."""
    with path.open(encoding="utf-8", newline="") as file:
        row = next(csv.DictReader(file, delimiter="\t"), {})
    try:
        return float(row["s"]), _number(row["max_rss"])
    except (TypeError, KeyError, ValueError):
        return None


def _number(text: str) -> float:
    """A number, or NaN for Snakemake's ``-`` and ``NA``."""
    return float("nan") if text in ("-", "NA", "") else float(text)


def duration(seconds: float) -> str:
    """Write a duration.

    >>> duration(0.04), duration(75), duration(7300)
    ('0.0 s', '1 min 15 s', '2 h 2 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes = int(seconds // 60)
    if minutes < 60:
        return f"{minutes} min {int(seconds % 60)} s"
    return f"{minutes // 60} h {minutes % 60} min"
