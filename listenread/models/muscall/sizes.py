"""Sizes of both towers, as they stand in a prepared model's ``model.json``."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Annotated, Any, Literal

from pydantic import Field

from listenread.audio.base import AudioInput
from listenread.errors import ModelError


@dataclass(frozen=True)
class AudioSizes:
    """Front-end and architecture of an audio tower; the defaults are the public configuration."""

    kind: Annotated[
        Literal["resnet", "cnn"],
        Field(
            description="`resnet` is MusCALL's; `cnn` is four strided convolutions, trained in "
            "a minute."
        ),
    ] = "resnet"
    sample_rate: Annotated[int, Field(ge=1000, description="In Hz.")] = 16000
    clip_seconds: Annotated[float, Field(gt=0, description="Length of the input.")] = 20.0
    cropping: Annotated[
        Literal["first", "centre"],
        Field(description="What is kept of a longer clip; a shorter one is filled with zeros."),
    ] = "centre"
    n_fft: Annotated[
        int, Field(ge=16, description="Samples of the Fourier transform and of its Hann window.")
    ] = 1024
    hop: Annotated[int, Field(ge=1, description="Samples between frames.")] = 512
    n_mels: Annotated[int, Field(ge=1, description="Mel bands.")] = 128
    f_min: Annotated[float, Field(ge=0, description="Lower edge of the lowest band, in Hz.")] = 0.0
    f_max: Annotated[
        float,
        Field(
            gt=0,
            description="Upper edge of the highest band, in Hz; MusCALL's lies above the Nyquist "
            "frequency.",
        ),
    ] = 11025.0
    top_db: Annotated[
        float,
        Field(gt=0, description="Range of the log spectrogram below a clip's maximum, in dB."),
    ] = 100.0
    relative_db: Annotated[
        bool,
        Field(
            description="Scale the log spectrogram to [0, 1] below the clip's maximum, "
            "which makes the tower blind to gain."
        ),
    ] = False
    width: Annotated[int, Field(ge=1, description="Channels of the first stage.")] = 16
    blocks: Annotated[
        tuple[int, int, int, int],
        Field(description="Bottleneck blocks of each stage of a `resnet`."),
    ] = (3, 4, 6, 3)
    heads: Annotated[
        int, Field(ge=1, description="Attention heads of the pooling of a `resnet`.")
    ] = 8
    d_encoder: Annotated[int, Field(ge=1, description="Dimension of the pre-joint vector.")] = 256
    dropout: Annotated[
        float, Field(ge=0, lt=1, description="Before the last layer of a `cnn`.")
    ] = 0.0

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
    """Architecture of the text tower; the defaults are the public configuration."""

    vocabulary: Annotated[
        int,
        Field(description="Number of token ids; the largest ends a text. Set from the tokenizer."),
    ] = 49408
    max_tokens: Annotated[int, Field(ge=2, description="Longest text, its end included.")] = 77
    d_encoder: Annotated[
        int,
        Field(ge=1, description="Width of the transformer and dimension of the pre-joint vector."),
    ] = 512
    layers: Annotated[int, Field(ge=1, description="Transformer blocks.")] = 4
    heads: Annotated[int, Field(ge=1, description="Attention heads.")] = 8
    dropout: Annotated[float, Field(ge=0, lt=1, description="In training.")] = 0.2


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
