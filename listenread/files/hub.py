"""Fetching a repository of the Hugging Face hub: a model at a pinned revision, or a dataset.

Only the fetch rules ask the hub. Everything else reads local files (``local_files_only=True``).
"""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from listenread.errors import DownloadError

#: Files of a model, without other frameworks' weights.
MODEL_FILES = ("*.json", "*.txt", "*.safetensors", "pytorch_model.bin")
#: Files of a dataset of tables.
DATASET_FILES = ("*.parquet",)
#: Records the repository, the revision and the commit that it resolved to.
SOURCE_FILE = "source.json"
HOST = "huggingface.co"


def fetch_repository(
    folder: str | Path,
    *,
    repository: str,
    revision: str,
    mirror: str | Path | None,
    kind: Literal["model", "dataset"] = "model",
) -> None:
    """Fetch the files of a repository that a model or a dataset is loaded from.

    `SOURCE_FILE` in the folder records the commit; a mirror's revision is not checked.

    Args:
        folder: target folder; the repository's sub-folders are kept.
        repository: ``owner/name``.
        revision: the commit, 40 hexadecimal digits, or the name of a branch.
        mirror: a folder in ``wget -x`` layout. If it has
            ``huggingface.co/[datasets/]<repository>/resolve/<revision>/``, the hub is not asked.
        kind: the hub's repository type.

    Raises:
        DownloadError: the hub cannot be reached (also with ``HF_HUB_OFFLINE=1``) or has no such
            revision, or the mirror's folder has none of the files.
    """
    patterns = MODEL_FILES if kind == "model" else DATASET_FILES
    place = Path(HOST, *(["datasets"] if kind == "dataset" else []), repository)
    place = Path(mirror or "<mirror>", place, "resolve", revision)
    if mirror and place.is_dir():
        commit = revision
        _copy(place, Path(folder), patterns)
    else:
        commit = _download(Path(folder), repository, revision, kind, patterns, place)
    source = {"repository": repository, "revision": revision, "commit": commit}
    Path(folder, SOURCE_FILE).write_text(json.dumps(source, indent=2) + "\n", "utf-8")


def _copy(place: Path, folder: Path, patterns: Iterable[str]) -> None:
    found = sorted({path for pattern in patterns for path in place.rglob(pattern)})
    if not found:
        raise DownloadError(f"{place} has none of {', '.join(patterns)}")
    for path in found:
        target = folder / path.relative_to(place)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)


def _download(
    folder: Path,
    repository: str,
    revision: str,
    kind: str,
    patterns: Iterable[str],
    place: Path,
) -> str:
    """Download a snapshot; returns its commit."""
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.utils import httpx  # whichever HTTP library the hub's client uses

    try:
        commit = HfApi().repo_info(repository, revision=revision, repo_type=kind).sha
        snapshot_download(
            repository,
            revision=commit,
            repo_type=kind,
            local_dir=folder,
            allow_patterns=list(patterns),
        )
    except (OSError, httpx.HTTPError) as error:  # the hub's own errors are OSErrors
        raise DownloadError(
            f"{repository} at {revision} cannot be fetched from {HOST} ({error}). Without a "
            f"network, put its files into {place} and name the mirror in the configuration"
            + (", or name a `snapshot` folder." if kind == "model" else ".")
        ) from error
    return commit or revision
