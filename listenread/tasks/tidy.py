"""The tidy table: one row for each number, with its interval and its chance level."""

from collections.abc import Mapping, Sequence
from csv import writer
from pathlib import Path
from typing import Any

import pyarrow as pa

from listenread.files import atomic, tables
from listenread.files.spreadsheets import literal

#: The column from which differences of two rows get their interval; in the parquet file alone.
REPLICATES = "replicates"
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
        ("n_groups", pa.int64()),
        ("interval", pa.string()),
        ("p", pa.float64()),
        (REPLICATES, pa.list_(pa.float64())),
    ]
)
#: The same for one class, or one anchor of triplets, at a time; `n` counts its clips or triplets.
PER_CLASS = TIDY.remove(TIDY.get_field_index(REPLICATES)).insert(6, pa.field("label", pa.string()))
#: Rows that are written as csv at a time.
_ROWS = 200_000
#: What says which cell a row belongs to; `prompt` is null for tasks without prompts.
CELL = ("dataset", "model", "task", "prompt")


def write(
    path: str | Path, rows: Sequence[Mapping[str, Any]], schema: pa.Schema = TIDY, **facts: Any
) -> None:
    """Write rows of a cell; a column that a row does not have is null.

    Args:
        path: the parquet file to write.
        rows: mappings of column names to values.
        schema: `TIDY` or `PER_CLASS`.
        **facts: about the cell and what made the table.
    """
    tables.write(path, pa.Table.from_pylist(list(rows), schema), **facts)


def gather(
    paths: Sequence[str | Path],
    output: str | Path,
    csv: str | Path,
    schema: pa.Schema = TIDY,
) -> None:
    """Put the tidy tables of an experiment together, as parquet and as csv.

    `schema` is `TIDY` or `PER_CLASS`. Cells that are empty on purpose are listed in the metadata of
    the parquet file (`unavailable_cells`): dataset, model, task, prompt, why, and the space where
    only one is empty.
    """
    parts, empty = [], []
    for path in paths:
        table = tables.read(path)
        cell = {key: table.made_by.get(key) for key in CELL}
        if table.unavailable:
            empty.append(cell | {"space": None, "why": table.unavailable})
            continue
        parts.append(table.data.select(schema.names))
        missing = table.made_by.get("missing_spaces", {})
        empty += [cell | {"space": space, "why": why} for space, why in missing.items()]
    together = pa.concat_tables([schema.empty_table(), *parts]).replace_schema_metadata(None)
    tables.write(output, together, unavailable_cells=empty)
    with atomic.replacing(csv) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        lines = writer(file, lineterminator="\n")
        single = together.select([name for name in schema.names if name != REPLICATES])
        lines.writerow(single.column_names)
        for batch in single.to_batches(max_chunksize=_ROWS):
            columns = (map(_cell, column.to_pylist()) for column in batch.columns)
            lines.writerows(zip(*columns, strict=True))


def _cell(value: object) -> object:
    return None if value != value else literal(value)  # NaN alone differs from itself
