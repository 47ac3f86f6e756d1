"""The parquet contract: how tables and vectors are written, read and validated.

Every parquet file of the workflow goes through this module: it is written under a temporary name
and renamed, so that a half-written file is never read, and carries as key-value metadata what made
it.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from listenread import __version__, files
from listenread.errors import ListenreadError

METADATA_KEY = b"listenread"
#: Metadata entry of a table that is empty on purpose: why there is nothing to compute.
UNAVAILABLE = "unavailable"


class Table(NamedTuple):
    """A table with what made it.

    Attributes:
        data: the rows.
        made_by: JSON-like mapping, e.g. model, checkpoint hash, precision, package version.
    """

    data: pa.Table
    made_by: dict[str, Any]

    @property
    def unavailable(self) -> str | None:
        """Why the table is empty on purpose (an unhealthy model, unreleased vectors), or None."""
        return self.made_by.get(UNAVAILABLE)

    def why_without(self, column: str) -> str | None:
        """Why there is no such column of vectors (`not_released` names it), or None if there is."""
        if self.unavailable or column in self.data.column_names:
            return self.unavailable
        return self.made_by.get("not_released", {}).get(column, f"no {column} vectors")


def write(path: str | Path, data: pa.Table | Mapping[str, Any], **made_by: Any) -> None:
    """Write a table atomically, with `made_by` and the package version as metadata.

    Args:
        path: the parquet file; its folder is created.
        data: an arrow table, or columns that `pyarrow.table` takes; vectors as from `vectors`.
        **made_by: JSON-serialisable facts about what made the table.
    """
    table = data if isinstance(data, pa.Table) else pa.table(dict(data))
    facts = {"listenread_version": __version__, **made_by}
    encoded = json.dumps(facts, sort_keys=True, ensure_ascii=False).encode()
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), METADATA_KEY: encoded})
    with files.replacing(path) as partial:
        pq.write_table(table, partial, compression="zstd")


def write_unavailable(path: str | Path, reason: str, **made_by: Any) -> None:
    """Write a table without rows that says why there is nothing to compute."""
    write(path, pa.table({}), **{UNAVAILABLE: reason}, **made_by)


def read(path: str | Path, columns: Iterable[str] = ()) -> Table:
    """Read a table and check that it has the named columns.

    Args:
        path: a parquet file written by `write`.
        columns: names that must be there, unless the table is unavailable.

    Raises:
        ListenreadError: the file is not a parquet table of ours, or misses a column.
    """
    try:
        data = pq.read_table(path)
        names = data.column_names
    except (pa.ArrowException, OSError, ValueError, TypeError, KeyError) as error:
        raise ListenreadError(
            f"{path} cannot be read as a parquet table ({error}). Delete it and run again."
        ) from error
    encoded = (data.schema.metadata or {}).get(METADATA_KEY)
    if encoded is None:
        raise ListenreadError(
            f"{path} was not written by listenread: it does not say what made it."
        )
    try:
        table = Table(data, dict(json.loads(encoded)))
    except (ValueError, TypeError) as error:
        raise ListenreadError(
            f"{path} is damaged: it says in no readable way what made it. Delete it and run again."
        ) from error
    missing = [name for name in columns if name not in names]
    if missing and table.unavailable is None:
        raise ListenreadError(f"{path} misses the column(s) {', '.join(missing)}; it has {names}.")
    return table


def vectors(values: np.ndarray) -> pa.FixedSizeListArray:
    """Turn a (n, d) array into a float32 FixedSizeList column."""
    values = np.ascontiguousarray(values, dtype=np.float32)
    if values.ndim != 2:
        raise ValueError(f"vectors need shape (n, d), got {values.shape}")
    return pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1])


def to_numpy(column: pa.ChunkedArray | pa.FixedSizeListArray) -> np.ndarray:
    """Turn a FixedSizeList column back into a float32 array of shape (n, d)."""
    width = column.type.list_size
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
        if isinstance(column, pa.ChunkedArray):  # no chunk at all: an empty column
            return np.zeros((0, width), dtype=np.float32)
    return column.flatten().to_numpy(zero_copy_only=False).reshape(-1, width)
