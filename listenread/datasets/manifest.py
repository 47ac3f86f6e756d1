"""A dataset as the rest of the workflow knows it: one row per clip, and the vocabulary.

Cheap to import, unlike `listenread.datasets.checking`, which decodes audio to make a manifest.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from listenread.files import tables

#: The columns that every manifest has, in this order; what the dataset knows follows.
COLUMNS = (
    "clip_id", "path", "labels", "unknown", "group", "fold", "duration_s", "sample_rate", "sha256",
)  # fmt: skip


class Clip(NamedTuple):
    """A row of a manifest, as far as an audio loader needs it."""

    clip_id: str
    path: Path
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """The clips of a dataset.

    Attributes:
        table: columns `COLUMNS`, then what the dataset knows; one row per clip.
        vocabulary: the labels in the order in which scores have their columns.
        skipped: clips that were left out, each with `clip_id`, `path`, `reason`.
        notes: sentences for the report about peculiarities that are no errors.
    """

    table: pa.Table
    vocabulary: list[str]
    skipped: list[dict[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        """Count the clips."""
        return self.table.num_rows

    @property
    def labels(self) -> list[list[str]]:
        """The labels of each clip."""
        labels: list[list[str]] = self.table["labels"].to_pylist()
        return labels

    @property
    def clips(self) -> list[Clip]:
        """The clips for `listenread.audio.loading.ClipLoader`."""
        rows = self.table.select(["clip_id", "path", "sha256"]).to_pylist()
        return [Clip(**(row | {"path": Path(row["path"])})) for row in rows]


def write_manifest(path: Path | str, manifest: Manifest, **made_by: Any) -> None:
    """Write a manifest as parquet; vocabulary, skipped clips and notes are its metadata."""
    tables.write(
        path,
        manifest.table,
        vocabulary=manifest.vocabulary,
        skipped=manifest.skipped,
        notes=manifest.notes,
        **made_by,
    )


def read_manifest(path: Path | str) -> Manifest:
    """Read a manifest that `write_manifest` wrote."""
    data, made_by = tables.read(path, COLUMNS)
    return Manifest(data, made_by["vocabulary"], made_by["skipped"], made_by["notes"])
