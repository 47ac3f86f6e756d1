"""MusCALL's audio tower: a CLIP-style ResNet over a log-mel spectrogram.

Radford et al., "Learning transferable visual models from natural language supervision", ICML 2021,
section 2.4: three convolutions as a stem, strides by average pooling, attention pooling at the end.
"""

from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from listenread.errors import ModelError
from listenread.models.muscall.front_end import LogMel
from listenread.models.muscall.sizes import AudioSizes

EXPANSION = 4


class Bottleneck(nn.Module):
    """Residual block of 1x1, 3x3 and 1x1 convolutions."""

    def __init__(self, inputs: int, width: int, stride: int):
        super().__init__()
        outputs = width * EXPANSION
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.stride = nn.AvgPool2d(stride) if stride > 1 else nn.Identity()
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride > 1 or inputs != outputs:
            # named so that the convolution and its norm are `downsample.0` and `downsample.1`
            pool, conv = nn.AvgPool2d(stride), nn.Conv2d(inputs, outputs, 1, bias=False)
            layers = [("-1", pool), ("0", conv), ("1", nn.BatchNorm2d(outputs))]
            self.downsample = nn.Sequential(OrderedDict(layers))

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, inputs, mels, frames) to (batch, 4 width, mels / s, frames / s), stride s."""
        shortcut = x if self.downsample is None else self.downsample(x)
        x = F.relu(self.bn1(self.conv1(x)))  # (batch, width, mels, frames)
        x = self.stride(F.relu(self.bn2(self.conv2(x))))  # (batch, width, mels / s, frames / s)
        return F.relu(self.bn3(self.conv3(x)) + shortcut)  # (batch, 4 width, mels / s, frames / s)


class AttentionPool(nn.Module):
    """Attention of the mean token over itself and all positions."""

    def __init__(self, positions: int, width: int, heads: int, outputs: int):
        super().__init__()
        self.heads = heads
        self.positional_embedding = nn.Parameter(torch.randn(positions + 1, width) / width**0.5)
        self.k_proj = nn.Linear(width, width)
        self.q_proj = nn.Linear(width, width)
        self.v_proj = nn.Linear(width, width)
        self.c_proj = nn.Linear(width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, width, mels, frames) to (batch, outputs)."""
        tokens = x.flatten(2).transpose(1, 2)  # (batch, mels * frames, width)
        tokens = torch.cat([tokens.mean(dim=1, keepdim=True), tokens], dim=1)  # one token more
        tokens = tokens + self.positional_embedding
        batch, _, width = tokens.shape

        def split(projected: Tensor) -> Tensor:
            return projected.view(batch, -1, self.heads, width // self.heads).transpose(1, 2)

        query = split(self.q_proj(tokens[:, :1]))  # (batch, heads, 1, head_width)
        key, value = split(self.k_proj(tokens)), split(self.v_proj(tokens))
        pooled = F.scaled_dot_product_attention(query, key, value)  # (batch, heads, 1, head_width)
        return self.c_proj(pooled.transpose(1, 2).reshape(batch, width))  # (batch, outputs)


def _remaining(length: int) -> int:
    """What is left of a dimension: one strided convolution rounds up, four poolings round down.

    The public code counts ``length // 32``, which is the same for its own lengths.
    """
    return (length + 1) // 2 // 16


class ResNet(nn.Module):
    """Waveforms of shape (batch, samples) to pre-joint vectors of shape (batch, d_encoder)."""

    def __init__(self, sizes: AudioSizes):
        super().__init__()
        width = sizes.width
        self.spec = LogMel(sizes)
        self.conv1 = nn.Conv2d(1, width // 2, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width // 2)
        self.conv2 = nn.Conv2d(width // 2, width // 2, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width // 2)
        self.conv3 = nn.Conv2d(width // 2, width, 3, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(width)
        inputs = width
        for stage, (count, stride) in enumerate(zip(sizes.blocks, (1, 2, 2, 2), strict=True)):
            blocks = []
            for block in range(count):
                blocks.append(Bottleneck(inputs, width << stage, stride if block == 0 else 1))
                inputs = (width << stage) * EXPANSION
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        positions = _remaining(sizes.n_mels) * _remaining(sizes.frames)
        if not positions:
            raise ModelError(
                f"sizes.audio: a resnet needs at least 31 mel bands and frames, not {sizes.n_mels} "
                f"and {sizes.frames} (clip_seconds x sample_rate / hop + 1)."
            )
        self.attnpool = AttentionPool(positions, inputs, sizes.heads, sizes.d_encoder)

    def forward(self, waveforms: Tensor) -> Tensor:
        """Encode a batch of waveforms."""
        x = self.spec(waveforms)[:, None]  # (batch, 1, n_mels, frames)
        for conv, norm in ((self.conv1, self.bn1), (self.conv2, self.bn2), (self.conv3, self.bn3)):
            x = F.relu(norm(conv(x)))
        x = F.avg_pool2d(x, 2)  # (batch, width, n_mels / 4, frames / 4)
        for stage in range(1, 5):
            x = self.get_submodule(f"layer{stage}")(x)
        # (batch, 32 width, n_mels / 32, frames / 32)
        return self.attnpool(x)  # (batch, d_encoder)
