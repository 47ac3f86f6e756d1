"""Where a tower runs."""

import fcntl
import os
import tempfile
from pathlib import Path
from typing import IO

from listenread.errors import ModelError

#: The GPU that this process holds: its index, and the lock that goes when the process ends.
_held: list[tuple[int, IO | None]] = []


def resolve_device(device: str) -> str:
    """Turn ``auto`` into ``cuda`` where torch sees a GPU, else ``cpu``; check any other.

    Where torch sees several GPUs, as on one machine with ``--resources gpu=N``, jobs that run at
    the same time get one each: see `claim_gpu`. A scheduler such as Slurm shows a job only its own.

    Raises:
        ModelError: a GPU is asked for and torch sees none.
    """
    if device == "cpu":
        return device
    import torch

    if device.startswith("cuda") and not torch.cuda.is_available():
        raise ModelError(
            f"`embedding.device` is {device!r}, but torch sees no GPU here; `auto` or `cpu` "
            "would run."
        )
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and torch.cuda.device_count() > 1:
        return f"cuda:{claim_gpu(torch.cuda.device_count())}"
    return device


def device_type(device: str) -> str:
    """Say ``cuda`` of ``cuda:1``, as files do: which of several GPUs it was is not their matter."""
    return device.partition(":")[0]


def claim_gpu(count: int, folder: str | Path | None = None) -> int:
    """Choose a GPU that no other process of this user has chosen in this way.

    The claim is a lock on a file, which the system releases however the process ends. A process
    keeps its GPU: asked again, it gets the same.

    Args:
        count: GPUs that are visible, at least 1.
        folder: where the locks are; the folder of temporary files by default.

    Returns:
        Its index, 0 to ``count - 1``; where all are taken, one that is shared.
    """
    if not _held:
        _held.append(_first_free(count, Path(folder or tempfile.gettempdir())))
    return _held[0][0]


def _first_free(count: int, folder: Path) -> tuple[int, IO | None]:
    # Indices count the visible GPUs, which another process may number otherwise.
    names = [name for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name]
    names = names if len(names) == count else [str(index) for index in range(count)]
    for index, name in enumerate(names):
        lock = (folder / f"listenread-{os.getuid()}-gpu-{name.strip()}.lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
        else:
            return index, lock
    return os.getpid() % count, None
