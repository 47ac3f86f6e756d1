"""How loud a clip is in what a tower hears of it, which may be silent where the clip is not."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from listenread.audio.loading import Batch

#: Column of tables of audio vectors: the peak of what the tower hears, in dB below full scale.
HEARD = "heard_dbfs"


def noting_peaks(batches: "Iterable[Batch]", peaks: np.ndarray) -> "Iterator[Batch]":
    """Pass batches on, and raise the peak of each clip, shape (clips,), to that of its windows."""
    for batch in batches:
        np.maximum.at(peaks, batch.clips, np.abs(batch.waveforms).max(axis=1))
        yield batch


def decibels(peaks: np.ndarray) -> np.ndarray:
    """Turn peaks into dB below full scale, float32; silence is -infinity."""
    with np.errstate(divide="ignore"):
        return (20 * np.log10(peaks)).astype(np.float32)
