"""Each tower with its projection into the joint space, under the public checkpoint's names."""

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from listenread.models.muscall.cnn import SmallCNN
from listenread.models.muscall.resnet import ResNet
from listenread.models.muscall.sizes import Sizes
from listenread.models.muscall.text import TextTransformer

#: Logarithm of the factor of the cosines with which training starts.
FIRST_LOGIT_SCALE = math.log(1 / 0.07)


class AudioTower(nn.Module):
    """Waveforms of shape (batch, samples) to pre-joint and joint vectors."""

    def __init__(self, sizes: Sizes):
        super().__init__()
        backbone = {"resnet": ResNet, "cnn": SmallCNN}[sizes.audio.kind]
        self.audio_backbone = backbone(sizes.audio)
        self.audio_projection = nn.Linear(sizes.audio.d_encoder, sizes.d_joint, bias=False)

    def forward(self, waveforms: Tensor) -> tuple[Tensor, Tensor]:
        """Encode a batch; the joint vectors are L2-normalised."""
        pre_joint = self.audio_backbone(waveforms)  # (batch, d_encoder)
        joint = self.audio_projection(pre_joint).float()  # (batch, d_joint)
        return pre_joint, F.normalize(joint, dim=-1)


class TextTower(nn.Module):
    """Token ids of shape (batch, tokens) to pre-joint and joint vectors.

    The logit scale of the training is kept with the text tower, so that both towers together have
    every entry of a checkpoint.
    """

    def __init__(self, sizes: Sizes):
        super().__init__()
        self.textual_head = TextTransformer(sizes.text)
        self.text_projection = nn.Linear(sizes.text.d_encoder, sizes.d_joint, bias=False)
        self.logit_scale = nn.Parameter(torch.tensor(FIRST_LOGIT_SCALE))

    def forward(self, token_ids: Tensor) -> tuple[Tensor, Tensor]:
        """Encode a batch; the joint vectors are L2-normalised."""
        pre_joint = self.textual_head(token_ids)  # (batch, d_encoder)
        joint = self.text_projection(pre_joint).float()  # (batch, d_joint)
        return pre_joint, F.normalize(joint, dim=-1)


class TwoTowers(nn.Module):
    """Both towers, as training optimises them."""

    def __init__(self, sizes: Sizes):
        super().__init__()
        self.audio = AudioTower(sizes)
        self.text = TextTower(sizes)

    @property
    def logit_scale(self) -> nn.Parameter:
        """Logarithm of the factor of the cosines."""
        return self.text.logit_scale


def tower_states(state: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Take the state of `TwoTowers` apart: the audio tower's and the text tower's."""
    audio, text = (
        {
            name.removeprefix(prefix): value.detach().cpu().contiguous()
            for name, value in state.items()
            if name.startswith(prefix)
        }
        for prefix in ("audio.", "text.")
    )
    return audio, text
