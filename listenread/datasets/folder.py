"""A researcher's own clips: a csv with ``path,label``, or one folder per label."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from listenread.datasets import label_folders
from listenread.datasets.base import (
    ClipRow,
    DatasetKind,
    DatasetSettings,
    Places,
    Spellings,
    UserFileSettings,
    Vocabulary,
)
from listenread.datasets.csv_files import listed, number, read_csv, refuse, whole_number
from listenread.datasets.unused import beside_clips, notes_on
from listenread.errors import DataError

#: Columns with a meaning; every further column is kept in the manifest.
PATH, LABEL, LABELS, UNKNOWN, GROUP = "path", "label", "labels", "unknown", "group"
FOLD, CLIP_ID = "fold", "clip_id"
#: Between the labels of a clip in the columns `LABELS` and `UNKNOWN`.
SEPARATOR = ";"


class FolderSettings(UserFileSettings, DatasetSettings):
    """Your own clips."""

    metadata: str | None = Field(
        default=None,
        description="A csv with the columns `path` (relative to the csv) and `label`, or `labels` "
        "with any number of labels separated by `;`. Optional: `unknown` (labels that were not "
        "judged for the clip, separated by `;`), `group` (clips of one group are not independent), "
        "`fold`, `clip_id`, and any further columns.",
    )
    label_level: int | None = Field(
        default=None,
        ge=1,
        description="Without a csv, how deep below `root` the folders are that are labels: 1 for "
        "`<label>/clip.wav`, 2 for `train/<label>/clip.wav`. Needed where that is not clear.",
    )
    numbers: list[str] = Field(
        default_factory=list,
        description="Further columns of the csv that hold numbers. All others are kept as the text "
        "that the csv has, so that codes such as `01` stay what they are.",
    )
    encoding: str = Field(
        default="utf-8-sig",
        description="Encoding of the csv, e.g. `latin-1`; the default is UTF-8.",
    )
    root: str | None = Field(
        default=None,
        description="A folder with one sub-folder for each label, where there is no csv; with a "
        "csv, a folder that its paths may lead to.",
    )
    vocabulary: Vocabulary | None = Field(
        default=None,
        description="Label -> the words that replace `{label}` in a prompt, in the order of the "
        "classes; without it the labels found, in alphabetical order, stand for themselves.",
    )
    spellings: Spellings

    @model_validator(mode="after")
    def _is_somewhere(self) -> "FolderSettings":
        if self.metadata is None and self.root is None:
            raise ValueError("needs one of `metadata`, `root`")
        if self.metadata is not None and self.label_level is not None:
            raise ValueError("`label_level` is for folders; the csv `metadata` says the labels")
        if self.metadata is None and self.numbers:
            raise ValueError("`numbers` names columns of the csv `metadata`, which is not given")
        return self


def locate(settings: FolderSettings, made: Mapping[str, Path]) -> Places:
    """Say where the clips and their csv are."""
    metadata = None if settings.metadata is None else Path(settings.metadata)
    if settings.root is not None:
        return Places(root=Path(settings.root), metadata=metadata)
    return Places(root=metadata and metadata.parent, metadata=metadata)


def read_clips(places: Places, settings: Mapping[str, Any]) -> list[ClipRow]:
    """Read the clips of `places`; see `read_folder`."""
    return read_folder(places.root, places.metadata, **settings)


def read_folder(
    root: Path | str | None,
    metadata: Path | str | None = None,
    *,
    encoding: str = "utf-8-sig",
    numbers: Sequence[str] = (),
    label_level: int | None = None,
) -> list[ClipRow]:
    """Read clips from a csv, or from the folders where there is none.

    Args:
        root: the folder of the clips; not needed with a csv.
        metadata: a csv with the column ``path`` (relative to the csv) and one of ``label`` (exactly
            one) and ``labels`` (any number, separated by ``;``, also none). Optional are
            ``unknown`` (labels that were not judged for this clip, separated by ``;``), ``group``,
            ``fold`` (whole numbers, or empty), ``clip_id``, and any others. None: the folders
            below `root` are labels, and each sound file in them, at any depth, a clip.
        encoding: of the csv.
        numbers: further columns that hold numbers; all others stay text.
        label_level: how deep below `root` the folders are that are labels, where there is no csv;
            see `label_folders.read`.

    Returns:
        Rows in the order of the csv, or sorted by path. Where no ``clip_id`` is given it is the
        path without its suffix.

    Raises:
        DataError: listing every line that cannot be used.
    """
    if metadata is not None:
        return _from_csv(root, Path(metadata), encoding, numbers)
    if root is None:
        raise DataError("a folder dataset needs the key `root` or the key `metadata`")
    return label_folders.read(Path(root), label_level)


def notes(places: Places, settings: Mapping[str, Any], rows: Sequence[ClipRow]) -> list[str]:
    """Say which files are not used."""
    if places.metadata is not None or places.root is None:
        return beside_clips(places, settings, rows)
    files = label_folders.survey(places.root, settings.get("label_level"))
    return notes_on(files.unused, files.hidden)


def _from_csv(
    root: Path | str | None, metadata: Path, encoding: str, numbers: Sequence[str]
) -> list[ClipRow]:
    lines = read_csv(
        metadata,
        (PATH,),
        encoding,
        one_of=(LABEL, LABELS),
        encoding_advice=", or name its encoding in the dataset's key `encoding`",
    )
    if not lines:
        raise DataError(f"{metadata} describes no clip: there is nothing below its header")
    allowed = [metadata.parent] if root is None else [metadata.parent, Path(root)]
    refuse(f"{metadata} has lines that cannot be used", _problems(lines, metadata.parent, allowed))
    records = list(lines.values())
    names = [name for name in records[0] if name not in _SPECIAL]
    if unknown := [name for name in numbers if name not in names]:
        raise DataError(
            f"{metadata} has no further column {listed(unknown)}, which the key `numbers` names; "
            f"it has {listed(names) or 'none'}"
        )
    refuse(
        f"{metadata} has columns that are not numbers (key `numbers`)", _no_numbers(lines, numbers)
    )
    known = {
        name: (_numbers if name in numbers else _texts)([record[name] for record in records])
        for name in names
    }
    return [
        ClipRow(
            clip_id=record.get(CLIP_ID) or _without_suffix(record[PATH]),
            path=metadata.parent / record[PATH],
            labels=(record[LABEL],) if LABEL in record else _several(record[LABELS]),
            unknown=_several(record.get(UNKNOWN, "")),
            group=record.get(GROUP) or None,
            fold=whole_number(record[FOLD]) if record.get(FOLD) else None,
            known={name: values[index] for name, values in known.items()},
        )
        for index, record in enumerate(records)
    ]


_SPECIAL = {PATH, LABEL, LABELS, UNKNOWN, GROUP, FOLD, CLIP_ID}


def _several(text: str) -> tuple[str, ...]:
    """Split labels at ``;``, without the space around them."""
    return tuple(label for part in text.split(SEPARATOR) if (label := part.strip()))


def _problems(lines: dict[int, dict[str, str]], folder: Path, allowed: list[Path]) -> list[str]:
    problems = []
    first_line: dict[str, int] = {}
    inside = [path.resolve() for path in allowed]
    for line, record in lines.items():
        path, fold = record[PATH], record.get(FOLD, "")
        if not path or record.get(LABEL) == "":
            problems.append(f"line {line}: `path` and `label` must not be empty")
            continue
        if first_line.setdefault(path, line) != line:
            problems.append(f"line {line}: {path} is already on line {first_line[path]}")
        resolved = (folder / path).resolve()
        if not any(resolved.is_relative_to(top) for top in inside):
            places = " and ".join(map(str, allowed))
            problems.append(f"line {line}: {path} lies outside {places}; set the key `root`")
        if fold and not _is_fold(fold):
            problems.append(f"line {line}: fold {fold!r} is not a whole number from 0 to 32767")
    return problems


def _is_fold(text: str) -> bool:
    try:
        return whole_number(text, 2**15) >= 0
    except ValueError:
        return False


def _no_numbers(lines: dict[int, dict[str, str]], columns: Sequence[str]) -> list[str]:
    problems = []
    for line, record in lines.items():
        for column in columns:
            try:
                number(record[column] or "0")
            except ValueError as error:
                problems.append(f"line {line}, column {column!r}: {error}")
    return problems


def _texts(column: list[str]) -> list[str | None]:
    return [value or None for value in column]


def _numbers(column: list[str]) -> list[int | None] | list[float | None]:
    """Turn a column of numbers into whole ones where all are, empty fields into None."""
    try:
        return [whole_number(value) if value else None for value in column]
    except ValueError:
        return [number(value) if value else None for value in column]


def _without_suffix(path: str) -> str:
    return Path(path).with_suffix("").as_posix()


KIND = DatasetKind(
    name="folder",
    description="Your own clips: a csv with `path,label`, or one folder per label.",
    settings=FolderSettings,
    locate=locate,
    read_clips=read_clips,
    uses=("encoding", "label_level", "numbers"),
    notes=notes,
    licence="yours",
    groups="Clips with the same text in the column `group` of the csv are one group; where there "
    "is none, which clips are dependent is not known.",
)
