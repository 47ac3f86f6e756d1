"""A CLAP model's own files -> the folder of a prepared model."""

import resource
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from listenread.audio.base import AudioInput
from listenread.files import atomic
from listenread.models import storage
from listenread.models.clap import tokens
from listenread.models.clap.sizes import Sizes
from listenread.models.clap.text import TextTower
from listenread.models.common.weights import refuse_differences, write_tower


class Conversion(NamedTuple):
    """What a conversion took.

    Attributes:
        seconds: wall time.
        peak_memory_bytes: largest resident set of the process so far; pages of a memory-mapped
            checkpoint are among them, and the system can take those back.
    """

    seconds: float
    peak_memory_bytes: int

    def __str__(self) -> str:
        """Say it in a line of a log."""
        peak = self.peak_memory_bytes / 2**30
        return f"converted in {self.seconds:.1f} s, peak memory {peak:.2f} GiB"


class Weights(NamedTuple):
    """A checkpoint's weights under the names of `AudioTower` and `TextTower`.

    Attributes:
        audio: of the audio tower, the front-end's window and mel filters included.
        text: of the text tower.
        unexpected: names in the checkpoint that mean nothing to us.
    """

    audio: Mapping[str, Tensor]
    text: Mapping[str, Tensor]
    unexpected: tuple[str, ...] = ()


def write_prepared(
    output_dir: str | Path,
    weights: Weights,
    tokenizer_path: str | Path,
    *,
    source: str | Path,
    family: str,
    sizes: Sizes,
    audio_input: AudioInput,
    **facts: Any,
) -> None:
    """Check a model against its sizes and write its four files, ``model.json`` last.

    Args:
        output_dir: folder of the prepared model.
        weights: the checkpoint, renamed.
        tokenizer_path: a ``tokenizer.json`` that has been checked.
        source: how to call the checkpoint in an error.
        family: name in the registry.
        sizes: of the towers.
        audio_input: what the audio tower wants to be fed with.
        **facts: provenance for ``model.json``.

    Raises:
        ModelError: weights are missing, unexpected or wrongly shaped; all are listed.
    """
    from listenread.models.clap.audio import AudioTower

    with torch.device("meta"):
        towers = torch.nn.ModuleDict(
            {
                "audio": AudioTower(sizes),
                "text": TextTower(sizes.text, sizes.d_joint, sizes.projection_activation),
            }
        )
    found = {f"audio.{name}": value for name, value in weights.audio.items()}
    found |= {f"text.{name}": value for name, value in weights.text.items()}
    refuse_differences(towers, found, f"{source} is not the model it should be", weights.unexpected)
    output_dir = Path(output_dir)
    write_tower(output_dir / storage.AUDIO_TOWER_FILE, _independent(weights.audio))
    write_tower(output_dir / storage.TEXT_TOWER_FILE, _independent(weights.text))
    tokenizer = output_dir / storage.TOKENIZER_FILE
    with atomic.replacing(tokenizer) as partial:
        shutil.copyfile(tokenizer_path, partial)
    tokens.load(tokenizer, sizes.text)
    storage.write_description(output_dir, family, audio_input, sizes=sizes.to_dict(), **facts)


def _independent(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors that share no memory, floats in float32: what safetensors can write."""
    return {
        name: (value.float() if value.is_floating_point() else value).contiguous().clone()
        for name, value in tensors.items()
    }


class Stopwatch:
    """Wall time and peak memory of a conversion."""

    def __init__(self) -> None:
        self.start = time.perf_counter()

    def read(self) -> Conversion:
        """Wall time since the start and the peak memory of the process."""
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        unit = 1 if sys.platform == "darwin" else 1024
        return Conversion(time.perf_counter() - self.start, peak * unit)
