"""Files of the paper's authors: what their repository lists, and how one is fetched and checked.

Vasilakis, Bittner, Pauwels, ISMIR 2024, arXiv 2407.18058. `listing` names the files of the authors'
repository ``YannisBilly/i_can_listen_but_cannot_read`` at the pinned commit, with their git blob
SHA-1.
"""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

import listenread
from listenread.errors import DownloadError, ModelError
from listenread.files import download
from listenread.files.checksums import checksum

#: The csv that says which clip a row of released audio vectors is, and its class.
GROUND_TRUTH = "tinysol_groundtruth_reordered.csv"


class ReleasedFile(NamedTuple):
    """A file in the authors' repository.

    Attributes:
        path: in the repository.
        git_blob_sha1: name that git gives to its content.
        bytes: its size, where it is known.
    """

    path: str
    git_blob_sha1: str
    bytes: int | None


class ClipOrder(NamedTuple):
    """What the rows of released audio vectors are.

    Attributes:
        clip_ids: one per row.
        classes: int, shape (rows,): the class of each row, as a column of the one-hot labels.
        columns: the classes as the file calls them.
    """

    clip_ids: list[str]
    classes: np.ndarray
    columns: list[str]


def listing() -> Path:
    """Return the path of the list of released files, which is part of the package."""
    return Path(listenread.__file__).parent / "resources" / "released_files.csv"


def read_listing(listing: str | Path) -> dict[str, ReleasedFile]:
    """Read the list of released files: path in the repository -> file."""
    with Path(listing).open(newline="", encoding="utf-8") as file:
        return {
            row["path"]: ReleasedFile(
                row["path"], row["git_blob_sha1"], int(row["bytes"]) if row["bytes"] else None
            )
            for row in csv.DictReader(file)
        }


def read_clip_order(path: str | Path, listing: str | Path) -> ClipOrder:
    """Read the ground truth, whose order is that of the released audio vectors.

    Raises:
        ModelError: a row does not have exactly one class.
        DownloadError: the file is not the released one.
    """
    verify(path, GROUND_TRUTH, read_listing(listing))
    with Path(path).open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    one_hot = np.array([[float(value) for value in row[1:]] for row in rows])  # (rows, classes)
    if not ((one_hot == 0) | (one_hot == 1)).all() or not (one_hot.sum(axis=1) == 1).all():
        raise ModelError(f"{path} has clips without a label, or with several.")
    return ClipOrder([row[0] for row in rows], one_hot.argmax(axis=1), header[1:])


def fetch_file(
    output: str | Path,
    *,
    path: str,
    base_url: str,
    listing: str | Path,
    mirror: str | Path | None,
    retries: int,
) -> None:
    """Fetch one released file.

    Args:
        output: where it goes.
        path: its path in the authors' repository.
        base_url: of the authors' repository at the pinned commit.
        listing: the list of released files, see `listing`.
        mirror: see `listenread.files.download.fetch`.
        retries: see `listenread.files.download.fetch`.

    Raises:
        DownloadError: it is not available, or not the released one.
    """
    file = read_listing(listing)[path]
    download.fetch(
        f"{base_url.rstrip('/')}/{path}",
        output,
        bytes=file.bytes,
        git_blob_sha1=file.git_blob_sha1,
        mirror=mirror,
        retries=retries,
    )


def verify(path: str | Path, released_path: str, files: Mapping[str, ReleasedFile]) -> None:
    """Check that a file is the released one.

    Args:
        path: the file.
        released_path: its path in the authors' repository.
        files: the list of released files, see `read_listing`.

    Raises:
        DownloadError: it has another git blob SHA-1.
    """
    expected, found = files[released_path].git_blob_sha1, checksum(path, "git_blob_sha1")
    if found != expected:
        raise DownloadError(
            f"{path} is not the released {released_path}: its git blob SHA-1 is {found} instead of "
            f"{expected}. Delete it and run again."
        )
