"""Sizes of both towers, as they stand in a prepared model's ``model.json``."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from listenread.audio.base import AudioInput
from listenread.errors import ModelError


@dataclass(frozen=True)
class AudioSizes:
    """Front-end and architecture of an audio tower; the defaults are the public configuration.

    Attributes:
        kind: ``resnet``, MusCALL's CLIP-style ResNet with attention pooling, or ``cnn``, four
            strided convolutions for models that must be trained in a minute.
        sample_rate: in Hz.
        clip_seconds: length of the input, in seconds.
        cropping: what is kept of a longer clip; a shorter one is filled with zeros at the end.
        n_fft: length of the Fourier transform and of its Hann window, in samples.
        hop: step between frames, in samples.
        n_mels: number of mel bands.
        f_min: lower edge of the lowest band, in Hz.
        f_max: upper edge of the highest band, in Hz; MusCALL's lies above the Nyquist frequency.
        top_db: range of the log spectrogram below a clip's own maximum, in dB.
        relative_db: scale the log spectrogram to [0, 1] below the clip's maximum, which makes a
            tower blind to gain; MusCALL feeds plain decibels.
        width: channels of the first stage; each of the four stages doubles it.
        blocks: bottleneck blocks of each stage (``resnet`` only).
        heads: attention heads of the pooling (``resnet`` only).
        d_encoder: dimension of the pre-joint vector.
        dropout: before the last linear layer (``cnn`` only).
    """

    kind: Literal["resnet", "cnn"] = "resnet"
    sample_rate: int = 16000
    clip_seconds: float = 20.0
    cropping: Literal["first", "centre"] = "centre"
    n_fft: int = 1024
    hop: int = 512
    n_mels: int = 128
    f_min: float = 0.0
    f_max: float = 11025.0
    top_db: float = 100.0
    relative_db: bool = False
    width: int = 16
    blocks: tuple[int, int, int, int] = (3, 4, 6, 3)
    heads: int = 8
    d_encoder: int = 256
    dropout: float = 0.0

    @property
    def audio_input(self) -> AudioInput:
        """What the tower wants to be fed with."""
        return AudioInput(self.sample_rate, self.clip_seconds, "zeros", self.cropping)

    @property
    def frames(self) -> int:
        """Number of frames of a clip's centred spectrogram."""
        return self.audio_input.samples // self.hop + 1


@dataclass(frozen=True)
class TextSizes:
    """Architecture of the text tower; the defaults are the public configuration.

    Attributes:
        vocabulary: number of token ids; the largest id ends a text.
        max_tokens: longest text, its end included; longer ones are cut.
        d_encoder: width of the transformer and dimension of the pre-joint vector.
        layers: number of transformer blocks.
        heads: attention heads.
        dropout: on attention weights and after each linear layer of a block, in training.
    """

    vocabulary: int = 49408
    max_tokens: int = 77
    d_encoder: int = 512
    layers: int = 4
    heads: int = 8
    dropout: float = 0.2


@dataclass(frozen=True)
class Sizes:
    """Sizes of a two-tower model.

    Attributes:
        audio: the audio tower.
        text: the text tower.
        d_joint: dimension of the joint space.
    """

    audio: AudioSizes = field(default_factory=AudioSizes)
    text: TextSizes = field(default_factory=TextSizes)
    d_joint: int = 512

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Sizes":
        """Read sizes as `to_dict` writes them; what is left out is the public configuration's.

        Raises:
            ModelError: a name is not one of ours.
        """
        unknown = set(values) - {"audio", "text", "d_joint"}
        parts = {}
        for name, part in (("audio", AudioSizes), ("text", TextSizes)):
            given = dict(values.get(name, {}))
            unknown |= {f"{name}.{key}" for key in set(given) - {f.name for f in fields(part)}}
            parts[name] = given
        if unknown:
            raise ModelError(f"unknown sizes of a muscall model: {', '.join(sorted(unknown))}.")
        if "blocks" in parts["audio"]:
            parts["audio"]["blocks"] = tuple(parts["audio"]["blocks"])
        audio, text = AudioSizes(**parts["audio"]), TextSizes(**parts["text"])
        return cls(audio, text, values.get("d_joint", cls.d_joint))

    def to_dict(self) -> dict[str, Any]:
        """Sizes as a mapping for JSON."""
        return asdict(self)
