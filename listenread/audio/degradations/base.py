"""The contract of a degradation: what happens to a clip between decoding and the tower."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from listenread.entries import Registry
from listenread.settings import NoSettings, Settings


@dataclass(frozen=True)
class Degradation:
    """One way in which a recording can be worse than it was made.

    It is applied to the decoded mono waveform at the file's own sample rate, before resampling,
    cropping and padding, and it is a pure function: the same clip, level and seed give the same
    waveform.

    Attributes:
        name: in the configuration.
        title: in tables and figures.
        level: what the level is, with its unit, e.g. ``gain in dB``.
        apply: called as ``apply(waveform, sample_rate, level, seed, settings)`` with a float32
            waveform of shape (frames,), the rate in Hz, the level, an integer seed that differs
            from clip to clip, and the settings; returns a float32 waveform of shape (frames,), the
            number of frames may differ.
        examples: sensible levels, from mild to severe; at least two.
        settings: what else can be chosen.
        reference: where the definition comes from.
        renamed_from: names that it had before.
    """

    name: str
    title: str
    level: str
    apply: Callable[[np.ndarray, int, float, int, Any], np.ndarray]
    reference: str
    examples: tuple[float, ...]
    settings: type[Settings] = NoSettings
    renamed_from: tuple[str, ...] = ()

    def problems(self) -> list[str]:
        """List what breaks the contract."""
        found = [
            f"`{key}` is empty" for key in ("title", "level", "reference") if not getattr(self, key)
        ]
        if len(set(self.examples)) < 2:
            found.append("`examples` needs at least two levels")
        if not (isinstance(self.settings, type) and issubclass(self.settings, Settings)):
            found.append("`settings` is not a subclass of `listenread.settings.Settings`")
        if not callable(self.apply):
            found.append("`apply` cannot be called")
        return found


DEGRADATIONS: Registry[Degradation] = Registry(
    "degradation", Degradation, "listenread.audio.degradations"
)
