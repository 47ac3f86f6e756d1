"""Window attention of the HTSAT audio tower, fused: the same numbers in less time."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


# docs/upstream.md, "transformers' CLAP has no fused attention"
class FusedWindowAttention(nn.Module):
    """Takes the place of transformers' ``ClapAudioSelfAttention`` for inference.

    One matrix product instead of three, the position bias looked up once instead of on every call,
    and torch's fused attention; transformers refuses ``attn_implementation="sdpa"`` for this model.
    """

    position_bias: Tensor

    def __init__(self, original: Any):
        """Take over the weights of a `ClapAudioSelfAttention` that has been filled."""
        super().__init__()
        self.heads = original.num_attention_heads
        parts = (original.query, original.key, original.value)
        biases = [part.bias for part in parts if part.bias is not None]
        width, outputs = parts[0].in_features, 3 * parts[0].out_features
        self.qkv = nn.Linear(width, outputs, bias=bool(biases), device="meta")
        self.qkv.weight = nn.Parameter(torch.cat([part.weight for part in parts]).detach(), False)
        if biases:
            self.qkv.bias = nn.Parameter(torch.cat(biases).detach(), False)
        index = original.relative_position_index
        looked_up = original.relative_position_bias_table.detach()[index.flatten()]
        position_bias = looked_up.view(*index.shape, -1).permute(2, 0, 1).contiguous()
        self.register_buffer("position_bias", position_bias.unsqueeze(0))

    def forward(
        self,
        hidden_states: Tensor,
        attention_mask: Tensor | None = None,
        output_attentions: bool | None = False,
    ) -> tuple[Tensor]:
        """Attend within windows.

        Args:
            hidden_states: shape (batch * windows, tokens, width).
            attention_mask: shape (windows, tokens, tokens), added to the scores.
            output_attentions: not available; the scores are never held.
        """
        rows, tokens, width = hidden_states.shape
        qkv = self.qkv(hidden_states).view(rows, tokens, 3, self.heads, -1)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)  # each (rows, heads, tokens, head_width)
        bias = self.position_bias.to(query.dtype)  # (1, heads, tokens, tokens)
        if attention_mask is not None:
            bias = bias + attention_mask.unsqueeze(1)  # (windows, heads, tokens, tokens)
            repeats = rows // len(attention_mask)
            bias = bias.repeat(repeats, 1, 1, 1)  # (rows, heads, tokens, tokens)
        attended = F.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        return (attended.transpose(1, 2).reshape(rows, tokens, width),)  # (rows, tokens, width)


def fuse(module: nn.Module) -> None:
    """Replace every window attention of a filled audio tower by the fused one."""
    for part in list(module.modules()):
        attention = getattr(part, "self", None)
        if attention is not None and hasattr(attention, "relative_position_bias_table"):
            part.self = FusedWindowAttention(attention)
