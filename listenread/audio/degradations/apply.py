"""Degradations of the clips that a loader decodes."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from listenread.audio.degradations.base import DEGRADATIONS
from listenread.errors import DataError


def degrader(
    degradation: str, level: float, seed: int, options: Mapping[str, Any]
) -> Callable[[np.ndarray, int, str], np.ndarray]:
    """Make the function that degrades a clip.

    Args:
        degradation: its name, or ``package.module:NAME``.
        level: in its own unit.
        seed: of the whole dataset.
        options: its settings.

    Returns:
        Called with a mono float32 waveform, shape (frames,), its sample rate in Hz and the clip's
        id; gives a float32 waveform. A clip's seed depends on `seed` and its id alone, whatever the
        order or the batch that it comes in.
    """
    entry = DEGRADATIONS.find(degradation)
    settings = entry.settings(**options)

    def degrade(waveform: np.ndarray, sample_rate: int, clip_id: str) -> np.ndarray:
        own = hashlib.sha256(f"{seed}/{clip_id}".encode()).digest()
        changed = entry.apply(
            waveform, sample_rate, level, int.from_bytes(own[:8], "big"), settings
        )
        if changed.dtype != np.float32 or changed.ndim != 1 or not len(changed):
            raise DataError(
                f"the degradation `{entry.name}` gave {changed.dtype} of shape {changed.shape}; "
                "float32 of shape (frames,) is needed"
            )
        return changed

    return degrade
