"""The parquet contract: how tables and vectors are written, read and validated.

Every parquet file of the workflow goes through this module: it is written under a temporary name
and renamed, so that a half-written file is never read, and carries as key-value metadata what made
it.
"""

import contextlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from listenread import __version__
from listenread.errors import ListenreadError, Unavailable
from listenread.files import atomic

METADATA_KEY = b"listenread"
#: Metadata entry of a table that is empty on purpose: why there is nothing to compute.
UNAVAILABLE = "unavailable"
#: Rows that are written, and can be read, at a time.
ROW_GROUP = 8192


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
    with writing(path, **made_by) as rows:
        rows.add(data)


@contextlib.contextmanager
def writing(path: str | Path, **made_by: Any) -> Iterator["Rows"]:
    """Write a table part by part, in memory for one group of rows at a time.

    The file is there, whole, when the block ends, and not if it raises. Groups have `ROW_GROUP`
    rows whatever the parts were, so that the same rows give the same file.

    Args:
        path: the parquet file; its folder is created.
        **made_by: JSON-serialisable facts about what made the table.

    Raises:
        ListenreadError: the block ended without any part.

    Example:
        >>> with writing("vectors.parquet", model="mine") as rows:  # doctest: +SKIP
        ...     for part in parts:
        ...         rows.add(part)
    """
    facts = {"listenread_version": __version__, **made_by}
    encoded = json.dumps(facts, sort_keys=True, ensure_ascii=False).encode()
    with atomic.replacing(path) as partial:
        rows = Rows(partial, encoded)
        try:
            yield rows
            if rows.file is None:
                raise ListenreadError(f"{path}: there is nothing to write")
            rows.flush(1)
        finally:
            if rows.file is not None:
                rows.file.close()


class Rows:
    """What `writing` gives: takes rows and writes them in groups."""

    def __init__(self, path: Path, facts: bytes):
        """Say where and by what; nothing is opened before the first part."""
        self.path, self.facts = path, facts
        self.waiting: list[pa.Table] = []
        self.file: pq.ParquetWriter | None = None

    def add(self, data: pa.Table | Mapping[str, Any]) -> None:
        """Append rows; all parts have the columns of the first."""
        table = data if isinstance(data, pa.Table) else pa.table(dict(data))
        metadata = {**(table.schema.metadata or {}), METADATA_KEY: self.facts}
        table = table.replace_schema_metadata(metadata)
        if self.file is None:
            self.file = pq.ParquetWriter(self.path, table.schema, compression="zstd")
        self.waiting.append(table)
        self.flush(ROW_GROUP)

    def flush(self, fewest: int) -> None:
        """Write groups of `ROW_GROUP` rows while at least that many rows wait."""
        while self.file is not None and sum(len(part) for part in self.waiting) >= fewest:
            rows = pa.concat_tables(self.waiting)
            self.file.write_table(rows.slice(0, ROW_GROUP))
            self.waiting = [rows.slice(ROW_GROUP)]


def write_unavailable(path: str | Path, reason: str, **made_by: Any) -> None:
    """Write a table without rows that says why there is nothing to compute."""
    write(path, pa.table({}), **{UNAVAILABLE: reason}, **made_by)


def read(
    path: str | Path, columns: Iterable[str] = (), only: Collection[str] | None = None
) -> Table:
    """Read a table and check that it has the named columns.

    Args:
        path: a parquet file written by `write`.
        columns: names that must be there, unless the table is unavailable.
        only: names that are read, if they are there, where not all are needed: vectors are large.

    Raises:
        ListenreadError: the file is not a parquet table of ours, or misses a column.
    """
    with _readable(path), pq.ParquetFile(path) as file:
        names = file.schema_arrow.names
        wanted = None if only is None else [name for name in names if name in only]
        table = Table(file.read(wanted), _facts(file, path))
    _check_columns(path, columns, names, table.made_by)
    return table


def read_vectors(path: str | Path, space: str) -> np.ndarray:
    """Read the vectors of one space and nothing else: float32, shape (n, d).

    Raises:
        Unavailable: there are none, and why; see `Table.why_without`.
    """
    table = read(path, only=[space])
    why = table.why_without(space)
    if why:
        raise Unavailable(why)
    return to_numpy(table.data[space])


class Parts(NamedTuple):
    """A table that is read a part at a time.

    Attributes:
        made_by: what made it; see `Table`.
        column_names: of all columns.
        rows: how many there are.
        batches: parts of at most `ROW_GROUP` rows, in order, to be passed once.
    """

    made_by: dict[str, Any]
    column_names: list[str]
    rows: int
    batches: Iterator[pa.RecordBatch]


@contextlib.contextmanager
def reading(path: str | Path, columns: Iterable[str] = ()) -> Iterator[Parts]:
    """Open a table to be read part by part; it is checked as by `read`.

    Example:
        >>> with reading("scores.parquet", ["clip_id"]) as parts:  # doctest: +SKIP
        ...     n = sum(len(batch) for batch in parts.batches)
    """
    with contextlib.ExitStack() as stack:
        with _readable(path):
            file = stack.enter_context(pq.ParquetFile(path))
            made_by, names = _facts(file, path), file.schema_arrow.names
        _check_columns(path, columns, names, made_by)
        yield Parts(made_by, names, file.metadata.num_rows, _batches(path, file))


def _batches(path: str | Path, file: pq.ParquetFile) -> Iterator[pa.RecordBatch]:
    with _readable(path):
        yield from file.iter_batches(ROW_GROUP)


def _check_columns(
    path: str | Path, wanted: Iterable[str], names: list[str], made_by: Mapping[str, Any]
) -> None:
    missing = [name for name in wanted if name not in names]
    if missing and UNAVAILABLE not in made_by:
        raise ListenreadError(f"{path} misses the column(s) {', '.join(missing)}; it has {names}.")


def read_facts(path: str | Path) -> dict[str, Any]:
    """Read what made a table, and nothing else of it.

    Raises:
        ListenreadError: the file is not a parquet table of ours.
    """
    with _readable(path), pq.ParquetFile(path) as file:
        return _facts(file, path)


@contextlib.contextmanager
def _readable(path: str | Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError, ValueError, TypeError, KeyError) as error:
        raise ListenreadError(
            f"{path} cannot be read as a parquet table ({error}). Delete it and run again."
        ) from error


def _facts(file: pq.ParquetFile, path: str | Path) -> dict[str, Any]:
    encoded = (file.schema_arrow.metadata or {}).get(METADATA_KEY)
    if encoded is None:
        raise ListenreadError(
            f"{path} was not written by listenread: it does not say what made it."
        )
    try:
        return dict(json.loads(encoded))
    except (ValueError, TypeError) as error:
        raise ListenreadError(
            f"{path} is damaged: it says in no readable way what made it. Delete it and run again."
        ) from error


def concatenate(paths: Sequence[str | Path], output: str | Path) -> None:
    """Write the rows of several tables of one kind one after the other, a group at a time.

    What made the first is said to have made the whole; a table that is empty on purpose makes it
    so.

    Raises:
        ListenreadError: a table is not one of ours, or they do not belong together.
    """
    with contextlib.ExitStack() as stack:
        parts = []
        for path in paths:
            with _readable(path):
                parts.append(stack.enter_context(pq.ParquetFile(path)))
        facts = [_facts(file, path) for file, path in zip(parts, paths, strict=True)]
        for path, file, made_by in zip(paths, parts, facts, strict=True):
            if UNAVAILABLE in made_by:
                return write_unavailable(output, made_by[UNAVAILABLE])
            if made_by != facts[0] or not file.schema_arrow.equals(parts[0].schema_arrow):
                raise ListenreadError(
                    f"{path} and {paths[0]} were not made by the same things. Delete both and run "
                    "again."
                )
        first = {key: value for key, value in facts[0].items() if key != "listenread_version"}
        with writing(output, **first) as rows:
            for file in parts:
                for batch in file.iter_batches(ROW_GROUP):
                    rows.add(pa.Table.from_batches([batch]))


def vectors(values: np.ndarray) -> pa.FixedSizeListArray:
    """Turn a (n, d) array into a float32 FixedSizeList column."""
    values = np.ascontiguousarray(values, dtype=np.float32)
    if values.ndim != 2:
        raise ValueError(f"vectors need shape (n, d), got {values.shape}")
    return pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1])


def to_numpy(column: pa.ChunkedArray | pa.FixedSizeListArray) -> np.ndarray:
    """Turn a FixedSizeList column back into a float32 array of shape (n, d)."""
    # by hand: `combine_chunks` and `flatten` import all of pyarrow.compute, a tenth of a second
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    width = column.type.list_size
    parts = [
        chunk.values.to_numpy().reshape(-1, width)[chunk.offset : chunk.offset + len(chunk)]
        for chunk in chunks
    ]
    if len(parts) == 1:
        return parts[0]
    return np.concatenate([np.zeros((0, width), dtype=np.float32), *parts])
