"""Fetching what the paper's authors released: what can be had, and why the rest cannot."""

from pathlib import Path

from listenread.errors import DownloadError, UnreachableError
from listenread.files import download
from listenread.models import registry
from listenread.models.base import AudioInput
from listenread.paper.files import ReleasedFile, read_listing


def fetch_system(
    folder: str | Path,
    model_dir: str | Path,
    *,
    system: str,
    base_url: str,
    listing: str | Path,
    mirror: str | Path | None,
    retries: int,
) -> None:
    """Fetch all vectors of a released system, each verified by its git blob SHA-1.

    A file that cannot be had is no error: its cells will say so. They are named in ``model.json``
    under ``absent``, each with the reason.

    Args:
        folder: where the files go, under their paths in the authors' repository.
        model_dir: gets the ``model.json``.
        system: a folder of the released vectors, e.g. ``muscall``.
        base_url: of the authors' repository at the pinned commit.
        listing: `resources/released_files.csv`.
        mirror: see `listenread.files.download.fetch`.
        retries: see `listenread.files.download.fetch`.

    Raises:
        DownloadError: the listing has no such system, or a file is not the released one.
    """
    prefix = f"model_embeddings/{system}/"
    wanted = [file for path, file in read_listing(listing).items() if path.startswith(prefix)]
    if not wanted:
        raise DownloadError(f"{listing} has no files of a system {system!r}.")
    Path(folder).mkdir(parents=True, exist_ok=True)
    absent: dict[str, str] = {}
    unreachable = False
    for file in wanted:
        reason = _fetch(file, Path(folder), base_url, mirror, 0 if unreachable else retries)
        if reason is not None:
            unreachable = unreachable or isinstance(reason, UnreachableError)
            absent[file.path] = str(reason)
    registry.write_description(
        model_dir,
        "released",
        AudioInput(sample_rate=0, clip_seconds=0.0),
        system=system,
        source=base_url,
        files=len(wanted) - len(absent),
        absent=absent,
    )


def _fetch(
    file: ReleasedFile, folder: Path, base_url: str, mirror: str | Path | None, retries: int
) -> DownloadError | None:
    try:
        download.fetch(
            f"{base_url.rstrip('/')}/{file.path}",
            folder / file.path,
            bytes=file.bytes,
            git_blob_sha1=file.git_blob_sha1,
            mirror=mirror,
            retries=retries,
        )
    except DownloadError as error:
        return error
    return None
