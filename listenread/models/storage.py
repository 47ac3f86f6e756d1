"""Models by the folder that they were prepared in: which family, which audio input, which towers.

This module does not import torch; loading a tower does.
"""

import contextlib
import gc
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from listenread.audio.base import AudioInput
from listenread.errors import ModelError
from listenread.files import atomic
from listenread.models.base import LoadTower, TwoTower
from listenread.models.common.device import resolve_device

DESCRIPTION_FILE = "model.json"
AUDIO_TOWER_FILE = "audio_tower.safetensors"
TEXT_TOWER_FILE = "text_tower.safetensors"
TOKENIZER_FILE = "tokenizer.json"


def describe(model_dir: str | Path) -> dict[str, Any]:
    """Read a prepared model's ``model.json``.

    Raises:
        ModelError: the file is missing, is not JSON, or names no family or no audio input.
    """
    path = Path(model_dir) / DESCRIPTION_FILE
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelError(f"{path} is missing: {model_dir} is not a prepared model.") from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path} is not JSON ({error}). Delete it and run again.") from error
    if not isinstance(description, dict):
        raise ModelError(f"{path} describes no model. Delete it and run again.")
    missing = [key for key in ("family", "audio_input") if key not in description]
    if missing:
        raise ModelError(f"{path} misses {' and '.join(missing)}.")
    family, wanted = description["family"], description["audio_input"]
    if not isinstance(family, str) or not isinstance(wanted, dict):
        raise ModelError(f"{path} names no family or no audio_input. Delete it and run again.")
    return description


def audio_input(model_dir: str | Path) -> AudioInput:
    """What a prepared model's audio tower wants to be fed with, without importing torch."""
    values = describe(model_dir)["audio_input"]
    try:
        wanted = AudioInput(**values)
        if wanted.samples < 0:
            raise ValueError("a clip cannot be shorter than nothing")
        return wanted
    except (TypeError, ValueError, OverflowError) as error:
        path = Path(model_dir) / DESCRIPTION_FILE
        raise ModelError(f"audio_input in {path} is not usable: {error}.") from error


@contextlib.contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Import and load without garbage collection: a million objects come, and all of them stay."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@_without_garbage_collection()
def load(
    model_dir: str | Path,
    tower: LoadTower = "both",
    device: str = "cpu",
    threads: int | None = None,
    precision: str = "float32",
) -> TwoTower:
    """Load a prepared model, or the one tower that is needed.

    Args:
        model_dir: folder of the prepared model.
        tower: ``audio``, ``text`` or ``both``; the files of the other tower are not read.
        device: a torch device such as ``cpu`` or ``cuda:0``, or ``auto``.
        threads: CPU threads for torch, or None for its own choice.
        precision: what it computes in, one of `listenread.models.common.precision.PRECISIONS`.

    Raises:
        ModelError: the folder is no prepared model, or its family refuses it.
    """
    if tower not in ("audio", "text", "both"):
        raise ValueError(f"tower is 'audio', 'text' or 'both', got {tower!r}")
    description = describe(model_dir)
    if threads is not None:
        import torch

        torch.set_num_threads(threads)
    family = family_class(description["family"])
    device = resolve_device(device)
    model = family(Path(model_dir), description, tower=tower, device=device)
    if device == "cpu" and precision == "float32":
        return model
    from listenread.models.common.precision import InPrecision

    return InPrecision(model, precision, device)


def write_description(
    model_dir: str | Path, family: str, audio_input: AudioInput, **facts: Any
) -> None:
    """Write ``model.json`` atomically, as the last file of a prepared model.

    Args:
        model_dir: folder of the prepared model; it is created.
        family: a name in `FAMILIES`, or ``package.module:Class``.
        audio_input: what the audio tower wants to be fed with.
        **facts: JSON-serialisable; sizes, provenance, options.
    """
    description = {"family": family, "audio_input": asdict(audio_input), **facts}
    text = json.dumps(description, indent=2, ensure_ascii=False) + "\n"
    atomic.write_text(Path(model_dir) / DESCRIPTION_FILE, text)


def prepare_own(model_dir: str | Path, family: str, options: Mapping[str, Any]) -> None:
    """Prepare a family of one's own, which brings its weights itself.

    Args:
        model_dir: folder of the prepared model; it is created.
        family: ``package.module:Class``; the class attribute `audio_input` is recorded.
        options: JSON-serialisable; handed to the class as ``description["options"]``.

    Raises:
        ModelError: the class cannot be imported or has no `audio_input`.
    """
    wanted = getattr(family_class(family), "audio_input", None)
    if not isinstance(wanted, AudioInput):
        raise ModelError(
            f"family {family!r} needs a class attribute audio_input, an instance of "
            f"listenread.audio.base.AudioInput; found {wanted!r}."
        )
    write_description(model_dir, family, wanted, options=dict(options))
