"""From a tower's own space into the joint space."""

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

from listenread.errors import ModelError

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"relu": F.relu, "gelu": F.gelu}


class Projection(nn.Module):
    """Two linear layers with an activation between them."""

    def __init__(self, d_encoder: int, d_joint: int, activation: str):
        super().__init__()
        if activation not in ACTIVATIONS:
            raise ModelError(
                f"projection activation {activation!r} is not one of {', '.join(ACTIVATIONS)}."
            )
        self.activation = ACTIVATIONS[activation]
        self.linear1 = nn.Linear(d_encoder, d_joint)
        self.linear2 = nn.Linear(d_joint, d_joint)

    def forward(self, pre_joint: Tensor) -> Tensor:
        """Map (batch, d_encoder) to (batch, d_joint), not normalised."""
        return self.linear2(self.activation(self.linear1(pre_joint)))  # (batch, d_joint)
