"""Checkpoints of a training run: one safetensors file, replaced as a whole, never a pickle."""

import copy
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from tqdm import tqdm

from listenread.files import atomic

#: What goes wrong where a checkpoint that can be read does not fit.
_MISFITS = (RuntimeError, KeyError, ValueError, TypeError, AttributeError)
CHECKPOINT_FILE = "checkpoint.safetensors"


@dataclass
class RunState:
    """Where a training run stands, but for its weights.

    Attributes:
        step: steps that are done.
        rows: of the curves so far.
        best_value: largest R@10 measured so far, in [0, 1]; -1 before the first measurement.
        best_step: the step that it was measured after.
        scale: of the loss in float16 training, empty otherwise.
        best: weights and buffers of `best_step`, where the best ones are to be kept; on the CPU.
    """

    step: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)
    best_value: float = -1.0
    best_step: int = 0
    scale: dict[str, Any] = field(default_factory=dict)
    best: dict[str, Tensor] = field(default_factory=dict)


def save(
    folder: Path, key: str, module: nn.Module, optimizer: torch.optim.Optimizer, state: RunState
) -> None:
    """Write the checkpoint of a run.

    Args:
        folder: where the run keeps its checkpoints.
        key: identifies settings and data; see `resume`.
        module: the model.
        optimizer: its AdamW.
        state: where the run stands.
    """
    tensors = {f"model.{name}": value for name, value in module.state_dict().items()}
    tensors |= {f"best.{name}": value for name, value in state.best.items()}
    for number, moments in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{number}.{name}": value for name, value in moments.items()}
    tensors = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    facts = {name: value for name, value in vars(state).items() if name != "best"}
    with atomic.replacing(folder / CHECKPOINT_FILE) as partial:
        save_file(tensors, partial, {"key": key, "state": json.dumps(facts)})


def resume(folder: Path, key: str, module: nn.Module, optimizer: torch.optim.Optimizer) -> RunState:
    """Bring a run back to its last checkpoint, or to its beginning where there is none to use.

    A checkpoint of other settings or other data is never resumed: the run says so and starts over.
    """
    path = folder / CHECKPOINT_FILE
    if not path.is_file():
        return RunState()
    weights, moments = copy.deepcopy((module.state_dict(), optimizer.state_dict()))
    try:
        with safe_open(path, "pt") as file:
            facts = file.metadata()
            if facts["key"] != key:
                _say(f"{path} belongs to other settings or data; training starts over.")
                return RunState()
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            state = RunState(**json.loads(facts["state"]))
        state.best = _restore(module, optimizer, tensors)
    except (SafetensorError, OSError, *_MISFITS) as error:
        module.load_state_dict(weights)
        optimizer.load_state_dict(moments)
        _say(f"{path} cannot be used ({error}); training starts over.")
        return RunState()
    _say(f"training goes on after step {state.step}, from {path}")
    return state


def _restore(
    module: nn.Module, optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Fill the model and its optimizer, and return the best weights so far."""
    parts: dict[str, dict[str, Tensor]] = {"model": {}, "best": {}, "optimizer": {}}
    for name, value in tensors.items():
        part, _, rest = name.partition(".")
        parts[part][rest] = value
    moments: dict[int, dict[str, Tensor]] = {}
    for name, value in parts["optimizer"].items():
        number, _, moment = name.partition(".")
        moments.setdefault(int(number), {})[moment] = value
    module.load_state_dict(parts["model"])
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": moments, "param_groups": groups})
    return parts["best"]


def _say(message: str) -> None:
    tqdm.write(message, file=sys.stderr)
