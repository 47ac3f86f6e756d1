"""The two-tower protocol: what a model must offer to be evaluated.

A *family* is a class. `registry.load` makes an instance for one tower at a time, because a text job
never needs the audio tower. Both vectors of a clip or a text come from one forward pass.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np

Tower = Literal["audio", "text"]


class Vectors(NamedTuple):
    """Vectors of a batch, before and after the projection into the joint space.

    Attributes:
        pre_joint: float32, shape (batch, d_encoder): what the encoder gives, not normalised.
        joint: float32, shape (batch, d_joint): after the projection, L2-normalised.
    """

    pre_joint: np.ndarray
    joint: np.ndarray


@dataclass(frozen=True)
class AudioInput:
    """What an audio tower wants to be fed with; `listenread.audio` prepares clips accordingly.

    Attributes:
        sample_rate: in Hz.
        clip_seconds: the fixed length of a tower's input, in seconds.
        padding: what a shorter clip is filled with: ``zeros`` at the end, or ``repeat_pad``, as many
            whole repeats as fit, then zeros (LAION-CLAP's ``repeatpad``).
        cropping: what is kept of a longer clip: ``first``, ``centre``, or ``mean_of_windows``, the
            mean vector of consecutive windows.
        quantise_int16: round to 16-bit integers and back before anything else, as LAION-CLAP does.
    """

    sample_rate: int
    clip_seconds: float
    padding: Literal["zeros", "repeat_pad"] = "zeros"
    cropping: Literal["first", "centre", "mean_of_windows"] = "centre"
    quantise_int16: bool = False

    @property
    def samples(self) -> int:
        """Length of a tower's input in samples."""
        return round(self.sample_rate * self.clip_seconds)


@runtime_checkable
class TwoTower(Protocol):
    """An audio tower and a text tower with one joint space.

    Vectors must be the same whatever the batch that they came in, and the same on every call.
    """

    audio_input: AudioInput

    def encode_audio(self, waveforms: np.ndarray) -> Vectors:
        """Encode float32 waveforms in [-1, 1], shape (batch, `audio_input.samples`)."""
        ...

    def encode_text(self, texts: list[str]) -> Vectors:
        """Encode a batch of texts."""
        ...
