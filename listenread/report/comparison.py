"""Comparison with the paper: every published cell and ours, with a verdict.

The published numbers are in `resources/published_results.csv`, each with the released file that it
stands in. A verdict is one of

- ``same to the digit``: equal but for the rounding of float64 (`ROUNDING`);
- ``inside the interval``: the published number lies in our confidence interval;
- ``differs: <reason>``: it does not, and why, where the source's note says so;
- ``not computed: <reason>``: the cell is empty, and why.
"""

import csv
from collections.abc import Container, Mapping, Sequence
from math import isnan
from pathlib import Path

from listenread.errors import DataError
from listenread.files import atomic, tables

#: Two numbers that differ by no more are the same number, printed or summed in another order.
ROUNDING = 1e-12
KEYS = ["system", "task", "space", "prompt", "metric"]
#: The paper's systems whose audio goes through the laion-clap package.
CLAP = ("music_clap", "music_speech_clap")
COLUMNS = [*KEYS, "published", "ours", "ci_low", "ci_high", "delta", "verdict", "note"]


def compare_with_paper(
    metrics_path: str | Path,
    published_path: str | Path,
    output: str | Path,
    *,
    systems: Mapping[str, str],
    datasets: Sequence[str],
) -> None:
    """Write `paper_comparison.csv`.

    Args:
        metrics_path: the tidy table of an experiment.
        published_path: `resources/published_results.csv`.
        output: the csv to write; only its header where the experiment has no system of the paper.
        systems: model of the experiment -> the paper's system.
        datasets: datasets of the experiment that are the paper's.

    Raises:
        DataError: two models, or two datasets, would fill the same cell.
    """
    table = tables.read(metrics_path)
    with Path(published_path).open(encoding="utf-8", newline="") as file:
        published = [row for row in csv.DictReader(file) if row["system"] in systems.values()]
    ours = _ours(table, {_cell(row) for row in published}, systems, datasets)
    why = _why_empty(table.made_by.get("unavailable_cells", []), systems, datasets)
    with (
        atomic.replacing(output) as partial,
        partial.open("w", encoding="utf-8", newline="") as file,
    ):
        lines = csv.DictWriter(file, COLUMNS, extrasaction="ignore", lineterminator="\n")
        lines.writeheader()
        lines.writerows(_compared(row, ours, why) for row in published if datasets)


def _compared(row: dict[str, str], ours: Mapping[tuple, dict], why: Mapping[tuple, str]) -> dict:
    """The published row with our number, as far as there is one."""
    published = float(row["published"])
    found = ours.get(_cell(row))
    if found is None:
        system, task, space, prompt, _ = _cell(row)
        reason = why.get((system, task, prompt, space)) or why.get((system, task, prompt, None))
        reason = _of_space(reason, space) if reason else "not part of the experiment"
        return {**row, "published": published, "verdict": f"not computed: {reason}"}
    note = "; ".join(filter(None, [row["note"], path_note(row["system"], row["space"])]))
    return {
        **row,
        "note": note,
        "published": published,
        **{name: None if isnan(number) else number for name, number in found.items()},
        "delta": found["ours"] - published,
        "verdict": verdict(published, **found, note=note),
    }


def _cell(row: Mapping[str, str | None]) -> tuple[str, ...]:
    return tuple(row[key] or "" for key in KEYS)


def path_note(system: str, space: str) -> str:
    """Say how the released code made the audio vectors of a cell, where ours are made otherwise.

    Source: ``embeddings_generation.py`` of the released code; laion-clap's `rand_trunc`.

    >>> path_note("another", "joint")
    ''
    """
    if system not in CLAP:
        return ""
    short = "clips below 5 s are repeated a whole number of times, then stretched"
    if space == "pre_joint":
        return f"the released vectors are means of the first and the last 10 s; {short}"
    return f"of clips longer than 10 s the released code took 10 s at random; {short}"


def verdict(published: float, ours: float, ci_low: float, ci_high: float, note: str) -> str:
    """Judge one cell; `note` says why it may differ, and is empty where nothing is known."""
    if abs(ours - published) <= ROUNDING:
        return "same to the digit"
    if ci_low <= published <= ci_high:
        return "inside the interval"
    return f"differs: {note or 'no difference of protocol is known'}"


def _of_space(reason: str, space: str) -> str:
    """Keep the parts of a reason that name a released file of the cell's space, if any do."""
    folder = {"joint": "/joint_space/", "pre_joint": "/pre_joint/"}[space]
    parts = reason.split("; ")
    return "; ".join([part for part in parts if folder in part] or parts)


def _ours(
    tidy: tables.Table,
    wanted: Container[tuple[str, ...]],
    systems: Mapping[str, str],
    datasets: Sequence[str],
) -> dict[tuple[str, ...], dict[str, float]]:
    found: dict[tuple[str, ...], dict[str, float]] = {}
    rows = (row for batch in tidy.data.to_batches() for row in batch.to_pylist())
    for row in rows:
        if row["protocol"] != "published" or row["dataset"] not in datasets:
            continue
        cell = _cell({**row, "system": systems.get(row["model"])})
        if cell not in wanted or isnan(row["value"]):
            continue
        if cell in found:
            raise DataError(
                "two models or two datasets of the experiment stand for the same published cells: "
                f"models {dict(systems)}, datasets {list(datasets)}. Name one of each."
            )
        found[cell] = {"ours": row["value"], "ci_low": row["ci_low"], "ci_high": row["ci_high"]}
    return found


def _why_empty(
    cells: list[dict], systems: Mapping[str, str], datasets: Sequence[str]
) -> dict[tuple[str, str, str, str | None], str]:
    return {
        (systems[cell["model"]], cell["task"], cell["prompt"] or "", cell["space"]): cell["why"]
        for cell in cells
        if cell["model"] in systems and cell["dataset"] in datasets
    }
