"""The manifest job: clips are read or derived, every file is checked, the manifest is written."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from listenread.datasets.base import DATASET_KINDS, AudioLimits, Places
from listenread.datasets.manifest import read_manifest, write_manifest


def build(
    kind: str,
    settings: Mapping[str, Any],
    places: Places,
    output: str | Path,
    *,
    base_manifest: str | Path | None = None,
    vocabulary: Sequence[str] | None = None,
    on_bad_audio: Literal["error", "skip"] | None = None,
    limits: Mapping[str, Any] | None = None,
    workers: int = 2,
) -> None:
    """Write the manifest of a dataset.

    Args:
        kind: name of its kind, or ``package.module:NAME``.
        settings: those that `DatasetKind.uses` names.
        places: where its files are.
        output: the parquet file to write.
        base_manifest: of the dataset that it is derived from.
        vocabulary: the labels in the order of the classes; sorted by default.
        on_bad_audio: see `checking.check_clips`; ``error`` by default.
        limits: fields of `AudioLimits`.
        workers: threads that decode.

    Raises:
        DataError: the metadata cannot be read, or a clip cannot be used.
    """
    entry = DATASET_KINDS.find(kind)
    if entry.derive is not None:
        base = None if base_manifest is None else read_manifest(base_manifest)
        manifest = entry.derive(base, places, {**settings, "vocabulary": vocabulary})
        write_manifest(output, manifest, kind=kind)
        return
    # decoding needs libraries that deriving does not
    from listenread.datasets.checking import build_manifest

    assert entry.read_clips is not None
    manifest = build_manifest(
        entry.read_clips(places, settings),
        vocabulary,
        on_bad_audio=on_bad_audio or "error",
        limits=AudioLimits(**(limits or {})),
        workers=workers,
    )
    write_manifest(output, manifest, kind=kind)
