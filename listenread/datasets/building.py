"""Making the manifest of a dataset of any kind."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from listenread.datasets.bad_audio import BadAudioError
from listenread.datasets.base import DATASET_KINDS, AudioLimits, ClipRow, Places
from listenread.datasets.checking import build_manifest
from listenread.datasets.csv_files import LISTED
from listenread.datasets.manifest import COLUMNS, Manifest, read_manifest, write_manifest
from listenread.datasets.spellings import notes_on_labels
from listenread.datasets.unused import beside_clips
from listenread.errors import ConfigError, DataError
from listenread.files import tables
from listenread.labels import normalise


def build(
    kind: str,
    settings: Mapping[str, Any],
    places: Places,
    output: str | Path,
    *,
    base_manifest: str | Path | None = None,
    vocabulary: Sequence[str] | None = None,
    on_bad_audio: Literal["error", "skip"] = "error",
    limits: Mapping[str, Any] | None = None,
    workers: int = 1,
) -> None:
    """Read or derive the clips of a dataset, check their audio, and write the manifest.

    Args:
        kind: a built-in kind, or ``package.module:NAME``.
        settings: those that `DatasetKind.uses` names.
        places: where the files of the dataset are.
        output: the parquet file to write.
        base_manifest: of the dataset that this one is derived from, where it is derived.
        vocabulary: the labels in the order of the classes; by default those of the clips, sorted,
            or those of the base.
        on_bad_audio: see `checking.build_manifest`; only for kinds that read clips.
        limits: values of `AudioLimits`; only for kinds that read clips.
        workers: threads that decode.

    Raises:
        DataError: the dataset cannot be used.
        ConfigError: there is no such kind, or it breaks its contract.
    """
    entry = DATASET_KINDS.find(kind)
    checks = AudioLimits(**(limits or {}))
    silence_dbfs = checks.silence_dbfs
    vocabulary = None if vocabulary is None else [*map(normalise, vocabulary)]
    if entry.read_clips is not None:
        rows = entry.read_clips(places, settings)
        _refuse_others(kind, rows)
        listing = Path(output).with_suffix(".bad_audio.txt")
        listing.unlink(missing_ok=True)
        try:
            manifest = build_manifest(
                rows,
                vocabulary,
                on_bad_audio=on_bad_audio,
                limits=checks,
                workers=workers,
            )
        except BadAudioError as error:
            if len(error.clips) <= LISTED:
                raise
            raise DataError(error.in_short(listing)) from error
        notes = (entry.notes or beside_clips)(places, settings, rows)
        notes += notes_on_labels(label for row in rows for label in row.written)
        manifest = replace(manifest, notes=[*notes, *manifest.notes])
    elif entry.derive is not None:
        base = None if base_manifest is None else read_manifest(base_manifest)
        if base_manifest is not None:
            facts = tables.read_facts(base_manifest)
            silence_dbfs = facts.get("silence_dbfs", silence_dbfs)
        manifest = entry.derive(base, places, settings, vocabulary)
        _refuse_incomplete(kind, manifest)
    else:
        raise ConfigError(f"the dataset kind `{kind}` neither reads clips nor derives a manifest")
    if not manifest.groups:
        manifest = replace(manifest, groups=entry.groups)
    write_manifest(output, manifest, kind=kind, silence_dbfs=silence_dbfs)


def _refuse_others(kind: str, rows: Any) -> None:
    if not isinstance(rows, list) or not all(isinstance(row, ClipRow) for row in rows):
        raise DataError(
            f"`read_clips` of the dataset kind `{kind}` must return a list of `ClipRow`"
        )


def _refuse_incomplete(kind: str, manifest: Any) -> None:
    if not isinstance(manifest, Manifest):
        raise DataError(f"`derive` of the dataset kind `{kind}` must return a `Manifest`")
    missing = [name for name in COLUMNS if name not in manifest.table.column_names]
    if missing:
        raise DataError(
            f"`derive` of the dataset kind `{kind}` returns a manifest without the column(s) "
            f"{', '.join(missing)}"
        )
