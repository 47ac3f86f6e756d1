"""A cell of a small dataset on disk, as tasks and figures read it in the workflow."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from listenread.datasets.base import ClipRow
from listenread.datasets.manifest import Manifest, manifest_table, write_manifest
from listenread.files import tables
from listenread.tasks.cell import Cell

KEYS = {"dataset": "d", "model": "m", "prompt": "p"}


def write_cell(
    folder: Path,
    labels: Sequence[Sequence[str]],
    classes: Sequence[str],
    *,
    unknown: Sequence[Sequence[str]] = (),
    folds: Sequence[int] = (),
    groups: Sequence[str] = (),
    scores: np.ndarray | None = None,
    templates: Sequence[str] = (),
    audio: Mapping[str, np.ndarray] | None = None,
    text: Mapping[str, np.ndarray] | None = None,
    ontology: Path | None = None,
) -> Cell:
    """Write the files of a cell and give the cell.

    Args:
        folder: where the files go.
        labels: of each clip; a text of one letter is one label.
        classes: the vocabulary, C labels.
        unknown: labels of each clip that were not judged.
        folds: of each clip.
        groups: of each clip; none where each is on its own.
        scores: shape (n, C), or (V, n, C) for variants.
        templates: of a prompt set.
        audio: space -> shape (n, d).
        text: space -> shape (L, d), or (V, L, d) for variants.
        ontology: its file; the text vectors are then those of an ontology's instruments, too.
    """
    rows = [
        ClipRow(
            f"clip{number}",
            folder / f"clip{number}.wav",
            tuple(of),
            tuple(unknown[number]) if unknown else (),
            group=groups[number] if len(groups) else None,
            fold=folds[number] if len(folds) else None,
        )
        for number, of in enumerate(labels)
    ]
    ids = [row.clip_id for row in rows]
    files = {"manifest": folder / "manifest.parquet"}
    manifest = Manifest(manifest_table(rows, [None] * len(rows), folder), list(classes))
    write_manifest(files["manifest"], manifest)
    if scores is not None:
        files["scores"] = folder / "scores.parquet"
        columns, blocks = _variants({"clip_id": ids}, scores)
        values = dict(zip(classes, np.concatenate(blocks).astype(np.float32).T, strict=True))
        tables.write(files["scores"], columns | values, text={"templates": list(templates)})
    if audio is not None:
        files["audio"] = folder / "audio.parquet"
        vectors = {space: tables.vectors(values) for space, values in audio.items()}
        tables.write(files["audio"], {"clip_id": ids} | vectors)
    if text is not None:
        files["text"] = folder / "text.parquet"
        names = {"label": list(classes), "text": list(classes)}
        vectors = {}
        for space, values in text.items():
            columns, blocks = _variants(names, values)
            vectors[space] = tables.vectors(np.concatenate(blocks))
        tables.write(files["text"], columns | vectors)
    if ontology is not None:
        files["ontology"] = ontology
    return Cell(KEYS, files)


def _variants(
    keys: Mapping[str, list[str]], values: np.ndarray
) -> tuple[dict[str, list], list[np.ndarray]]:
    """Repeat the keys for each variant, with its number, and list the variants' values."""
    if values.ndim == 2:
        return dict(keys), [values]
    repeated: dict[str, list] = {name: one * len(values) for name, one in keys.items()}
    repeated["variant"] = np.repeat(np.arange(len(values), dtype=np.int16), len(values[0])).tolist()
    return repeated, list(values)
