"""Any Hugging Face ``ClapModel`` repository, from a local folder -> prepared model.

Nothing here asks a network: a rule of its own fetches the repository at its pinned revision. What
the model hears is what transformers' ``ClapFeatureExtractor`` makes of a clip with the repository's
own settings.
"""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from listenread.audio.base import AudioInput
from listenread.errors import ModelError
from listenread.files.checksums import checksum
from listenread.models import storage
from listenread.models.clap import tokens
from listenread.models.clap.prepared import Conversion, Stopwatch, Weights, write_prepared
from listenread.models.clap.sizes import FrontEndSizes, Sizes, TextSizes
from listenread.models.common.checkpoints import read_checkpoint

#: Settings of a `ClapAudioConfig` that say what the tower computes in inference.
AUDIO_SETTINGS = (
    "window_size",
    "num_mel_bins",
    "spec_size",
    "hidden_act",
    "patch_size",
    "patch_stride",
    "hidden_size",
    "projection_dim",
    "depths",
    "num_attention_heads",
    "enable_fusion",
    "fusion_type",
    "patch_embed_input_channels",
    "flatten_patch_embeds",
    "patch_embeds_hidden_size",
    "enable_patch_layer_norm",
    "qkv_bias",
    "mlp_ratio",
    "aff_block_r",
    "num_hidden_layers",
    "layer_norm_eps",
)
_PADDINGS: dict[str, Literal["zeros", "repeat_pad"]] = {"repeatpad": "repeat_pad", "pad": "zeros"}
_NOT_USED = frozenset(
    {
        "logit_scale_a",
        "logit_scale_t",
        "text_model.embeddings.position_ids",
        "text_model.embeddings.token_type_ids",
    }
)


def convert_hf_clap(
    snapshot_dir: str | Path,
    output_dir: str | Path,
    *,
    cropping: Literal["first", "centre", "mean_of_windows"] = "centre",
    **provenance: Any,
) -> Conversion:
    """Prepare a `ClapModel` repository, with or without fusion.

    A fusion model looks at clips over 10 s as a whole and at three random parts of them. Here it is
    given windows of 10 s, one by one, as any other model: a vector is the same every time.

    Args:
        snapshot_dir: the repository's files: ``config.json``, ``preprocessor_config.json``,
            ``model.safetensors`` or ``pytorch_model.bin``, and ``tokenizer.json`` or the pair
            ``vocab.json`` and ``merges.txt``.
        output_dir: folder of the prepared model.
        cropping: what is heard of clips over 10 s; the feature extractor crops at random.
        **provenance: JSON-serialisable facts to record, e.g. repository and revision.

    Raises:
        ModelError: a file is missing or damaged, the settings are of no kind that is known here, or
            weights do not fit the configuration.
    """
    stopwatch = Stopwatch()
    snapshot = Path(snapshot_dir)
    _refuse_incomplete(snapshot)
    config, extractor = _settings(snapshot)
    sizes = _sizes(snapshot, config, extractor)
    weights_path, state = _read_weights(snapshot)
    weights = _weights(state, _mel_filters(extractor), sizes.front_end)
    with tempfile.TemporaryDirectory(prefix="listenread-") as folder:
        tokenizer_path = _tokenizer(snapshot, Path(folder))
        tokens.check(tokenizer_path, sizes.text, complete=False)
        write_prepared(
            output_dir,
            weights,
            tokenizer_path,
            source=weights_path,
            family="hf_clap",
            sizes=sizes,
            audio_input=_audio_input(snapshot, extractor, cropping),
            provenance={
                **provenance,
                "checkpoint_sha256": checksum(weights_path),
                "tokenizer_sha256": checksum(tokenizer_path),
            },
        )
    return stopwatch.read()


def _refuse_incomplete(snapshot: Path) -> None:
    """List every kind of file that is not there; a missing one would silently mean defaults."""
    wanted = (
        [["config.json"]],
        [["preprocessor_config.json"], ["processor_config.json"]],
        [["model.safetensors"], ["pytorch_model.bin"]],
        [["tokenizer.json"], ["vocab.json", "merges.txt"]],
    )
    missing = [
        " or ".join(" and ".join(names) for names in choices)
        for choices in wanted
        if not any(all((snapshot / name).is_file() for name in names) for names in choices)
    ]
    if missing:
        raise ModelError(
            f"{snapshot} is not a complete ClapModel repository. Missing: {'; '.join(missing)}."
        )


def _settings(snapshot: Path) -> tuple[Any, Any]:
    """Read the model's configuration and its feature extractor, as transformers has them."""
    from transformers.models.clap.configuration_clap import ClapConfig
    from transformers.models.clap.feature_extraction_clap import ClapFeatureExtractor

    try:
        content = json.loads((snapshot / "config.json").read_text(encoding="utf-8"))
        if content.get("model_type") != "clap":
            raise ModelError(
                f"{snapshot / 'config.json'} describes a model of type "
                f"{content.get('model_type')!r}; family hf_clap needs 'clap'."
            )
        config = ClapConfig.from_pretrained(snapshot, local_files_only=True)
        extractor = ClapFeatureExtractor.from_pretrained(snapshot, local_files_only=True)
    except (OSError, ValueError, TypeError) as error:
        raise ModelError(f"{snapshot}: its configuration cannot be used ({error}).") from error
    return config, extractor


def _sizes(snapshot: Path, config: Any, extractor: Any) -> Sizes:
    text, audio_settings = config.text_config, config.audio_config.to_dict()
    problems = []
    if text.hidden_act != "gelu":
        problems.append(f"text_config.hidden_act is {text.hidden_act!r}; only 'gelu' is known")
    if extractor.feature_size != config.audio_config.num_mel_bins:
        problems.append(
            f"the feature extractor makes {extractor.feature_size} mel bins, the model reads "
            f"{config.audio_config.num_mel_bins}"
        )
    if config.audio_config.enable_fusion != (extractor.truncation == "fusion"):
        problems.append(
            f"enable_fusion is {config.audio_config.enable_fusion} in config.json, but the feature "
            f"extractor's truncation is {extractor.truncation!r}"
        )
    if problems:
        raise ModelError(f"{snapshot}: {'; '.join(problems)}.")
    return Sizes(
        audio_config={name: audio_settings[name] for name in AUDIO_SETTINGS},
        front_end=FrontEndSizes(
            extractor.fft_window_size, extractor.hop_length, extractor.feature_size
        ),
        text=TextSizes(
            vocabulary=text.vocab_size,
            max_tokens=_max_tokens(snapshot, text),
            positions=text.max_position_embeddings,
            d_encoder=text.hidden_size,
            d_feed_forward=text.intermediate_size,
            layers=text.num_hidden_layers,
            heads=text.num_attention_heads,
            pad_id=text.pad_token_id,
            layer_norm_eps=text.layer_norm_eps,
        ),
        d_joint=config.projection_dim,
        projection_activation=config.projection_hidden_act,
    )


def _max_tokens(snapshot: Path, text: Any) -> int:
    """As many tokens as there are positions, or fewer where the tokenizer's settings say so."""
    longest = text.max_position_embeddings - text.pad_token_id - 1
    path = snapshot / "tokenizer_config.json"
    if not path.is_file():
        return longest
    settings = json.loads(path.read_text(encoding="utf-8"))
    return min(longest, int(settings.get("model_max_length") or longest))


def _audio_input(snapshot: Path, extractor: Any, cropping: Any) -> AudioInput:
    padding = _PADDINGS.get(extractor.padding)
    if padding is None:
        raise ModelError(
            f"{snapshot}: the feature extractor's padding {extractor.padding!r} is not one of "
            f"{', '.join(_PADDINGS)}."
        )
    return AudioInput(extractor.sampling_rate, extractor.max_length_s, padding, cropping)


def _mel_filters(extractor: Any) -> Tensor:
    """HTK filters for fusion models, Slaney's for the others, as the feature extractor has it."""
    fusion = extractor.truncation == "fusion"
    filters = extractor.mel_filters if fusion else extractor.mel_filters_slaney
    return torch.from_numpy(filters).float()


def _read_weights(snapshot: Path) -> tuple[Path, Mapping[str, Tensor]]:
    path = snapshot / "model.safetensors"
    if not path.is_file():
        path = snapshot / "pytorch_model.bin"
        return path, read_checkpoint(path)
    try:
        return path, load_file(path)
    except SafetensorError as error:
        raise ModelError(f"{path} is damaged ({error}); download it again.") from error


def _weights(state: Mapping[str, Tensor], mel_filters: Tensor, sizes: FrontEndSizes) -> Weights:
    towers: dict[str, dict[str, Tensor]] = {"audio": {}, "text": {}}
    unexpected = []
    for name, value in state.items():
        tower = name.partition("_")[0]
        if name in _NOT_USED:
            continue
        if tower in towers:
            towers[tower][name] = value
        else:
            unexpected.append(name)
    towers["audio"]["front_end.window"] = torch.hann_window(sizes.n_fft)
    towers["audio"]["front_end.mel_filters"] = mel_filters
    return Weights(towers["audio"], towers["text"], tuple(unexpected))


def _tokenizer(snapshot: Path, folder: Path) -> Path:
    path = snapshot / storage.TOKENIZER_FILE
    if path.is_file():
        return path
    path = folder / storage.TOKENIZER_FILE
    tokens.from_vocabulary(snapshot / "vocab.json", snapshot / "merges.txt").save(str(path))
    return path
