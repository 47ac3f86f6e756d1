"""Towers as safetensors files: written atomically, read into a module of exactly their shape."""

from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from listenread.errors import ModelError
from listenread.files import atomic


def write_tower(path: str | Path, tensors: Mapping[str, Tensor]) -> None:
    """Write tensors atomically; the same tensors give the same bytes."""
    with atomic.replacing(path) as partial:
        partial.touch()
        mode = partial.stat().st_mode
        save_file(dict(tensors), partial)
        partial.chmod(mode)  # safetensors' own mode keeps others from reading, whatever the umask


def read_tower(module: nn.Module, path: str | Path, device: str = "cpu") -> None:
    """Give a module, which may be on the meta device, all its parameters and buffers from a file.

    Raises:
        ModelError: the file is missing or damaged, or does not hold exactly what the module needs.
    """
    try:
        tensors = load_file(path, device=device)
    except FileNotFoundError as error:
        raise ModelError(f"{path} is missing; prepare the model again.") from error
    except SafetensorError as error:
        raise ModelError(f"{path} is damaged ({error}). Delete it and run again.") from error
    refuse_differences(module, tensors, f"{path} does not fit the sizes in model.json")
    module.load_state_dict(tensors, assign=True)


def refuse_differences(
    module: nn.Module, tensors: Mapping[str, Tensor], message: str, unexpected: tuple[str, ...] = ()
) -> None:
    """Compare names and shapes of tensors with what a module has, and list every difference.

    Args:
        module: may be on the meta device.
        tensors: by the module's names.
        message: what does not fit what, the beginning of the error.
        unexpected: further names that nothing could be done with, to be listed too.

    Raises:
        ModelError: something is missing, unexpected or wrongly shaped.
    """
    wanted = module.state_dict()
    problems = [f"missing: {name}" for name in wanted if name not in tensors]
    problems += [f"unexpected: {name}" for name in tensors if name not in wanted]
    problems += [f"unexpected: {name}" for name in unexpected]
    problems += [
        f"wrong shape: {name} is {tuple(tensors[name].shape)}, not {tuple(value.shape)}"
        for name, value in wanted.items()
        if name in tensors and tensors[name].shape != value.shape
    ]
    if problems:
        raise ModelError(f"{message} ({len(problems)} differences):\n  " + "\n  ".join(problems))
