"""Fetching what the paper's authors released: what can be had, and why the rest cannot."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from listenread import download, tables
from listenread.errors import DownloadError, UnreachableError
from listenread.models import registry, released
from listenread.models.base import AudioInput
from listenread.models.released import ReleasedFile, read_listing
from listenread.prompts import from_template


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
        mirror: see `listenread.download.fetch`.
        retries: see `listenread.download.fetch`.

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


def fetch_file(
    output: str | Path,
    *,
    path: str,
    base_url: str,
    listing: str | Path,
    mirror: str | Path | None,
    retries: int,
) -> None:
    """Fetch one released file, named by its path in the authors' repository.

    Raises:
        DownloadError: it cannot be had.
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


def read_audio(
    output: str | Path,
    *,
    folder: str | Path,
    ground_truth: str | Path,
    listing: str | Path,
    system: str,
    released_dataset: str | None,
    vocabulary: Sequence[str],
) -> None:
    """Write a dataset's released audio vectors, or a table that says that there are none.

    Args:
        output: the parquet file to write.
        folder: the fetched files.
        ground_truth: the released csv that says which clip a row is.
        listing: `resources/released_files.csv`.
        system: a folder of the released vectors.
        released_dataset: what the authors call the dataset; None where they did not embed it.
        vocabulary: labels in the order of the ground truth's columns.
    """
    if released_dataset is None:
        return tables.write_unavailable(output, "not released: the authors embedded TinySOL only")
    spaces = {
        space: _at_hand(folder, released.audio_path(system, space, released_dataset))
        for space in released.SPACES
    }
    released.released_audio(
        output,
        system=system,
        dataset=released_dataset,
        ground_truth=ground_truth,
        listing=listing,
        vocabulary=vocabulary,
        **spaces,
    )


def read_text(
    output: str | Path,
    *,
    folder: str | Path,
    listing: str | Path,
    system: str,
    prompt: str,
    labels: Sequence[str],
    words: Mapping[str, str],
    template: str | None,
) -> None:
    """Write a prompt's released text vectors, or a table that says that there are none.

    Args:
        output: the parquet file to write.
        folder: the fetched files.
        listing: `resources/released_files.csv`.
        system: a folder of the released vectors.
        prompt: our name of the prompt.
        labels: one per row of the released file.
        words: label -> its words, which fill the template in.
        template: where the texts are known; None for definitions and random sentences.
    """
    texts = None
    if template is not None and "{filler}" not in template:
        texts = [row.text for row in from_template(template, {x: words[x] for x in labels})]
    spaces = {
        space: _at_hand(folder, released.text_path(system, space, prompt))
        for space in released.SPACES
    }
    released.released_text(
        output,
        system=system,
        prompt=prompt,
        labels=labels,
        listing=listing,
        texts=texts,
        **spaces,
    )


def _at_hand(folder: str | Path, path: str) -> Path | None:
    """A fetched file, or None where it could not be had."""
    found = Path(folder) / path
    return found if found.is_file() else None
