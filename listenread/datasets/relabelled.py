"""A dataset's clips and vectors under other labels, e.g. families instead of instruments."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from listenread.datasets.base import DatasetKind, LabelledSettings, Places
from listenread.errors import DataError
from listenread.labels import normalise

if TYPE_CHECKING:
    from listenread.datasets.manifest import Manifest


class RelabelledSettings(LabelledSettings):
    """The clips and vectors of another dataset, under other labels."""

    dataset: str = Field(description="The dataset to take the clips from.")
    column: str = Field(
        description="The column of its manifest that becomes the label: a text, a number, or a "
        "list of them."
    )


def derive(
    base: "Manifest | None",
    places: Places,
    settings: Mapping[str, Any],
    vocabulary: Sequence[str] | None,
) -> "Manifest":
    """Make a manifest whose labels are a column of another's; clips without a label are left out.

    Args:
        base: the manifest to take the clips from.
        places: not used.
        settings: `column` becomes the labels; the first ones stay as `original_labels`.
        vocabulary: the new labels, in the order of the classes.

    Raises:
        DataError: there is no base, vocabulary or such column, or it has none of the labels.
    """
    import pyarrow as pa  # not at the top: planning a run reads no manifest

    from listenread.datasets.manifest import Manifest
    from listenread.datasets.spellings import notes_on_labels

    if base is None or vocabulary is None:
        raise DataError("a relabelled dataset needs the manifest of its base, and a vocabulary")
    column, table = settings["column"], base.table
    if column not in table.column_names:
        raise DataError(
            f"the manifest has no column {column!r} to take labels from; it has "
            f"{', '.join(table.column_names)}."
        )
    several = pa.types.is_list(table[column].type)
    values = table[column].cast(pa.list_(pa.string()) if several else pa.string()).to_pylist()
    written = [[one for one in ((value or []) if several else [value]) if one] for value in values]
    labels = [_known(value, vocabulary) for value in written]
    if not any(labels):
        raise DataError(f"column {column!r} has none of {list(vocabulary)}.")
    # Only labels of the dataset itself were left open for some clips, not those of other columns.
    unknown = [
        _known(value, vocabulary) if column == "labels" else []
        for value in table["unknown"].to_pylist()
    ]
    if "original_labels" not in table.column_names:  # which a relabelled base has
        table = table.append_column("original_labels", table["labels"])
    for name, values in (("labels", labels), ("unknown", unknown)):
        position = table.column_names.index(name)
        table = table.set_column(position, name, pa.array(values, pa.list_(pa.string())))
    table = table.filter(pa.array([bool(own) for own in labels]))
    left_out = len(base) - table.num_rows
    notes = notes_on_labels(
        label for value in written for label in value if normalise(label) in vocabulary
    )
    notes += [f"{left_out} clip(s) have none of these labels and are left out."] if left_out else []
    return Manifest(
        table,
        list(vocabulary),
        base.skipped,
        [*base.notes, *notes],
        base.degradations,
        base.groups,
    )


def _known(labels: Sequence[str], vocabulary: Sequence[str]) -> list[str]:
    """Keep the labels that are in the vocabulary, each once."""
    return [label for label in dict.fromkeys(map(normalise, labels)) if label in vocabulary]


def take_vectors(
    embeddings_path: str | Path, manifest_path: str | Path, output: str | Path
) -> None:
    """Write the vectors of a derived manifest's clips, taken from those of its base.

    Args:
        embeddings_path: audio vectors of the base.
        manifest_path: the derived manifest.
        output: the parquet file to write; its rows have the order of the base's vectors.
    """
    import pyarrow as pa

    from listenread.datasets.manifest import read_manifest
    from listenread.files import tables

    vectors = tables.read(embeddings_path, ["clip_id"])
    reserved = {"listenread_version", tables.UNAVAILABLE}
    facts = {key: value for key, value in vectors.made_by.items() if key not in reserved}
    if vectors.unavailable:
        return tables.write_unavailable(output, vectors.unavailable, **facts)
    clip_ids = set(read_manifest(manifest_path).table["clip_id"].to_pylist())
    is_taken = [clip_id in clip_ids for clip_id in vectors.data["clip_id"].to_pylist()]
    tables.write(output, vectors.data.filter(pa.array(is_taken)), **facts)


KIND = DatasetKind(
    name="relabelled",
    description="The clips and vectors of another dataset, under other labels.",
    settings=RelabelledSettings,
    locate=lambda settings, made: Places(),
    derive=derive,
    base=lambda settings: settings.dataset,
    vectors="base",
    uses=("column",),
    licence="that of the other dataset",
    groups="Those of the other dataset.",
)
