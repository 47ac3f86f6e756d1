"""MagnaTagATune's clips with the captions of LP-MusicCaps-MTT: material to train on.

Audio: Law, West, Mandel, Bay, Downie: Evaluation of algorithms using games, ISMIR 2009: 25,863
clips of 29 s (mono MP3, 16 kHz), published as three parts of one zip. Captions: Doh, Choi, Lee,
Nam: LP-MusicCaps, ISMIR 2023, https://huggingface.co/datasets/seungheondoh/LP-MusicCaps-MTT;
written by a language model from the clips' tags.

The published clips 35644, 55753 and 57881 cannot be decoded. They are rows like all others, so that
``on_bad_audio: skip`` leaves them out and names each in the manifest.
"""

import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from pydantic import Field

from listenread.datasets.base import (
    AudioFileSettings,
    ClipRow,
    DatasetKind,
    DatasetSettings,
    Places,
)
from listenread.datasets.csv_files import refuse
from listenread.errors import DataError
from listenread.files.material import Material, Source
from listenread.settings import RemoteFile, Repository, Settings

if TYPE_CHECKING:
    import pyarrow as pa

#: The material has no classes: its captions are what a model learns from.
LABEL = "music"
#: Column of the manifest -> column of LP-MusicCaps-MTT.
CAPTIONS = {
    "caption": "caption_writing",
    "caption_summary": "caption_summary",
    "caption_paraphrase": "caption_paraphrase",
    "caption_attribute_prediction": "caption_attribute_prediction",
}
#: Beginning of a parquet file's name -> what the manifest's column `split` says.
SPLITS = {"train": "train", "valid": "validation", "test": None}
_COLUMNS = ("track_id", "path", "title", "artist_name", *CAPTIONS.values())


class CaptionsSettings(Settings):
    """The dataset of the Hugging Face hub with the captions."""

    repository: Repository = Field(description="Its name, `owner/name`.")
    revision: str = Field(
        min_length=1,
        description="The commit, 40 hexadecimal digits, or a branch; the commit that was fetched "
        "is written next to the files.",
    )


class MagnatagatuneSettings(AudioFileSettings, DatasetSettings):
    """MagnaTagATune's clips with the captions of LP-MusicCaps-MTT, to train a model on."""

    parts: list[RemoteFile] = Field(
        min_length=1, description="The parts of the zip with the clips, in their order."
    )
    captions: CaptionsSettings = Field(
        description="The dataset of the Hugging Face hub with the captions."
    )
    max_extracted_bytes: int = Field(
        default=8_000_000_000, ge=1, description="A zip that would unpack to more is refused."
    )


def fetch_audio(outputs: Mapping[str, Path], settings: Mapping[str, Any], source: Source) -> None:
    """Download the parts of the zip, join and extract them."""
    from listenread.files.download import extract, fetch

    parts = [
        fetch(target=source.downloads / Path(part["url"]).name, mirror=source.mirror, **part)
        for part in settings["parts"]
    ]
    archive = join_parts(parts, source.downloads / "magnatagatune.zip")
    extract(
        archive,
        outputs["audio"],
        placed=place_in_root,
        max_bytes=settings["max_extracted_bytes"],
    )
    archive.unlink()


def fetch_captions(
    outputs: Mapping[str, Path], settings: Mapping[str, Any], source: Source
) -> None:
    """Download the captions."""
    from listenread.files.hub import fetch_repository

    fetch_repository(
        outputs["captions"], kind="dataset", mirror=source.mirror, **settings["captions"]
    )


def locate(settings: MagnatagatuneSettings, made: Mapping[str, Path]) -> Places:
    """Say where the clips and the captions are."""
    return Places(root=made["audio"], metadata=made["captions"])


def read_clips(places: Places, settings: Mapping[str, Any]) -> list[ClipRow]:
    """Read the captions of `places`; see `read_captions`."""
    root, metadata = places.root_and_metadata()
    return read_captions(root, metadata)


def read_captions(root: Path | str, metadata: Path | str | Sequence[Path | str]) -> list[ClipRow]:
    """Read LP-MusicCaps-MTT.

    A caption may be text or a list of sentences, which are joined with a space; a missing or
    empty one is None.

    Args:
        root: the folder that the column `path` is relative to, e.g. of ``f/...-30-59.mp3``.
        metadata: the folder of the parquet files, or their names. A file's name begins with its
            split: ``train``, ``valid`` (or ``validation``), or ``test``, which is not read.

    Returns:
        One row per clip, files in the order of their names; `known` has the keys of `CAPTIONS`,
        ``split`` (``train`` or ``validation``), ``title`` and ``artist``.

    Raises:
        DataError: there is no parquet file, one is of an unknown split or misses a column, or a
            value is impossible.
    """
    rows: list[ClipRow] = []
    problems: list[str] = []
    for path, split in _files(metadata):
        for number, record in enumerate(_read(path).to_pylist(), 1):
            problem = _problem(record)
            if problem:
                problems.append(f"{path}, row {number}: {problem}")
            else:
                rows.append(_row(Path(root), record, split))
    refuse("the captions have values that LP-MusicCaps-MTT cannot have", problems)
    return rows


def _files(metadata: Path | str | Sequence[Path | str]) -> list[tuple[Path, str]]:
    if isinstance(metadata, (str, Path)):
        folder = Path(metadata)
        if not folder.exists():
            raise DataError(f"{folder} does not exist")
        paths = sorted(folder.rglob("*.parquet")) if folder.is_dir() else [folder]
    else:
        paths = [Path(path) for path in metadata]
    splits = [(path, _prefix(path)) for path in paths]
    refuse(
        f"files of {metadata} whose name begins with none of {', '.join(SPLITS)}",
        [str(path) for path, prefix in splits if prefix is None],
    )
    names = [(path, SPLITS[prefix]) for path, prefix in splits if prefix is not None]
    wanted = [(path, split) for path, split in names if split is not None]
    if not wanted:
        raise DataError(
            f"{metadata} has no parquet file to train on: none is named train*.parquet or "
            "valid*.parquet"
        )
    return wanted


def _prefix(path: Path) -> str | None:
    return next((prefix for prefix in SPLITS if path.name.startswith(prefix)), None)


def _read(path: Path) -> "pa.Table":
    import pyarrow as pa  # not at the top: planning a run reads no parquet
    import pyarrow.parquet as pq

    try:
        names = pq.read_schema(path).names
        missing = [name for name in _COLUMNS if name not in names]
        if missing:
            raise DataError(
                f"{path} misses the column(s) {', '.join(missing)}; it has {', '.join(names)}"
            )
        return pq.read_table(path, columns=list(_COLUMNS))
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist") from error
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path} cannot be read as parquet: {error}") from error


def _problem(record: dict[str, Any]) -> str | None:
    path = record["path"]
    if record["track_id"] in (None, ""):
        return "no track_id"
    if not isinstance(path, str) or not path:
        return f"path is {path!r}"
    if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        return f"path {path!r} leads out of the folder of the clips"
    return None


def _row(root: Path, record: dict[str, Any], split: str) -> ClipRow:
    captions = {name: _text(record[column]) for name, column in CAPTIONS.items()}
    return ClipRow(
        clip_id=str(record["track_id"]),
        path=root / record["path"],
        labels=(LABEL,),
        group=f"{record['artist_name']}: {record['title']}" if record["title"] else None,
        known={
            **captions,
            "split": split,
            "title": record["title"],
            "artist": record["artist_name"],
        },
    )


def _text(value: str | Iterable[str] | None) -> str | None:
    joined = value if isinstance(value, str) else " ".join(value or [])
    return joined.strip() or None


def join_parts(parts: Sequence[Path | str], target: Path | str) -> Path:
    """Concatenate the parts of a file; `target` is written whole or not at all.

    Args:
        parts: in their order; `listenread.files.download.fetch` has verified them.
        target: the file to make; its folder is created.

    Returns:
        `target`.

    Raises:
        DataError: a part cannot be read, the file cannot be written, or there is no part.
    """
    target = Path(target)
    if not parts:
        raise DataError(f"{target}: there are no parts to join")
    partial = target.with_name(f".{target.name}.partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as joined:
            for part in parts:
                with Path(part).open("rb") as file:
                    shutil.copyfileobj(file, joined, 1 << 20)
        partial.replace(target)
    except OSError as error:
        raise DataError(f"{target} cannot be joined from its parts: {error}") from error
    finally:
        partial.unlink(missing_ok=True)
    return target


def place_in_root(member: str) -> str | None:
    """Say where a member of the published zip belongs below the root, or None if nowhere.

    For `files.download.extract`: ``<hexadecimal digit>/<name>.mp3``; folders above it are
    dropped, and only MP3 files are kept.
    """
    found = re.search(r"(?:^|/)([0-9a-f]/[^/.][^/]*\.mp3)$", member)
    return found[1] if found else None


KIND = DatasetKind(
    name="magnatagatune",
    description="MagnaTagATune's clips with the captions of LP-MusicCaps-MTT, to train a model on.",
    settings=MagnatagatuneSettings,
    locate=locate,
    read_clips=read_clips,
    material=(
        Material(
            rule="fetch_magnatagatune",
            outputs={"audio": "audio/"},
            make=fetch_audio,
            uses=("parts", "max_extracted_bytes"),
        ),
        Material(
            rule="fetch_magnatagatune_captions",
            outputs={"captions": "captions/"},
            make=fetch_captions,
            uses=("captions",),
        ),
    ),
    licence="CC BY-NC-SA 3.0 (clips, not verified), CC BY-NC 4.0 or MIT (captions; sources differ)",
    groups="The excerpts of a piece, by artist and title, are one group.",
    citation="Law, West, Mandel, Bay, Downie: Evaluation of algorithms using games: the case of "
    "music tagging, ISMIR 2009; Doh, Choi, Lee, Nam: LP-MusicCaps: LLM-based pseudo music "
    "captioning, ISMIR 2023",
    captioned=True,
)
