"""A dataset's clips and vectors under other labels, e.g. families instead of instruments."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from listenread.datasets.base import DatasetKind, LabelledSettings, Places
from listenread.errors import DataError, Unavailable

if TYPE_CHECKING:
    from listenread.datasets.manifest import Manifest


class RelabelledSettings(LabelledSettings):
    """The clips and vectors of another dataset, under other labels."""

    dataset: str = Field(description="The dataset to take the clips from.")
    column: str = Field(description="The column of its manifest that becomes the label.")


def locate(settings: RelabelledSettings, made: Mapping[str, Path]) -> Places:
    """There are no files: everything is in the manifest of the other dataset."""
    return Places()


def derive(base: "Manifest | None", places: Places, settings: Mapping[str, Any]) -> "Manifest":
    """Make a manifest whose labels are a column of another's; clips of no label are left out.

    The old labels stay as `original_labels`.

    Raises:
        DataError: there is no such column, or it has none of the labels.
    """
    import pyarrow as pa

    from listenread.datasets.manifest import Manifest

    assert base is not None
    column, vocabulary = settings["column"], list(settings["vocabulary"])
    if column not in base.table.column_names:
        raise DataError(
            f"the manifest of `{settings['dataset']}` has no column {column!r} to take labels "
            f"from; it has {', '.join(base.table.column_names)}."
        )
    values = [_as_list(value) for value in base.table[column].to_pylist()]
    labels = [[one for one in value if one in set(vocabulary)] for value in values]
    keep = [bool(one) for one in labels]
    if not any(keep):
        raise DataError(
            f"column {column!r} of the manifest of `{settings['dataset']}` has none of "
            f"{vocabulary}."
        )
    table = base.table.append_column("original_labels", base.table["labels"])
    strings = pa.list_(pa.string())
    for name, new in (("labels", labels), ("unknown", [[]] * len(labels))):
        table = table.set_column(table.column_names.index(name), name, pa.array(new, strings))
    table = table.filter(pa.array(keep))
    left_out = len(base) - table.num_rows
    notes = [*base.notes, *([f"{left_out} clips have no such label."] if left_out else [])]
    return Manifest(table, vocabulary, base.skipped, notes)


def _as_list(value: Any) -> list[str]:
    if value is None:
        return []
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def take_vectors(vectors_path: str | Path, manifest_path: str | Path, output: str | Path) -> None:
    """Write the vectors of a relabelled manifest's clips, taken from those of the original.

    Raises:
        Unavailable: the original has no vectors, and why.
    """
    import pyarrow as pa

    from listenread.datasets.manifest import read_manifest
    from listenread.files import tables

    vectors = tables.read(vectors_path, ["clip_id"])
    if vectors.unavailable:
        raise Unavailable(vectors.unavailable)
    kept = set(read_manifest(manifest_path).table["clip_id"].to_pylist())
    clip_ids = vectors.data["clip_id"].to_pylist()
    table = vectors.data.filter(pa.array([clip_id in kept for clip_id in clip_ids]))
    facts = {k: v for k, v in vectors.made_by.items() if k != "listenread_version"}
    tables.write(output, table, **facts)


KIND = DatasetKind(
    name="relabelled",
    description="The clips and vectors of another dataset, under other labels.",
    settings=RelabelledSettings,
    locate=locate,
    derive=derive,
    base=lambda settings: settings.dataset,
    vectors="base",
    uses=("dataset", "column"),
    licence="that of the other dataset",
    citation="that of the other dataset",
)
