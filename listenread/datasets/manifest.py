"""A dataset as the rest of the workflow knows it: one row per clip, and the vocabulary.

Cheap to import, unlike `listenread.datasets.checking`, which decodes audio to make a manifest.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from listenread.datasets.base import ClipRow
from listenread.errors import DataError
from listenread.files import tables

#: The columns that every manifest has, in this order; what the dataset knows follows.
COLUMNS = (
    "clip_id",
    "path",
    "labels",
    "unknown",
    "group",
    "fold",
    "duration_s",
    "sample_rate",
    "sha256",
)


class Clip(NamedTuple):
    """A row of a manifest, as far as an audio loader needs it."""

    clip_id: str
    path: Path
    sha256: str


class Checked(NamedTuple):
    """What is known of a sound file that was decoded; see `checking.check_file`.

    Attributes:
        duration_s: its length.
        sample_rate: in Hz.
        sha256: of the file.
        remarks: what is peculiar about it.
        frames: its length in samples.
        fingerprint: see `listenread.datasets.copies.fingerprint`.
    """

    duration_s: float
    sample_rate: int
    sha256: str
    remarks: tuple[str, ...] = ()
    frames: int = 0
    fingerprint: np.ndarray | None = None


@dataclass(frozen=True)
class Manifest:
    """The clips of a dataset.

    Attributes:
        table: columns `COLUMNS`, then what the dataset knows; one row per clip.
        vocabulary: the labels in the order in which scores have their columns.
        skipped: clips that were left out, each with `clip_id`, `path`, `reason`.
        notes: sentences for the report about peculiarities that are not errors; see
            `listenread.datasets.notes`.
        degradations: what is done to each clip between decoding and the tower, in this order: the
            arguments of `listenread.audio.degradations.apply.degrader`.
        groups: what makes clips dependent; see `DatasetKind.groups`.
    """

    table: pa.Table
    vocabulary: list[str]
    skipped: list[dict[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    degradations: list[dict[str, Any]] = field(default_factory=list)
    groups: str = ""

    def __len__(self) -> int:
        """Count the clips."""
        return self.table.num_rows

    def group_numbers(self) -> list[int]:
        """Number the groups in the order of the clips; a clip without one is its own."""
        number: dict[object, int] = {}
        names = enumerate(self.table["group"].to_pylist())
        return [
            number.setdefault(row if name is None else name, len(number)) for row, name in names
        ]

    @property
    def clips(self) -> list[Clip]:
        """The clips for `listenread.audio.loading.ClipLoader`."""
        rows = self.table.select(["clip_id", "path", "sha256"]).to_pylist()
        return [Clip(**(row | {"path": Path(row["path"])})) for row in rows]


def write_manifest(path: Path | str, manifest: Manifest, **made_by: Any) -> None:
    """Write a manifest as parquet; all but its table becomes metadata of the file."""
    tables.write(
        path,
        manifest.table,
        vocabulary=manifest.vocabulary,
        skipped=manifest.skipped,
        notes=manifest.notes,
        degradations=manifest.degradations,
        groups=manifest.groups,
        **made_by,
    )


def read_manifest(path: Path | str) -> Manifest:
    """Read a manifest that `write_manifest` wrote."""
    data, made_by = tables.read(path, COLUMNS)
    names = ("vocabulary", "skipped", "notes", "degradations", "groups")
    return Manifest(data, **{name: made_by[name] for name in names})


def manifest_table(
    rows: Sequence[ClipRow], checked: Sequence[Checked | None], working_directory: Path
) -> pa.Table:
    """Make the table of a manifest.

    Args:
        rows: the clips.
        checked: what is known of each file; None where there is no audio.
        working_directory: paths below it are written relative to it.

    Raises:
        DataError: a column of the dataset has the name of one of `COLUMNS`, or mixes types.
    """
    known = dict.fromkeys(name for row in rows for name in row.known)
    reserved = [name for name in known if name in COLUMNS]
    if reserved:
        raise DataError(
            f"the dataset's own columns {reserved} have names that every manifest's columns have"
        )
    directory = working_directory.resolve()
    columns: dict[str, pa.Array] = {
        "clip_id": pa.array([row.clip_id for row in rows], pa.string()),
        "path": pa.array([_portable(row.path, directory) for row in rows], pa.string()),
        "labels": pa.array([list(row.labels) for row in rows], pa.list_(pa.string())),
        "unknown": pa.array([list(row.unknown) for row in rows], pa.list_(pa.string())),
        "group": pa.array([row.group for row in rows], pa.string()),
        "fold": pa.array([row.fold for row in rows], pa.int16()),
        "duration_s": pa.array([file and file.duration_s for file in checked], pa.float64()),
        "sample_rate": pa.array([file and file.sample_rate for file in checked], pa.int32()),
        "sha256": pa.array([file and file.sha256 for file in checked], pa.string()),
    }
    for name in known:
        columns[name] = _known_column(name, [row.known.get(name) for row in rows])
    return pa.table(columns)


def _known_column(name: str, values: list[Any]) -> pa.Array:
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise DataError(f"column {name!r} mixes types: {error}") from error


def _portable(path: Path, working_directory: Path) -> str:
    absolute = path.absolute()
    if absolute.is_relative_to(working_directory):
        return absolute.relative_to(working_directory).as_posix()
    return path.as_posix()
