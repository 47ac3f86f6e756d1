"""The two-tower protocol: what a model must offer to be evaluated.

A *family* is a class. `registry.load` makes an instance for one tower at a time, because a text job
never needs the audio tower. Both vectors of a clip or a text come from one forward pass.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np

from listenread.audio.base import AudioInput

Tower = Literal["audio", "text"]
LoadTower = Literal["audio", "text", "both"]


class Vectors(NamedTuple):
    """Vectors of a batch, before and after the projection into the joint space.

    Attributes:
        pre_joint: float32, shape (batch, d_encoder): what the encoder gives, not normalised.
        joint: float32, shape (batch, d_joint): after the projection, L2-normalised.
    """

    pre_joint: np.ndarray
    joint: np.ndarray


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


class Family(TwoTower, Protocol):
    """How `registry.load` makes a model: the contract of a family, one's own included.

    A prepared model is a folder with a ``model.json``, which names its family and its `AudioInput`,
    and with whatever else the family reads; ours hold ``audio_tower.safetensors``,
    ``text_tower.safetensors`` and ``tokenizer.json``. A family of one's own is named
    ``package.module:Class``. It needs no prepared weights: `registry.prepare_own` writes its
    ``model.json`` from the class attribute `audio_input` and from options.
    """

    def __init__(
        self, model_dir: Path, description: Mapping[str, Any], *, tower: LoadTower, device: str
    ):
        """Load one tower or both for inference.

        Args:
            model_dir: folder of the prepared model.
            description: the mapping in its ``model.json``; a family of one's own finds its options
                under ``options``.
            tower: what will be used; the files of another tower must not be read.
            device: a torch device such as ``cpu`` or ``cuda:0``.

        Raises:
            ModelError: a file is missing, damaged or not of this family.
        """
        ...
