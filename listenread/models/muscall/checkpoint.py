"""A checkpoint of the public MusCALL code as a prepared model."""

import shutil
from pathlib import Path

from torch import Tensor, nn

from listenread.errors import ModelError
from listenread.files.checksums import checksum
from listenread.models import storage
from listenread.models.common import tokenization
from listenread.models.common.checkpoints import read_checkpoint
from listenread.models.common.weights import refuse_differences, write_tower
from listenread.models.muscall.sizes import Sizes
from listenread.models.muscall.towers import AudioTower, TextTower


def convert_muscall(
    checkpoint_path: str | Path,
    tokenizer_json_path: str | Path,
    output_dir: str | Path,
    sizes: Sizes | None = None,
) -> None:
    """Write the towers of a checkpoint, its tokenizer and ``model.json`` as a prepared model.

    Args:
        checkpoint_path: a ``.pth.tar`` as the public code writes it, with the weights under
            ``state_dict``; nothing in it is executed.
        tokenizer_json_path: CLIP's byte-pair encoding as a ``tokenizer.json``.
        output_dir: folder of the model; it is created.
        sizes: None for the public configuration.

    Raises:
        ModelError: the checkpoint or the tokenizer is not one of these sizes; every difference is
            listed.
    """
    sizes = sizes or Sizes()
    state = read_checkpoint(checkpoint_path)
    parts = _take_apart(
        state, sizes, f"{checkpoint_path} is not a MusCALL checkpoint of these sizes"
    )
    found = tokenization.load(tokenizer_json_path).get_vocab_size()
    if found != sizes.text.vocabulary:
        raise ModelError(
            f"{tokenizer_json_path} has {found} tokens, but the text tower of {checkpoint_path} "
            f"was made for {sizes.text.vocabulary}."
        )
    output_dir = Path(output_dir)
    for name, tensors in parts.items():
        write_tower(output_dir / name, tensors)
    shutil.copyfile(tokenizer_json_path, output_dir / storage.TOKENIZER_FILE)
    storage.write_description(
        output_dir,
        "muscall",
        sizes.audio.audio_input,
        sizes=sizes.to_dict(),
        provenance={
            "checkpoint_sha256": checksum(checkpoint_path),
            "tokenizer_sha256": checksum(tokenizer_json_path),
        },
    )


def _take_apart(
    state: dict[str, Tensor], sizes: Sizes, message: str
) -> dict[str, dict[str, Tensor]]:
    """Sort the entries of a checkpoint into the two files, and refuse what fits neither."""
    audio, text, whole = AudioTower(sizes), TextTower(sizes), nn.Module()
    for name, child in [*audio.named_children(), *text.named_children()]:
        whole.add_module(name, child)
    whole.logit_scale = text.logit_scale
    refuse_differences(whole, state, message)
    files = {storage.AUDIO_TOWER_FILE: audio, storage.TEXT_TOWER_FILE: text}
    return {
        file: {name: _plain(state[name]) for name in tower.state_dict()}
        for file, tower in files.items()
    }


def _plain(value: Tensor) -> Tensor:
    return (value.float() if value.is_floating_point() else value).contiguous()
