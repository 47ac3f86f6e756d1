"""Two runs of one experiment beside each other: which files are the same, how far others are off.

``python -m listenread.files.reproduction FOLDER OTHER EXPERIMENT`` compares what the two lists of
checksums name. Vectors may differ in their last bits: with another batch size, another number of
threads, another processor. docs/faults.md says how much was measured.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from listenread.errors import ListenreadError
from listenread.files import checksums, tables


class Difference(NamedTuple):
    """A file that is not the same in two runs.

    Attributes:
        path: of the file, below both folders.
        column: what differs in it; None where it is another file altogether.
        largest: largest absolute difference of two numbers, inf where they cannot be compared.
    """

    path: str
    column: str | None
    largest: float


def compare(folder: str | Path, other: str | Path, experiment: str) -> list[Difference]:
    """Compare all listed files of an experiment, tables column by column.

    Args:
        folder: holds a run's ``results``.
        other: holds the other's.
        experiment: its name.

    Returns:
        The differences; what made a table (a device, a version) is not compared.

    Raises:
        ListenreadError: a list or a table cannot be read.
    """
    place = Path("results", "experiments", experiment, "checksums.sha256")
    ones, others = checksums.read(Path(folder, place)), checksums.read(Path(other, place))
    found = [Difference(path, None, np.inf) for path in ones.keys() ^ others.keys()]
    for path in ones.keys() & others.keys():
        if ones[path] != others[path]:
            found += _in_file(path, Path(folder, path), Path(other, path))
    return sorted(found, key=lambda difference: (difference.path, difference.column or ""))


def _in_file(name: str, one: Path, other: Path) -> list[Difference]:
    if one.suffix != ".parquet":
        return [Difference(name, None, np.inf)]
    data, data_other = tables.read(one).data, tables.read(other).data
    if data.column_names != data_other.column_names or len(data) != len(data_other):
        return [Difference(name, None, np.inf)]
    return [
        Difference(name, column, _largest(data[column], data_other[column]))
        for column in data.column_names
        if not data[column].equals(data_other[column])
    ]


def _largest(one: pa.ChunkedArray, other: pa.ChunkedArray) -> float:
    if one.type != other.type:
        return np.inf
    if pa.types.is_fixed_size_list(one.type):
        values, others = tables.to_numpy(one), tables.to_numpy(other)
    elif pa.types.is_floating(one.type):
        values, others = one.to_numpy(), other.to_numpy()
    else:
        return np.inf
    if not (np.isnan(values) == np.isnan(others)).all():
        return np.inf
    return float(np.nanmax(np.abs(values.astype(np.float64) - others), initial=0.0))


def main(arguments: Sequence[str]) -> int:
    """Print every difference, and return 1 if there is one."""
    try:
        found = compare(*arguments)
    except (ListenreadError, TypeError) as error:
        print(f"{error}\nusage: python -m listenread.files.reproduction FOLDER OTHER EXPERIMENT")
        return 2
    for path, column, largest in found:
        print(f"{path}{f', {column}' if column else ''}: {largest:.3g}")
    print(f"{len(found)} differences" if found else "both runs are the same")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
