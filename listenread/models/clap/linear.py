"""Linear layers of an audio tower on a CPU, by oneDNN: the same numbers in less time."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# docs/upstream.md, "torch has no public oneDNN linear layer for float32"
#: The operation that torch's own compiler lowers linear layers to; not part of its public API.
_OPERATION = "_linear_pointwise"


class OneDNNLinear(nn.Module):
    """Takes the place of an ``nn.Linear`` for inference on a CPU, with the GELU that follows it.

    Torch's own way for float32 is MKL, which reaches less of an AMD processor; what was measured is
    in docs/performance.md. Under autocast the layer is as torch has it.
    """

    def __init__(self, original: nn.Linear, gelu: bool = False):
        """Take over the weights of a linear layer that has been filled."""
        super().__init__()
        self.weight, self.bias, self.gelu = original.weight, original.bias, gelu

    def forward(self, hidden_states: Tensor) -> Tensor:
        """Map float32 vectors, shape (..., width), to (..., outputs)."""
        if hidden_states.dtype != torch.float32 or torch.is_autocast_enabled("cpu"):
            mapped = F.linear(hidden_states, self.weight, self.bias)  # (..., outputs)
            return F.gelu(mapped) if self.gelu else mapped
        # "none": the error function itself, no approximation of it
        then: tuple[str, list[float], str] = ("gelu", [], "none") if self.gelu else ("none", [], "")
        return torch.ops.mkldnn._linear_pointwise(hidden_states, self.weight, self.bias, *then)


def use_onednn(module: nn.Module) -> bool:
    """Replace every linear layer of a filled tower on a CPU, where torch was built with oneDNN.

    Returns:
        Whether it was.
    """
    if not (torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, _OPERATION)):
        return False
    for part in list(module.modules()):
        for name, layer in list(part.named_children()):
            if type(layer) is nn.Linear:
                setattr(part, name, OneDNNLinear(layer, _absorbs_gelu(part)))
    return True


def _absorbs_gelu(part: nn.Module) -> bool:
    """Whether transformers applies GELU to what this part's linear layer gives; then no more."""
    activation = getattr(part, "intermediate_act_fn", None)
    if type(activation).__name__ != "GELUActivation":
        return False
    part.intermediate_act_fn = nn.Identity()
    return True
