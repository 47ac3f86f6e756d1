"""Fetching a whole repository of the Hugging Face hub at a pinned revision."""

import shutil
from pathlib import Path

from listenread.errors import DownloadError

#: What is fetched of a repository: everything a model is loaded from, no other framework's weights.
PATTERNS = ("*.json", "*.txt", "*.safetensors", "pytorch_model.bin")
HOST = "huggingface.co"


def fetch_repository(
    folder: str | Path, *, repository: str, revision: str, mirror: str | Path | None
) -> None:
    """Fetch the files of a repository that a model is loaded from.

    Args:
        folder: where they go.
        repository: ``owner/name``.
        revision: the commit, 40 hexadecimal digits.
        mirror: a folder in `wget -x` layout; its
            ``huggingface.co/<repository>/resolve/<revision>/`` is taken in place of the hub, where
            it is there.

    Raises:
        DownloadError: the hub cannot be reached, or has no such revision.
    """
    mirrored = Path(mirror, HOST, repository, "resolve", revision) if mirror else None
    if mirrored is not None and mirrored.is_dir():
        for pattern in PATTERNS:
            for source in sorted(mirrored.glob(pattern)):
                Path(folder).mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, Path(folder, source.name))
        return
    # Set at import of the library: this is the one job that may ask the hub.
    import huggingface_hub.constants as constants
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

    constants.HF_HUB_OFFLINE = False
    try:
        snapshot_download(
            repository, revision=revision, local_dir=folder, allow_patterns=list(PATTERNS)
        )
    except (HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled, OSError) as error:
        place = mirrored or Path("<mirror>", HOST, repository, "resolve", revision)
        raise DownloadError(
            f"{repository} at {revision} cannot be fetched from {HOST} ({error}). Without a "
            f"network, put its files into {place} and name the mirror in the configuration, or "
            "name a `snapshot` folder."
        ) from error
