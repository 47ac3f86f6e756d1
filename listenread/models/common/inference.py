"""What every family with torch towers does alike: arrays in, vectors out."""

import numpy as np
import torch
from torch import Tensor, nn

from listenread.models.base import AudioInput, Vectors


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
    if device.type == "cuda":  # from pinned memory a GPU fetches by itself
        batch = batch.pin_memory()
    with torch.inference_mode():
        return to_vectors(*tower(batch.to(device, non_blocking=True)))


def to_vectors(pre_joint: Tensor, joint: Tensor) -> Vectors:
    """Bring a tower's output to the CPU as float32 arrays."""
    return Vectors(pre_joint.float().cpu().numpy(), joint.float().cpu().numpy())
