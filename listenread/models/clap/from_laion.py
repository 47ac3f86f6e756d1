"""LAION-CLAP checkpoints (``.pt``) -> prepared models.

Wu, Chen et al.: Large-scale contrastive language-audio pretraining, ICASSP 2023, arXiv 2211.06687;
https://github.com/LAION-AI/CLAP. The audio tower is HTSAT, the text tower RoBERTa-base.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from listenread.audio.base import AudioInput
from listenread.errors import ModelError
from listenread.files.checksums import checksum
from listenread.models.clap import tokens
from listenread.models.clap.prepared import Conversion, Stopwatch, Weights, write_prepared
from listenread.models.clap.sizes import FrontEndSizes, Sizes, TextSizes
from listenread.models.common.checkpoints import read_checkpoint

#: HTSAT variants by the name that the laion-clap package gives them.
AUDIO_MODELS: dict[str, dict[str, Any]] = {
    "HTSAT-tiny": {
        "patch_embeds_hidden_size": 96,
        "depths": [2, 2, 6, 2],
        "num_attention_heads": [4, 8, 16, 32],
        "hidden_size": 768,
    },
    "HTSAT-base": {
        "patch_embeds_hidden_size": 128,
        "depths": [2, 2, 12, 2],
        "num_attention_heads": [4, 8, 16, 32],
        "hidden_size": 1024,
    },
}

#: Names in a checkpoint that do not take part in encoding: classifier heads, transforms of the
#: training, index and mask buffers, the Fourier transform as a convolution.
_NOT_USED = re.compile(
    r"text_branch\.embeddings\.(position_ids|token_type_ids)"
    r"|(audio|text)_transform\..*"
    r"|audio_branch\.(tscam_conv|head)\..*"
    r"|audio_branch\.spectrogram_extractor\..*"
    r"|audio_branch\.layers\.\d+\.blocks\.\d+\.attn_mask"
    r"|logit_scale_[at]"
)
_WINDOW = "audio_branch.spectrogram_extractor.stft.conv_real.weight"
_MEL_FILTERS = "audio_branch.logmel_extractor.melW"

#: The laion-clap package's names -> those of transformers' ``ClapModel``, which our towers have.
_RENAMED = (
    (re.compile(r"^((?:audio|text)_projection)\.0\."), r"\1.linear1."),
    (re.compile(r"^((?:audio|text)_projection)\.2\."), r"\1.linear2."),
    (re.compile(r"^text_branch\."), "text_model."),
    (re.compile(r"^audio_branch\.bn0\."), "audio_branch.batch_norm."),
    (re.compile(r"\.attn\.proj\."), ".attention.output.dense."),
    (re.compile(r"\.attn\.(relative_position_\w+)$"), r".attention.self.\1"),
    (re.compile(r"(\.blocks\.\d+)\.norm1\."), r"\1.layernorm_before."),
    (re.compile(r"(\.blocks\.\d+)\.norm2\."), r"\1.layernorm_after."),
    (re.compile(r"\.mlp\.fc1\."), ".intermediate.dense."),
    (re.compile(r"\.mlp\.fc2\."), ".output.dense."),
    (re.compile(r"^audio_branch\."), "audio_model.audio_encoder."),
)
_QKV = re.compile(r"\.attn\.qkv\.(weight|bias)$")


def convert_laion_clap(
    checkpoint_path: str | Path,
    tokenizer_json_path: str | Path,
    output_dir: str | Path,
    *,
    audio_model: str,
    cropping: Literal["first", "centre", "mean_of_windows"] = "centre",
    text: TextSizes = TextSizes(),  # noqa: B008 (frozen)
    **provenance: Any,
) -> Conversion:
    """Prepare a LAION-CLAP checkpoint of the kind without fusion.

    The file is memory-mapped and read as data: nothing that it contains is executed.

    Args:
        checkpoint_path: a released ``.pt``, or a bare state dict.
        tokenizer_json_path: RoBERTa-base's ``tokenizer.json``.
        output_dir: folder of the prepared model.
        audio_model: a name in `AUDIO_MODELS`.
        cropping: what is heard of clips over 10 s; the laion-clap package crops at random.
        text: sizes of the text tower; they are not stated in the checkpoint.
        **provenance: JSON-serialisable facts to record, e.g. the checkpoint's URL.

    Raises:
        ModelError: the checkpoint cannot be read, holds objects other than tensors and numbers, or
            does not fit `audio_model`; or the tokenizer is not that of the text tower.
    """
    stopwatch = Stopwatch()
    if audio_model not in AUDIO_MODELS:
        raise ModelError(
            f"audio_model {audio_model!r} is not known; it is one of {', '.join(AUDIO_MODELS)}."
        )
    tokens.check(tokenizer_json_path, text, complete=True)
    state = read_checkpoint(checkpoint_path)
    front_end = FrontEndSizes()
    weights = _renamed(state, _checked_window(state, front_end, checkpoint_path))
    audio_config = {**AUDIO_MODELS[audio_model], "num_mel_bins": front_end.mel_bins}
    write_prepared(
        output_dir,
        weights,
        tokenizer_json_path,
        source=f"{checkpoint_path}, taken as {audio_model},",
        family="laion_clap",
        sizes=Sizes(audio_config, front_end, text),
        audio_input=AudioInput(48000, 10.0, "repeat_pad", cropping, quantise_int16=True),
        audio_model=audio_model,
        logit_scale={
            tower: float(state[name])
            for tower, name in (("audio", "logit_scale_a"), ("text", "logit_scale_t"))
            if name in state
        },
        provenance={
            **provenance,
            "checkpoint_sha256": checksum(checkpoint_path),
            "tokenizer_sha256": checksum(tokenizer_json_path),
        },
    )
    return stopwatch.read()


def _checked_window(state: Mapping[str, Tensor], sizes: FrontEndSizes, path: str | Path) -> Tensor:
    """Hann window of the front-end; the checkpoint's own transform must have been made with it."""
    window = torch.hann_window(sizes.n_fft)
    stored = state.get(_WINDOW)
    if stored is None:
        return window
    row = stored[0, 0].float()  # the real part at frequency 0 is the window itself
    if row.shape != window.shape or not torch.allclose(row, window, atol=1e-6):
        raise ModelError(
            f"{path}: {_WINDOW} was not made with the periodic Hann window of {sizes.n_fft} "
            "samples that LAION-CLAP's front-end uses."
        )
    return window


def _renamed(state: Mapping[str, Tensor], window: Tensor) -> Weights:
    audio: dict[str, Tensor] = {"front_end.window": window}
    text: dict[str, Tensor] = {}
    unexpected = []
    for name, value in state.items():
        if name == _MEL_FILTERS:
            audio["front_end.mel_filters"] = value
        elif not _NOT_USED.fullmatch(name):
            for new_name, part in _to_transformers(name, value):
                if new_name.startswith("audio_"):
                    audio[new_name] = part
                elif new_name.startswith("text_"):
                    text[new_name] = part
                else:
                    unexpected.append(name)
    return Weights(audio, text, tuple(unexpected))


def _to_transformers(name: str, value: Tensor) -> list[tuple[str, Tensor]]:
    """One entry under its new name; queries, keys and values, which are stored as one, apart."""
    kind = _QKV.search(name)
    stem = name[: kind.start()] if kind else name
    for pattern, replacement in _RENAMED:
        stem = pattern.sub(replacement, stem)
    if not kind:
        return [(stem, value)]
    names = [f"{stem}.attention.self.{part}.{kind[1]}" for part in ("query", "key", "value")]
    return list(zip(names, value.chunk(3), strict=False))
