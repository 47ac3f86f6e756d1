"""The tidy table: one row for each number, with its interval and its chance level."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa

from listenread import tables
from listenread.metrics.uncertainty import Measurement

#: Columns of the tidy table, in this order.
TIDY = pa.schema(
    [
        ("dataset", pa.string()),
        ("model", pa.string()),
        ("task", pa.string()),
        ("space", pa.string()),
        ("prompt", pa.string()),
        ("protocol", pa.string()),
        ("metric", pa.string()),
        ("value", pa.float64()),
        ("ci_low", pa.float64()),
        ("ci_high", pa.float64()),
        ("n", pa.int64()),
        ("chance", pa.float64()),
    ]
)
#: What says which cell a row belongs to; `prompt` is null for tasks without prompts.
CELL = ("dataset", "model", "task", "prompt")


def rows(measurements: Iterable[Measurement], **keys: str | None) -> list[dict[str, object]]:
    """Make rows of measurements that share the columns `keys`."""
    return [
        {
            **keys,
            "metric": one.metric,
            "value": one.value,
            "ci_low": one.ci_low,
            "ci_high": one.ci_high,
            "n": one.n,
            "chance": one.chance,
        }
        for one in measurements
    ]


def write(path: str | Path, made: list[dict[str, object]], **made_by: object) -> None:
    """Write rows as a tidy table; a column that a row does not have is null."""
    tables.write(path, pa.Table.from_pylist(made, TIDY), **made_by)


def gather(paths: Sequence[str | Path], output: str | Path, csv: str | Path) -> None:
    """Put the tidy tables of an experiment together, as parquet and as csv.

    Cells that are empty on purpose are listed, with their reason, in the metadata of the parquet
    file (`unavailable_cells`).
    """
    parts, empty = [], []
    for path in paths:
        table = tables.read(path)
        if table.unavailable:
            cell = {key: table.made_by.get(key) for key in CELL}
            empty.append(cell | {"why": table.unavailable})
        else:
            parts.append(table.data.select(TIDY.names))
    together = pa.concat_tables([TIDY.empty_table(), *parts]).replace_schema_metadata(None)
    tables.write(output, together, unavailable_cells=empty)
    partial = Path(f"{csv}.partial")
    together.to_pandas().to_csv(partial, index=False)
    partial.replace(csv)
