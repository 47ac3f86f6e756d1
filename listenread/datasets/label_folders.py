"""Folders named by the label of the clips in them."""

import os
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from listenread.datasets.base import ClipRow
from listenread.datasets.csv_files import listed, refuse
from listenread.errors import DataError
from listenread.files.missing import does_not_exist
from listenread.files.sounds import is_hidden, is_sound
from listenread.labels import normalise

#: Names of folders that are parts of a dataset, not labels.
_SPLIT = re.compile(
    r"(train(ing)?|test(ing)?|val(id(ation)?)?|dev|eval(uation)?|(fold|split|part)[ _-]?\d*)(set)?",
    re.IGNORECASE,
)


class Files(NamedTuple):
    """What is below a folder; paths relative to it, in order.

    Attributes:
        clips: sound files in a folder of their label.
        unused: other files.
        hidden: sound files that are hidden, or in a hidden folder.
        labels: folders at the level of the label, also without clips.
        level: how deep below the folder a label is.
    """

    clips: list[PurePosixPath]
    unused: list[str]
    hidden: list[str]
    labels: list[PurePosixPath]
    level: int


def read(root: Path, level: int | None) -> list[ClipRow]:
    """Read the clips: every sound file below a folder that is a label, at any depth.

    Args:
        root: the folder of the dataset.
        level: how deep below it the folders are that are labels; None if that is clear: all sound
            files are in folders, some of them directly in those below `root`.

    Raises:
        DataError: there are no clips, it is not clear which folders are the labels, a label has no
            clip, or the names of two labels look the same.
    """
    files = survey(root, level)
    if not files.clips:
        raise DataError(
            f"{root} has no sound files in folders named by their label; put them there "
            "(`<label>/<clip>.wav`) or name a csv in the key `metadata`"
        )
    names = [path.parts[files.level - 1] for path in files.labels]
    if level is None:
        _refuse_unclear(root, files)
    _refuse_empty(root, files)
    _refuse_alike(root, names)
    return [
        ClipRow(path.with_suffix("").as_posix(), root / path, (path.parts[files.level - 1],))
        for path in files.clips
    ]


def survey(root: Path, level: int | None) -> Files:
    """Look at all files below a folder.

    Raises:
        DataError: the folder does not exist.
    """
    if not root.is_dir():
        raise DataError(f"the folder {does_not_exist(root)} (key `root`)")
    level = level or 1
    clips, unused, hidden, labels = [], [], [], []
    for folder, names in _walk(root):
        is_secret = any(map(is_hidden, folder.parts))
        if len(folder.parts) == level and not is_secret:
            labels.append(folder)
        for name in names:
            path = folder / name
            if is_secret or is_hidden(name):
                hidden += [str(path)] if is_sound(name) else []
            elif is_sound(name) and len(folder.parts) >= level:
                clips.append(path)
            else:
                unused.append(str(path))
    return Files(sorted(clips), sorted(unused), sorted(hidden), sorted(labels), level)


def _walk(root: Path) -> list[tuple[PurePosixPath, list[str]]]:
    """List folders and the names of their files; each folder once, also where links lead to it."""
    found, seen = [], set()

    def stop(error: OSError) -> None:
        raise DataError(f"{error.filename} cannot be read: {error.strerror}") from error

    for place, folders, names in os.walk(root, onerror=stop, followlinks=True):
        status = Path(place).stat()
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        found.append((PurePosixPath(Path(place).relative_to(root).as_posix()), names))
    return found


def _refuse_unclear(root: Path, files: Files) -> None:
    first = sorted({path.parts[0] for path in files.clips})
    second = sorted({path.parts[1] for path in files.clips if len(path.parts) > 2})
    if all(_SPLIT.fullmatch(name) for name in first):
        why = f"{listed(first)} {'looks' if len(first) == 1 else 'look'} like parts of a dataset"
    elif all(len(path.parts) > 2 for path in files.clips):
        why = f"no sound file is directly in {listed(first)}"
    else:
        return
    below = f", 2 if it is the second ({listed(second)})" if second else ""
    raise DataError(
        f"{root}: which folders are the labels? {why}. Set `label_level` for this dataset: 1 if "
        f"the first folder is the label{below}."
    )


def _refuse_empty(root: Path, files: Files) -> None:
    full = {path.parts[: files.level] for path in files.clips}
    problems = []
    for folder in files.labels:
        if folder.parts not in full:
            there = sorted(
                {
                    PurePosixPath(name).suffix.lower() or PurePosixPath(name).name
                    for name in files.unused
                    if PurePosixPath(name).is_relative_to(folder)
                }
            )
            problems.append(f"{folder}: {f'only {listed(there)}' if there else 'no files'}")
    refuse(
        f"{root} has folders without a sound file that can be read (convert their files, e.g. to "
        "FLAC, or move the folders elsewhere)",
        problems,
    )


def _refuse_alike(root: Path, names: Sequence[str]) -> None:
    together: dict[str, set[str]] = {}
    for name in names:
        together.setdefault(normalise(name), set()).add(name)
    refuse(
        f"{root} has folders whose names look the same; rename them, or put their clips into one",
        [", ".join(map(repr, sorted(same))) for same in together.values() if len(same) > 1],
    )
