"""Degradations of the clips of a dataset: each chosen by name, with a level and a seed."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from listenread.audio.degradations.base import DEGRADATIONS
from listenread.errors import DataError

#: Called with a float32 waveform of shape (frames,), its sample rate in Hz, and the `clip_id`;
#: returns a float32 waveform of shape (frames,).
Degrade = Callable[[np.ndarray, int, str], np.ndarray]


def clip_seed(seed: int, clip_id: str) -> int:
    """Derive the seed of a clip, which does not depend on the other clips or on their order.

    >>> clip_seed(0, "violin-60")
    16374524586328861872
    """
    digest = hashlib.sha256(f"{seed}/{clip_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big")


def degrader(
    name: str, level: float, seed: int = 0, options: Mapping[str, Any] | None = None
) -> Degrade:
    """Make a function that degrades a clip.

    Args:
        name: of a built-in degradation, or ``package.module:NAME``.
        level: what it means is said by the degradation.
        seed: of the random numbers; each clip has its own, see `clip_seed`.
        options: settings of the degradation; the defaults where they are not given.

    Raises:
        ConfigError: there is no such degradation, or it breaks its contract.
    """
    degradation = DEGRADATIONS.find(name)
    settings = degradation.settings.model_validate(dict(options or {}))

    def degrade(waveform: np.ndarray, sample_rate: int, clip_id: str) -> np.ndarray:
        result = degradation.apply(waveform, sample_rate, level, clip_seed(seed, clip_id), settings)
        if not isinstance(result, np.ndarray) or result.dtype != np.float32 or result.ndim != 1:
            raise DataError(
                f"clip {clip_id!r}: the degradation `{name}` must return a float32 waveform of "
                f"shape (frames,), not {_shape(result)}"
            )
        if not len(result) or not np.isfinite(result).all():
            raise DataError(
                f"clip {clip_id!r}: the degradation `{name}` at level {level:g} leaves no sound, "
                "or values that are not finite"
            )
        return result

    return degrade


def chain(degradations: Sequence[Mapping[str, Any]]) -> Degrade | None:
    """Make a function that applies several degradations, each to the result of the one before.

    Args:
        degradations: arguments of `degrader`, as in `Manifest.degradations`.

    Returns:
        None where there are none.
    """
    steps = [degrader(**arguments) for arguments in degradations]
    if not steps:
        return None

    def degrade(waveform: np.ndarray, sample_rate: int, clip_id: str) -> np.ndarray:
        for step in steps:
            waveform = step(waveform, sample_rate, clip_id)
        return waveform

    return degrade


def _shape(result: Any) -> str:
    if isinstance(result, np.ndarray):
        return f"{result.dtype} of shape {result.shape}"
    return type(result).__name__
