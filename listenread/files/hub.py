"""Fetching a repository of the Hugging Face hub: a model at a pinned revision, or a dataset."""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from listenread.errors import DownloadError

#: What a model is loaded from; no other framework's weights.
MODEL_FILES = ("*.json", "*.txt", "*.safetensors", "pytorch_model.bin")
#: What a dataset of tables consists of.
DATASET_FILES = ("*.parquet",)
#: Written beside the files: where they came from, and the commit that the revision stood for.
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

    `SOURCE_FILE` in the folder says which commit was fetched; a mirror is taken at its word.

    Args:
        folder: where they go, in the repository's own sub-folders.
        repository: ``owner/name``.
        revision: the commit, 40 hexadecimal digits, or the name of a branch.
        mirror: a folder in `wget -x` layout; its
            ``huggingface.co/[datasets/]<repository>/resolve/<revision>/`` is taken in place of the
            hub, where it is there.
        kind: what the hub calls the repository's type.

    Raises:
        DownloadError: the hub cannot be reached, or has no such revision, or the mirror's folder
            has no file of the kind.
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
    from httpx2 import HTTPError
    from huggingface_hub import HfApi, constants, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

    # Read from the environment at the library's import; this is the one job that may ask the hub.
    offline, constants.HF_HUB_OFFLINE = constants.HF_HUB_OFFLINE, False
    try:
        commit = HfApi().repo_info(repository, revision=revision, repo_type=kind).sha
        snapshot_download(
            repository,
            revision=commit,
            repo_type=kind,
            local_dir=folder,
            allow_patterns=list(patterns),
        )
    except (
        HfHubHTTPError,
        HTTPError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        OSError,
    ) as error:
        raise DownloadError(
            f"{repository} at {revision} cannot be fetched from {HOST} ({error}). Without a "
            f"network, put its files into {place} and name the mirror in the configuration"
            + (", or name a `snapshot` folder." if kind == "model" else ".")
        ) from error
    finally:
        constants.HF_HUB_OFFLINE = offline
    return commit
