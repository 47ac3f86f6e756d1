"""What is said about files of a dataset that are not clips."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from listenread.datasets.base import ClipRow, Places
from listenread.datasets.notes import counted, note
from listenread.files.sounds import is_hidden, is_sound


def notes_on(unused: Sequence[str], hidden: Sequence[str]) -> list[str]:
    """Say how many files are not used, and which."""
    notes = []
    if unused:
        is_one = len(unused) == 1
        verb = "in the dataset's folder is" if is_one else "in the dataset's folders are"
        notes.append(note(f"{counted(len(unused), 'file')} {verb} not used", unused))
    if hidden:
        notes.append(
            note(f"{counted(len(hidden), 'hidden sound file')} left out by their names", hidden)
        )
    return notes


def beside_clips(places: Places, settings: Mapping[str, Any], rows: Sequence[ClipRow]) -> list[str]:
    """Make notes on files that are in the folder of a clip and that the metadata do not name."""
    named: dict[Path, set[str]] = {}
    for row in rows:
        named.setdefault(row.path.parent, set()).add(row.path.name)
    by_folder: dict[str, tuple[Path, set[str]]] = {}
    for folder, names in named.items():  # one folder may be written in several ways
        by_folder.setdefault(os.path.realpath(folder), (folder, set()))[1].update(names)
    unused, hidden = [], []
    for folder, names in by_folder.values():
        for entry in _files(folder):
            path = folder / entry
            if entry in names or _is_metadata(path, places):
                continue
            if not is_hidden(entry):
                unused.append(_shown(path, places.root))
            elif is_sound(entry):
                hidden.append(_shown(path, places.root))
    return notes_on(unused, hidden)


def _files(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if entry.is_file())


def _is_metadata(path: Path, places: Places) -> bool:
    metadata = places.metadata
    return metadata is not None and os.path.realpath(path) == os.path.realpath(metadata)


def _shown(path: Path, root: Path | None) -> str:
    if root is not None and path.is_relative_to(root):
        return path.relative_to(root).as_posix()
    return path.as_posix()
