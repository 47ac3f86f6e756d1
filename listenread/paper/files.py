"""Files in the repository of the paper's authors: listed, fetched, verified, read as data.

Vasilakis, Bittner, Pauwels, ISMIR 2024, arXiv 2407.18058. `resources/released_files.csv` lists the
files of the authors' repository ``YannisBilly/i_can_listen_but_cannot_read`` at the pinned commit
with their git blob SHA-1.
"""

import csv
from pathlib import Path
from typing import NamedTuple

import numpy as np

from listenread.errors import DownloadError, ModelError
from listenread.files import download
from listenread.files.checksums import checksum
from listenread.files.material import Source

#: Folder of the package, from which its resources are found.
PACKAGE = Path(__file__).parents[1]
LISTING = PACKAGE / "resources" / "released_files.csv"
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
        classes: the class of each row, as a column of the one-hot labels, from 0.
        columns: the classes as the file calls them.
    """

    clip_ids: list[str]
    classes: np.ndarray
    columns: list[str]


def read_listing(listing: str | Path = LISTING) -> dict[str, ReleasedFile]:
    """Read the list of released files: path in the repository -> file."""
    with Path(listing).open(newline="", encoding="utf-8") as file:
        return {
            row["path"]: ReleasedFile(
                row["path"], row["git_blob_sha1"], int(row["bytes"]) if row["bytes"] else None
            )
            for row in csv.DictReader(file)
        }


def fetch_released(
    file: ReleasedFile, target: Path, source: Source, retries: int | None = None
) -> None:
    """Fetch a released file and verify it.

    Args:
        file: from `read_listing`.
        target: where it goes; its folder is created.
        source: where downloads come from.
        retries: of a failed request; those of `source` by default.

    Raises:
        DownloadError: it cannot be fetched, or is not the released file.
    """
    download.fetch(
        f"{source.released_url.rstrip('/')}/{file.path}",
        target,
        bytes=file.bytes,
        git_blob_sha1=file.git_blob_sha1,
        mirror=source.mirror,
        retries=source.retries if retries is None else retries,
    )


def verify(path: str | Path, file: ReleasedFile) -> None:
    """Check that a file is the released one.

    Raises:
        DownloadError: it is another file.
    """
    found = checksum(path, "git_blob_sha1")
    if found != file.git_blob_sha1:
        raise DownloadError(
            f"{path} is not the released {file.path}: its git blob SHA-1 is {found} instead of "
            f"{file.git_blob_sha1}. Delete it and run again."
        )


def read_clip_order(path: str | Path) -> ClipOrder:
    """Read the ground truth, whose order is that of the released audio vectors.

    Raises:
        ModelError: a row does not have exactly one class.
        DownloadError: the file is not the released one.
    """
    verify(path, read_listing()[GROUND_TRUTH])
    with Path(path).open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    one_hot = np.array([[float(value) for value in row[1:]] for row in rows])  # (n, C)
    if not ((one_hot == 0) | (one_hot == 1)).all() or not (one_hot.sum(axis=1) == 1).all():
        raise ModelError(f"{path} has clips without a label, or with several.")
    return ClipOrder([row[0] for row in rows], one_hot.argmax(axis=1), header[1:])
