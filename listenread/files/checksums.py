"""Checksums: of a file, and of an experiment's files, with the check that they are still the same.

The list has the format of `sha256sum`: ``sha256sum -c LIST`` in the folder of the project does the
same. ``python -m listenread.files.checksums LIST...`` says what is missing and what changed.
"""

import hashlib
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from listenread.errors import DataError
from listenread.files import atomic

_LINE = re.compile(r"([0-9a-f]{64})  (.+)")


class Differences(NamedTuple):
    """What is no longer as it was listed.

    Attributes:
        checked: how many files are listed.
        missing: listed, but not there.
        changed: there, with other content.
    """

    checked: int
    missing: list[str]
    changed: list[str]


def checksum(path: Path | str, algorithm: str = "sha256") -> str:
    """Hash a file.

    Args:
        path: the file.
        algorithm: ``md5``, ``sha1``, ``sha256``, or ``git_blob_sha1``, the name that git gives to a
            file's content: the SHA-1 of ``blob <size>``, a zero byte and the content
            (https://git-scm.com/book/en/v2/Git-Internals-Git-Objects).

    Returns:
        The digest in lower-case hexadecimal.
    """
    path = Path(path)
    digest = hashlib.new(algorithm.removeprefix("git_blob_"), usedforsecurity=False)
    if algorithm == "git_blob_sha1":
        digest.update(b"blob %d\0" % path.stat().st_size)
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: digest).hexdigest()


def write(
    output: Path | str, paths: Iterable[Path | str], lists: Iterable[Path | str] = ()
) -> None:
    """List files with their SHA-256, sorted by name, paths as they are given.

    Args:
        output: the list.
        paths: relative to the folder that the list is checked from.
        lists: earlier lists, whose lines are taken over without reading the files again.

    Raises:
        DataError: an earlier list cannot be read.
    """
    listed = {name: digest for known in lists for name, digest in read(known).items()}
    listed |= {str(path): checksum(path) for path in paths}
    atomic.write_text(output, "".join(f"{listed[name]}  {name}\n" for name in sorted(listed)))


def read(path: Path | str) -> dict[str, str]:
    """Read a list: file -> SHA-256.

    Raises:
        DataError: the list cannot be read, or is none.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeError) as error:
        raise DataError(f"{path} cannot be read: {error}; run the experiment first") from error
    found = [_LINE.fullmatch(line) for line in lines]
    if not lines or not all(found):
        raise DataError(f"{path} is no list of checksums as `sha256sum` writes it")
    return {match[2]: match[1] for match in found if match}


def verify(path: Path | str, folder: Path | str = ".") -> Differences:
    """Compare files with their list.

    Args:
        path: the list.
        folder: what its paths are relative to.
    """
    listed = read(path)
    missing = [name for name in listed if not Path(folder, name).is_file()]
    changed = [
        name
        for name, digest in listed.items()
        if name not in missing and checksum(Path(folder, name)) != digest
    ]
    return Differences(len(listed), missing, changed)


def main(lists: Sequence[str]) -> int:
    """Check lists, name every difference, and return 1 if there is one."""
    if not lists:
        print("There is no list of checksums yet: run an experiment first (`make`).")
        return 1
    ill = 0
    for name in lists:
        try:
            found = verify(name)
        except DataError as error:
            print(error)
            ill += 1
            continue
        for path in found.missing:
            print(f"{path}: missing")
        for path in found.changed:
            print(f"{path}: changed")
        different = len(found.missing) + len(found.changed)
        ill += bool(different)
        same = f"all {found.checked} files are as they were written"
        print(f"{name}: {f'{different} of {found.checked} files differ' if different else same}")
    if ill:
        print("Delete the files that are named and run the workflow again: it makes them anew.")
    return min(ill, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
