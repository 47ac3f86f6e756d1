"""Inference with torch towers: arrays in, vectors out, in as large batches as fit."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from listenread.audio.base import AudioInput
from listenread.errors import ModelError
from listenread.models.base import Vectors


def encode_waveforms(
    tower: nn.Module, waveforms: np.ndarray, audio_input: AudioInput, device: torch.device
) -> Vectors:
    """Run waveforms through an audio tower that gives both vectors from one pass.

    Args:
        tower: maps float32 (batch, samples) to the pre-joint and the joint vectors.
        waveforms: float32 in [-1, 1], shape (batch, `audio_input.samples`).
        audio_input: what the tower wants.
        device: where the tower is.

    Raises:
        ValueError: another shape; preparing the clips is `listenread.audio.loading`'s.
    """
    if waveforms.ndim != 2 or waveforms.shape[1] != audio_input.samples:
        raise ValueError(
            f"waveforms need shape (batch, {audio_input.samples}), got {waveforms.shape}"
        )
    batch = torch.from_numpy(np.ascontiguousarray(waveforms, dtype=np.float32))
    if device.type == "cuda":  # pinned memory allows asynchronous copies
        batch = batch.pin_memory()
    with torch.inference_mode():
        return to_vectors(*tower(batch.to(device, non_blocking=True)))


def to_vectors(pre_joint: Tensor, joint: Tensor) -> Vectors:
    """Bring a tower's output to the CPU as float32 arrays."""
    return Vectors(pre_joint.float().cpu().numpy(), joint.float().cpu().numpy())


class Encoder:
    """Encodes batches, in parts from the first one that does not fit into memory.

    Attributes:
        largest: largest number of rows that is tried; None while every batch fits.
    """

    def __init__(self, encode: Callable[[np.ndarray], Vectors]):
        """Wrap a tower's `encode_audio`."""
        self.encode = encode
        self.largest: int | None = None

    def __call__(self, waveforms: np.ndarray) -> Vectors:
        """Encode waveforms of shape (batch, samples).

        Raises:
            ModelError: not even one row fits.
        """
        parts, start = [], 0
        while start < len(waveforms):
            rows = waveforms[start : start + (self.largest or len(waveforms))]
            try:
                parts.append(self.encode(rows))
            except Exception as error:
                if not _out_of_memory(error):
                    raise
                if len(rows) == 1:
                    raise ModelError(
                        f"a clip of {waveforms.shape[1]} samples does not fit into memory: {error}"
                    ) from error
                self.largest = len(rows) // 2
                torch.cuda.empty_cache()  # does nothing where CUDA is not in use
            else:
                start += len(rows)
        return Vectors(*(np.concatenate(vectors) for vectors in zip(*parts, strict=True)))


def _out_of_memory(error: Exception) -> bool:
    """Return whether memory ran out, on a GPU (a class of torch's) or a CPU (a message of it)."""
    texts = ("out of memory", "can't allocate memory", "not enough memory")
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and any(text in str(error) for text in texts)
    )
