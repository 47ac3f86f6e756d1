"""PyTorch checkpoints, read as data: nothing that a file contains is ever executed."""

import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from listenread.errors import ModelError


def read_checkpoint(path: str | Path) -> dict[str, Tensor]:
    """Read the state dict of a ``.pt`` file without executing anything in it.

    The released files contain numpy scalars among the training state; those are the only objects
    that are admitted in addition to tensors, numbers, strings and containers.

    Returns:
        Memory-mapped tensors by name, without the prefix ``module.`` of distributed training.

    Raises:
        ModelError: no such file, cut short, or with other objects inside.
    """
    # docs/upstream.md, "torch.load names a private function of numpy"
    scalar = np.float64(0).__reduce__()[0]  # what numpy scalars are pickled with
    admitted: list[Any] = [
        scalar,
        (scalar, "numpy.core.multiarray.scalar"),  # its name in files of numpy 1
        np.dtype,
        np.dtypes.Float64DType,
    ]
    try:
        with torch.serialization.safe_globals(admitted):
            # files of PyTorch before 1.6 are not zip archives and cannot be mapped
            mmap = zipfile.is_zipfile(path)
            content = torch.load(path, map_location="cpu", weights_only=True, mmap=mmap)
    except FileNotFoundError as error:
        raise ModelError(f"{path} does not exist.") from error
    except pickle.UnpicklingError as error:
        raise ModelError(
            f"{path} holds objects other than tensors and numbers. Loading them could run code, so "
            f"the file is refused and nothing in it was executed. ({_first_line(error)})"
        ) from error
    except Exception as error:  # a damaged pickle makes its reader stumble in any way
        raise ModelError(
            f"{path} cannot be read as a PyTorch checkpoint ({_first_line(error)}). Was the "
            "download complete? Compare its size and SHA-256."
        ) from error
    state = content.get("state_dict", content) if isinstance(content, Mapping) else None
    if not isinstance(state, Mapping) or not all(isinstance(v, Tensor) for v in state.values()):
        raise ModelError(f"{path} holds no state dict of tensors.")
    return {str(name).removeprefix("module."): value for name, value in state.items()}


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
