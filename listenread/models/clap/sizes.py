"""Sizes of a CLAP model's towers, as they stand in its ``model.json``."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from listenread.errors import ModelError


@dataclass(frozen=True)
class FrontEndSizes:
    """Log-mel front-end; the defaults are LAION-CLAP's, whose mel filters are in the checkpoint.

    Attributes:
        n_fft: length of the Fourier transform and of its Hann window, in samples.
        hop: step between frames, in samples.
        mel_bins: number of mel bands.
    """

    n_fft: int = 1024
    hop: int = 480
    mel_bins: int = 64


@dataclass(frozen=True)
class TextSizes:
    """Architecture of the text tower; the defaults are RoBERTa-base.

    Attributes:
        vocabulary: number of token ids.
        max_tokens: longest text, with its first and last token; longer ones are cut.
        positions: rows of the position embedding, of which the first `pad_id` + 1 are not used.
        d_encoder: width of the transformer and dimension of the pre-joint vector.
        d_feed_forward: width inside the feed-forward blocks.
        layers: number of transformer blocks.
        heads: attention heads.
        pad_id: token id that takes no position.
        layer_norm_eps: added to the variance in layer norms.
    """

    vocabulary: int = 50265
    max_tokens: int = 77
    positions: int = 514
    d_encoder: int = 768
    d_feed_forward: int = 3072
    layers: int = 12
    heads: int = 12
    pad_id: int = 1
    layer_norm_eps: float = 1e-5


@dataclass(frozen=True)
class Sizes:
    """Sizes of a CLAP model.

    Attributes:
        audio_config: arguments of transformers' ``ClapAudioConfig``.
        front_end: the log-mel front-end.
        text: the text tower.
        d_joint: dimension of the joint space.
        projection_activation: between the two linear layers of a projection, ``relu`` or ``gelu``.
    """

    audio_config: Mapping[str, Any]
    front_end: FrontEndSizes
    text: TextSizes
    d_joint: int = 512
    projection_activation: str = "relu"

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Sizes":
        """Read sizes as `to_dict` writes them.

        Raises:
            ModelError: a name is missing or not one of ours.
        """
        parts = {"front_end": FrontEndSizes, "text": TextSizes}
        try:
            given = {
                name: parts[name](**value) if name in parts else value
                for name, value in values.items()
            }
            return cls(**given)
        except TypeError as error:
            names = ", ".join(field.name for field in fields(cls))
            raise ModelError(
                f"sizes of a CLAP model cannot be used ({error}); they are {names}."
            ) from error

    def to_dict(self) -> dict[str, Any]:
        """Sizes as a mapping for JSON."""
        return asdict(self)
