"""A small audio tower under the same protocol: four strided convolutions, trained in a minute."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from listenread.models.muscall.front_end import LogMel
from listenread.models.muscall.sizes import AudioSizes


class SmallCNN(nn.Module):
    """Waveforms of shape (batch, samples) to pre-joint vectors of shape (batch, d_encoder).

    Four 3x3 convolutions of stride 2; then the mean and the maximum over time of every channel in
    every remaining frequency band, so that a vector knows where in frequency something happened.
    """

    def __init__(self, sizes: AudioSizes):
        super().__init__()
        self.spec = LogMel(sizes)
        stages, inputs = [], 1
        for stage in range(4):
            outputs = sizes.width << min(stage, 2)
            conv = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False)
            stages += [conv, nn.BatchNorm2d(outputs), nn.ReLU()]
            inputs = outputs
        self.stages = nn.Sequential(*stages)
        bands = -(-sizes.n_mels // 16)
        self.dropout = nn.Dropout(sizes.dropout)
        self.out = nn.Linear(2 * inputs * bands, sizes.d_encoder)

    def forward(self, waveforms: Tensor) -> Tensor:
        """Encode a batch of waveforms."""
        x = self.spec(waveforms)[:, None]  # (batch, 1, n_mels, frames)
        x = self.stages(x.contiguous(memory_format=torch.channels_last))
        x = x.flatten(1, 2)  # (batch, channels * bands, frames / 16)
        pooled = torch.cat([x.mean(dim=-1), x.amax(dim=-1)], dim=1)  # (batch, 2 channels * bands)
        return self.out(self.dropout(F.relu(pooled)))  # (batch, d_encoder)
