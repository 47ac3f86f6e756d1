"""Where a tower runs."""

from listenread.errors import ModelError


def resolve_device(device: str) -> str:
    """Turn ``auto`` into ``cuda`` where torch sees a GPU, else ``cpu``; check any other.

    Raises:
        ModelError: a GPU is asked for and torch sees none.
    """
    if device == "cpu":
        return device
    import torch

    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise ModelError(
            f"`embedding.device` is {device!r}, but torch sees no GPU here; `auto` or `cpu` "
            "would run."
        )
    return device
