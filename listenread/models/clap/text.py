"""RoBERTa text tower in plain torch.

It is written here because a text job is a few seconds long: importing transformers' own takes
longer than loading this one and embedding all prompts of an experiment. Parameter names are those
of transformers' ``ClapTextModel``. Liu et al.: RoBERTa, arXiv 1907.11692.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from listenread.models.clap.projection import Projection
from listenread.models.clap.sizes import TextSizes


def _embedding(rows: int, width: int) -> nn.Embedding:
    # On the meta device the random start of an ordinary nn.Embedding makes torch import its
    # compiler, which takes longer than the rest of a text job.
    return nn.Embedding.from_pretrained(torch.empty(rows, width))


class _Embeddings(nn.Module):
    def __init__(self, sizes: TextSizes):
        super().__init__()
        self.pad_id = sizes.pad_id
        self.word_embeddings = _embedding(sizes.vocabulary, sizes.d_encoder)
        self.position_embeddings = _embedding(sizes.positions, sizes.d_encoder)
        self.token_type_embeddings = _embedding(1, sizes.d_encoder)
        self.LayerNorm = nn.LayerNorm(sizes.d_encoder, eps=sizes.layer_norm_eps)

    def forward(self, token_ids: Tensor) -> Tensor:
        # padding takes no position; the positions of other tokens start after the padding id
        real = token_ids.ne(self.pad_id)  # (batch, tokens)
        positions = real.cumsum(dim=1) * real + self.pad_id  # (batch, tokens)
        x = self.word_embeddings(token_ids) + self.token_type_embeddings.weight[0]
        return self.LayerNorm(x + self.position_embeddings(positions))  # (batch, tokens, width)


class _SelfAttention(nn.Module):
    def __init__(self, sizes: TextSizes):
        super().__init__()
        self.heads = sizes.heads
        self.query = nn.Linear(sizes.d_encoder, sizes.d_encoder)
        self.key = nn.Linear(sizes.d_encoder, sizes.d_encoder)
        self.value = nn.Linear(sizes.d_encoder, sizes.d_encoder)

    def forward(self, x: Tensor) -> Tensor:
        split = (*x.shape[:2], self.heads, -1)
        query, key, value = (
            part(x).view(split).transpose(1, 2) for part in (self.query, self.key, self.value)
        )  # each (batch, heads, tokens, head_width)
        attended = F.scaled_dot_product_attention(query, key, value)
        return attended.transpose(1, 2).flatten(2)  # (batch, tokens, width)


class _Residual(nn.Module):
    """Linear layer, added to what went into the branch, then normalised (post-norm)."""

    def __init__(self, d_in: int, sizes: TextSizes):
        super().__init__()
        self.dense = nn.Linear(d_in, sizes.d_encoder)
        self.LayerNorm = nn.LayerNorm(sizes.d_encoder, eps=sizes.layer_norm_eps)

    def forward(self, x: Tensor, branched_from: Tensor) -> Tensor:
        return self.LayerNorm(self.dense(x) + branched_from)  # (batch, tokens, width)


class _Layer(nn.Module):
    def __init__(self, sizes: TextSizes):
        super().__init__()
        attention = {"self": _SelfAttention(sizes), "output": _Residual(sizes.d_encoder, sizes)}
        self.attention = nn.ModuleDict(attention)
        self.intermediate = nn.ModuleDict(
            {"dense": nn.Linear(sizes.d_encoder, sizes.d_feed_forward)}
        )
        self.output = _Residual(sizes.d_feed_forward, sizes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.attention["output"](self.attention["self"](x), x)  # (batch, tokens, width)
        wide = F.gelu(self.intermediate["dense"](x))  # (batch, tokens, d_feed_forward)
        return self.output(wide, x)  # (batch, tokens, width)


class RoBERTa(nn.Module):
    """Token ids of shape (batch, tokens) to vectors of shape (batch, d_encoder).

    The vector is a linear layer and tanh over the first token. All rows are of one length: there is
    no padding and hence no mask.
    """

    def __init__(self, sizes: TextSizes):
        super().__init__()
        self.embeddings = _Embeddings(sizes)
        self.encoder = nn.ModuleDict(
            {"layer": nn.ModuleList(_Layer(sizes) for _ in range(sizes.layers))}
        )
        self.pooler = nn.ModuleDict({"dense": nn.Linear(sizes.d_encoder, sizes.d_encoder)})

    def forward(self, token_ids: Tensor) -> Tensor:
        """Encode texts of one length."""
        x = self.embeddings(token_ids)  # (batch, tokens, d_encoder)
        for layer in self.encoder["layer"].children():
            x = layer(x)
        return torch.tanh(self.pooler["dense"](x[:, 0]))  # (batch, d_encoder)


class TextTower(nn.Module):
    """RoBERTa and its projection into the joint space."""

    def __init__(self, sizes: TextSizes, d_joint: int, activation: str):
        super().__init__()
        self.text_model = RoBERTa(sizes)
        self.text_projection = Projection(sizes.d_encoder, d_joint, activation)

    def forward(self, token_ids: Tensor) -> tuple[Tensor, Tensor]:
        """Pre-joint and joint vectors of token ids of shape (batch, tokens)."""
        pre_joint = self.text_model(token_ids)  # (batch, d_encoder)
        joint = self.text_projection(pre_joint).float()  # (batch, d_joint)
        return pre_joint, F.normalize(joint, dim=-1)
