"""MusCALL's text tower: a pre-norm transformer with a causal mask, read at the end of the text."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from listenread.models.muscall.sizes import TextSizes


class Attention(nn.Module):
    """Causal self-attention with one projection for queries, keys and values."""

    def __init__(self, width: int, heads: int, dropout: float):
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.to_qkv = nn.Linear(width, 3 * width, bias=False)
        self.out_projection = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, tokens, width) to the same shape."""
        batch, length, width = x.shape
        qkv = self.to_qkv(x).view(batch, length, 3, self.heads, width // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)  # each (batch, heads, tokens, head_width)
        dropout = self.dropout if self.training else 0.0
        x = F.scaled_dot_product_attention(query, key, value, dropout_p=dropout, is_causal=True)
        x = self.out_projection(x.transpose(1, 2).reshape(batch, length, width))
        return F.dropout(x, self.dropout, self.training)  # (batch, tokens, width)


class FeedForward(nn.Module):
    """Two linear layers with an exact GELU between them."""

    def __init__(self, width: int, dropout: float):
        super().__init__()
        widen, narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.mlp = nn.Sequential(widen, nn.GELU(), nn.Dropout(dropout), narrow, nn.Dropout(dropout))

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, tokens, width) to the same shape."""
        return self.mlp(x)  # (batch, tokens, width)


class PreNorm(nn.Module):
    """A residual branch that normalises its input first."""

    def __init__(self, width: int, fn: nn.Module):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.fn = fn

    def forward(self, x: Tensor) -> Tensor:
        """Add the branch to its input."""
        return x + self.fn(self.norm(x))  # (batch, tokens, width)


class _Transformer(nn.Module):
    def __init__(self, sizes: TextSizes):
        super().__init__()
        width, dropout = sizes.d_encoder, sizes.dropout
        blocks = []
        for _ in range(sizes.layers):
            attention = PreNorm(width, Attention(width, sizes.heads, dropout))
            feed_forward = PreNorm(width, FeedForward(width, dropout))
            blocks.append(nn.ModuleList([attention, feed_forward]))
        self.layers = nn.ModuleList(blocks)
        self.norm_out = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        for block in self.layers:
            attention, feed_forward = block.children()
            x = feed_forward(attention(x))
        return self.norm_out(x)  # (batch, tokens, width)


class TextTransformer(nn.Module):
    """Token ids of shape (batch, tokens) to pre-joint vectors of shape (batch, d_encoder).

    There is no padding mask: the causal mask already keeps the end of the text, where the vector is
    read, from looking at what follows it.
    """

    def __init__(self, sizes: TextSizes):
        super().__init__()
        self.token_embedding = nn.Embedding(sizes.vocabulary, sizes.d_encoder)
        self.position_embedding = nn.Embedding(sizes.max_tokens, sizes.d_encoder)
        self.transformer = _Transformer(sizes)
        # in the public checkpoint, but not applied there either
        self.ln_final = nn.LayerNorm(sizes.d_encoder)
        # CLIP's: small, or else the end token's own embedding drowns what attention brings to it
        nn.init.normal_(self.token_embedding.weight, std=0.02)
        nn.init.normal_(self.position_embedding.weight, std=0.01)

    def forward(self, token_ids: Tensor) -> Tensor:
        """Encode a batch of token ids; the largest id of a row ends its text."""
        positions = torch.arange(token_ids.shape[1], device=token_ids.device)  # (tokens,)
        x = self.token_embedding(token_ids) + self.position_embedding(positions)
        ends = token_ids.argmax(dim=-1)  # (batch,)
        rows = torch.arange(len(token_ids), device=token_ids.device)
        return self.transformer(x)[rows, ends]  # (batch, d_encoder)
