"""Gain: the whole clip is made louder or softer, and nothing else is changed."""

import numpy as np

from listenread.audio.degradations.base import Degradation
from listenread.settings import NoSettings


def apply(
    waveform: np.ndarray, sample_rate: int, level: float, seed: int, settings: NoSettings
) -> np.ndarray:
    """Multiply a waveform by a gain of `level` dB; values beyond full scale are kept.

    >>> apply(np.array([0.5, -1.0], np.float32), 8000, -20.0, 0, NoSettings()).round(3).tolist()
    [0.05000000074505806, -0.10000000149011612]
    """
    return waveform * np.float32(10 ** (level / 20))


GAIN = Degradation(
    name="gain",
    title="Gain",
    level="gain in dB",
    apply=apply,
    reference="definition of the decibel, ISO 80000-3",
    examples=(-6.0, -20.0, -40.0),
)
