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
from listenread.entries import resolve
from listenread.errors import ModelError
from listenread.files import atomic
from listenread.models.base import LoadTower, PreparationContext, TwoTower, find_family
from listenread.models.common.device import resolve_device

DESCRIPTION_FILE = "model.json"
AUDIO_TOWER_FILE = "audio_tower.safetensors"
TEXT_TOWER_FILE = "text_tower.safetensors"
TOKENIZER_FILE = "tokenizer.json"


def describe(model_dir: str | Path) -> dict[str, Any]:
    """Read a prepared model's ``model.json``.

    Raises:
        ModelError: the file is missing, is not JSON, or does not name a family.
    """
    path = Path(model_dir) / DESCRIPTION_FILE
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelError(f"{path} is missing: {model_dir} is not a prepared model.") from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path} is not JSON ({error}). Delete it and run again.") from error
    if not isinstance(description, dict):
        raise ModelError(f"{path} does not describe a model. Delete it and run again.")
    if not isinstance(description.get("family"), str):
        raise ModelError(f"{path} does not name a family. Delete it and run again.")
    if not isinstance(description.get("audio_input", {}), dict):
        raise ModelError(f"{path}: audio_input is not a mapping. Delete it and run again.")
    return description


def audio_input(model_dir: str | Path) -> AudioInput:
    """What a prepared model's audio tower wants to be fed with, without importing torch."""
    path = Path(model_dir) / DESCRIPTION_FILE
    values = describe(model_dir).get("audio_input")
    if values is None:
        raise ModelError(f"{path} has no audio_input: the model has no audio tower.")
    try:
        wanted = AudioInput(**values)
        if wanted.samples < 0:
            raise ValueError("a clip cannot be shorter than nothing")
        return wanted
    except (TypeError, ValueError, OverflowError) as error:
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
        ModelError: the folder is not a prepared model, or its family refuses it.
    """
    if tower not in ("audio", "text", "both"):
        raise ValueError(f"tower is 'audio', 'text' or 'both', got {tower!r}")
    description = describe(model_dir)
    if threads is not None:
        import torch

        torch.set_num_threads(threads)
    family = find_family(description["family"])
    if family.loader is None:
        raise ModelError(f"{model_dir}: the family {family.name!r} has no towers to load.")
    if tower != "both" and tower not in family.towers:
        raise ModelError(f"{model_dir}: the family {family.name!r} has no {tower} tower.")
    device = resolve_device(device)
    loader = resolve(family.loader)
    model: TwoTower = loader(Path(model_dir), description, tower=tower, device=device)
    if device == "cpu" and precision == "float32":
        return model
    from listenread.models.common.precision import InPrecision

    return InPrecision(model, precision, device)


def write_description(
    model_dir: str | Path, family: str, audio_input: AudioInput | None, **facts: Any
) -> None:
    """Write ``model.json`` atomically, as the last file of a prepared model.

    Args:
        model_dir: folder of the prepared model; it is created.
        family: its name, or ``package.module:NAME``.
        audio_input: what the audio tower wants to be fed with; None without an audio tower.
        **facts: JSON-serialisable; sizes, provenance, options.
    """
    hears = {} if audio_input is None else {"audio_input": asdict(audio_input)}
    description = {"family": family, **hears, **facts}
    text = json.dumps(description, indent=2, ensure_ascii=False) + "\n"
    atomic.write_text(Path(model_dir) / DESCRIPTION_FILE, text)


def prepare_own(
    inputs: Mapping[str, Path],
    model_dir: Path,
    settings: Mapping[str, Any],
    context: PreparationContext,
) -> None:
    """Prepare a class of your own, which brings its weights itself.

    Its class attribute `audio_input` is recorded, and its options, which it finds under
    ``description["options"]``.
    """
    wanted = getattr(resolve(context.family), "audio_input", None)
    write_description(model_dir, context.family, wanted, options=dict(settings["options"]))


def prepare(
    family: str,
    rule: str,
    inputs: Mapping[str, Path],
    model_dir: Path,
    settings: Mapping[str, Any],
    context: PreparationContext,
) -> object:
    """Prepare a model in one of the ways of its family.

    Args:
        family: its name, or ``package.module:NAME``.
        rule: name of the `Preparation`.
        inputs: what it reads, by name.
        model_dir: folder of the prepared model.
        settings: those that the preparation uses.
        context: what else it is told.

    Returns:
        What the preparation returns, for the log.
    """
    way = next(one for one in find_family(family).preparations if one.rule == rule)
    result: object = resolve(way.make)(inputs, model_dir, settings, context)
    return result
