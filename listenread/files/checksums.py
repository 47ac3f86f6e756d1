"""Checksums of files, and lists of them that ``sha256sum --check`` reads."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from listenread.files import atomic


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
    """List files with their SHA-256 in the format of ``sha256sum``, sorted by name.

    Args:
        output: the list.
        paths: relative to the folder that ``sha256sum --check`` will run in.
        lists: earlier lists, whose lines are copied without reading the files again.
    """
    listed = {name: digest for known in lists for name, digest in read(known).items()}
    listed |= {str(path): checksum(path) for path in paths}
    atomic.write_text(output, "".join(f"{listed[name]}  {name}\n" for name in sorted(listed)))


def read(path: Path | str) -> dict[str, str]:
    """Read a list: file name -> SHA-256."""
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
