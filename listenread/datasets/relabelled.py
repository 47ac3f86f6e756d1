"""A dataset's clips and vectors under other labels, e.g. families instead of instruments."""

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from listenread.datasets.manifest import Manifest, read_manifest, write_manifest
from listenread.errors import DataError
from listenread.files import tables


def relabel_manifest(
    manifest_path: str | Path, output: str | Path, *, column: str, vocabulary: list[str]
) -> None:
    """Write a manifest whose labels are a column of another's; clips of no label are left out.

    Args:
        manifest_path: the manifest to take the clips from.
        output: the manifest to write.
        column: what becomes the label; the old label stays as `original_label`.
        vocabulary: the new labels, in the order of the classes.

    Raises:
        DataError: there is no such column, or it has none of the labels.
    """
    manifest = read_manifest(manifest_path)
    if column not in manifest.table.column_names:
        raise DataError(
            f"{manifest_path} has no column {column!r} to take labels from; it has "
            f"{', '.join(manifest.table.column_names)}."
        )
    labels = manifest.table[column].cast(pa.string())
    keep = pa.array([label in set(vocabulary) for label in labels.to_pylist()])
    if not any(keep.to_pylist()):
        raise DataError(f"column {column!r} of {manifest_path} has none of {vocabulary}.")
    table = manifest.table.append_column("original_label", manifest.table["label"])
    table = table.set_column(table.column_names.index("label"), "label", labels).filter(keep)
    left_out = len(manifest) - table.num_rows
    notes = [*manifest.notes, *([f"{left_out} clips have no such label."] if left_out else [])]
    write_manifest(output, Manifest(table, vocabulary, manifest.skipped, notes))


def relabel_audio(
    embeddings_path: str | Path, manifest_path: str | Path, output: str | Path
) -> None:
    """Write the vectors of a relabelled manifest's clips, taken from those of the original."""
    vectors = tables.read(embeddings_path, ["clip_id", "label"])
    if vectors.unavailable:
        return tables.write_unavailable(output, vectors.unavailable, **_facts(vectors.made_by))
    clips = read_manifest(manifest_path).table.select(["clip_id", "label"]).to_pylist()
    labels = {clip["clip_id"]: clip["label"] for clip in clips}
    clip_ids = vectors.data["clip_id"].to_pylist()
    kept = vectors.data.filter(pa.array([clip_id in labels for clip_id in clip_ids]))
    new = pa.array([labels[clip_id] for clip_id in kept["clip_id"].to_pylist()])
    table = kept.set_column(kept.column_names.index("label"), "label", new)
    tables.write(output, table, **_facts(vectors.made_by))


def _facts(made_by: Mapping[str, object]) -> dict[str, object]:
    reserved = {"listenread_version", tables.UNAVAILABLE}
    return {key: value for key, value in made_by.items() if key not in reserved}
