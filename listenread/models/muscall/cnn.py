"""A small audio tower under the same protocol: four strided convolutions, trained in a minute."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from listenread.models.muscall.front_end import LogMel
from listenread.models.muscall.sizes import AudioSizes


def blank(x: Tensor, share: float, dim: int) -> Tensor:
    """Set a stretch of one dimension to 0, at a place of its own for each element of the batch."""
    length = x.shape[dim]
    width = round(length * share)
    shape = [1] * x.ndim
    shape[0] = len(x)
    start = torch.randint(length - width + 1, shape, device=x.device)
    shape[0], shape[dim] = 1, length
    place = torch.arange(length, device=x.device).view(shape)
    return x.masked_fill((place >= start) & (place < start + width), 0.0)


class SmallCNN(nn.Module):
    """Waveforms of shape (batch, samples) to pre-joint vectors of shape (batch, d_encoder).

    Four 3x3 convolutions of stride 2; then the mean and the maximum over time of every channel in
    every remaining frequency band, so that a vector knows where in frequency something happened.
    """

    def __init__(self, sizes: AudioSizes):
        super().__init__()
        self.spec = LogMel(sizes)
        self.mask = sizes.mask
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
        x = self.spec(waveforms)[:, None]
        if self.training and self.mask:
            x = blank(blank(x, self.mask, dim=2), self.mask, dim=3)
        x = self.stages(x.contiguous(memory_format=torch.channels_last)).flatten(1, 2)
        pooled = torch.cat([x.mean(dim=-1), x.amax(dim=-1)], dim=1)
        return self.out(self.dropout(F.relu(pooled)))
