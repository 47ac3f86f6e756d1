"""Comparison with the paper: every published cell beside ours, with a verdict.

The published numbers are in `resources/published_results.csv`, each with the released file that it
stands in. A verdict is one of

- ``same to the digit``: equal but for the rounding of float64 (`ROUNDING`);
- ``inside the interval``: the published number lies in our confidence interval;
- ``differs: <reason>``: it does not, and why, where the source's note says so;
- ``not computed: <reason>``: the cell is empty, and why.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from listenread import files, tables
from listenread.errors import DataError

#: Two numbers that differ by no more are the same number, printed or summed in another order.
ROUNDING = 1e-12
KEYS = ["system", "task", "space", "prompt", "metric"]
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
    published = pd.read_csv(published_path, keep_default_na=False)
    ours = _ours(table.data.to_pandas(), systems, datasets)
    why = _why_empty(table.made_by.get("unavailable_cells", []), systems, datasets)
    wanted = (
        published[published["system"].isin(set(systems.values()))] if datasets else published[:0]
    )
    merged = wanted.merge(ours, on=KEYS, how="left")
    if len(merged) != len(wanted):
        raise DataError(
            "two models or two datasets of the experiment stand for the same published cells: "
            f"models {dict(systems)}, datasets {list(datasets)}. Name one of each."
        )
    merged["delta"] = merged["ours"] - merged["published"]
    merged["verdict"] = [
        verdict(
            row,
            why.get((row.system, row.task, row.prompt, row.space))
            or why.get((row.system, row.task, row.prompt, None)),
        )
        for row in merged.itertuples()
    ]
    with files.replacing(output) as partial:
        merged[COLUMNS].to_csv(partial, index=False)


def verdict(row, why_empty: str | None) -> str:
    """Judge one cell: `published`, `ours`, `ci_low`, `ci_high` and `note` of a row."""
    if pd.isna(row.ours):
        return f"not computed: {why_empty or 'not part of the experiment'}"
    if abs(row.ours - row.published) <= ROUNDING:
        return "same to the digit"
    if row.ci_low <= row.published <= row.ci_high:
        return "inside the interval"
    return f"differs: {row.note or 'no difference of protocol is known'}"


def _ours(tidy: pd.DataFrame, systems: Mapping[str, str], datasets: Sequence[str]) -> pd.DataFrame:
    rows = tidy[
        (tidy["protocol"] == "published")
        & tidy["model"].isin(list(systems))
        & tidy["dataset"].isin(list(datasets))
    ].assign(
        system=lambda part: part["model"].map(systems), prompt=lambda p: p["prompt"].fillna("")
    )
    return rows.rename(columns={"value": "ours"})[[*KEYS, "ours", "ci_low", "ci_high"]]


def _why_empty(
    cells: list[dict], systems: Mapping[str, str], datasets: Sequence[str]
) -> dict[tuple[str, str, str, str | None], str]:
    return {
        (systems[cell["model"]], cell["task"], cell["prompt"] or "", cell["space"]): cell["why"]
        for cell in cells
        if cell["model"] in systems and cell["dataset"] in datasets
    }
