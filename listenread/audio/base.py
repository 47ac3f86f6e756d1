"""What the audio loader is told: the input format of a tower, and where a clip is."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

#: Resamplers: quality presets of the soxr library, from fast to good, and torchaudio's own.
Resampler = Literal["QQ", "LQ", "MQ", "HQ", "VHQ", "torchaudio"]


@dataclass(frozen=True)
class AudioInput:
    """The input format of an audio tower; `audio.loading` prepares clips accordingly.

    Attributes:
        sample_rate: in Hz.
        clip_seconds: the fixed length of a tower's input, in seconds.
        padding: how shorter clips are filled: ``zeros`` at the end, or ``repeat_pad``, as many
            whole repeats as fit, then zeros (LAION-CLAP's ``repeatpad``).
        cropping: which part of longer clips is kept: ``first``, ``centre``, or
            ``mean_of_windows``, the mean vector of consecutive windows.
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


class ClipFile(Protocol):
    """What the loader reads of a clip, such as `listenread.datasets.manifest.Clip`."""

    @property
    def clip_id(self) -> str:
        """Name of the clip in errors."""
        ...

    @property
    def path(self) -> Path:
        """The sound file."""
        ...

    @property
    def sha256(self) -> str:
        """Checksum of the file when the manifest was made."""
        ...
