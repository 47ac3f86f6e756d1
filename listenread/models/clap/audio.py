"""HTSAT audio tower: transformers' ``ClapAudioModel`` behind a front-end of our own."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers.models.clap.configuration_clap import ClapAudioConfig
from transformers.models.clap.modeling_clap import ClapAudioModel

from listenread.models.clap.front_end import LogMel
from listenread.models.clap.projection import Projection
from listenread.models.clap.sizes import Sizes


class AudioTower(nn.Module):
    """Front-end, hierarchical token-semantic transformer and projection into the joint space."""

    def __init__(self, sizes: Sizes):
        super().__init__()
        config = ClapAudioConfig(**sizes.audio_config)
        self.fusion = config.enable_fusion
        self.front_end = LogMel(sizes.front_end)
        self.audio_model = ClapAudioModel(config)
        self.audio_projection = Projection(
            config.hidden_size, sizes.d_joint, sizes.projection_activation
        )

    def forward(self, waveforms: Tensor) -> tuple[Tensor, Tensor]:
        """Pre-joint and joint vectors of waveforms of shape (batch, samples)."""
        # A fusion model is told that no clip is longer than its window: windows are cut before.
        longer = torch.zeros(len(waveforms), 1, dtype=torch.bool) if self.fusion else None
        features = self.front_end(waveforms)  # (batch, 1, frames, mel_bins)
        pre_joint = self.audio_model(features, is_longer=longer).pooler_output  # (batch, d_encoder)
        joint = self.audio_projection(pre_joint).float()  # (batch, d_joint)
        return pre_joint, F.normalize(joint, dim=-1)
