"""The family `muscall` as the registry loads it, and the module that training optimises."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor, nn

from listenread.errors import ModelError
from listenread.models import registry, tokenizers
from listenread.models.base import LoadTower, Tower, Vectors
from listenread.models.muscall.cnn import SmallCNN
from listenread.models.muscall.resnet import ResNet
from listenread.models.muscall.sizes import Sizes
from listenread.models.muscall.text import TextTransformer

AUDIO_PARTS = ("audio_backbone.", "audio_projection.")


class TwoTowerModule(nn.Module):
    """Both towers, or one, and the logit scale, under the public checkpoint's parameter names."""

    def __init__(self, sizes: Sizes, tower: LoadTower = "both"):
        super().__init__()
        self.sizes = sizes
        if tower in ("audio", "both"):
            backbone = {"resnet": ResNet, "cnn": SmallCNN}[sizes.audio.kind]
            self.audio_backbone = backbone(sizes.audio)
            self.audio_projection = nn.Linear(sizes.audio.d_encoder, sizes.d_joint, bias=False)
        if tower in ("text", "both"):
            self.textual_head = TextTransformer(sizes.text)
            self.text_projection = nn.Linear(sizes.text.d_encoder, sizes.d_joint, bias=False)
            self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))

    def audio(self, waveforms: Tensor) -> tuple[Tensor, Tensor]:
        """Pre-joint and joint vectors of waveforms of shape (batch, samples)."""
        pre_joint = self.audio_backbone(waveforms)
        return pre_joint, F.normalize(self.audio_projection(pre_joint), dim=-1)

    def text(self, token_ids: Tensor) -> tuple[Tensor, Tensor]:
        """Pre-joint and joint vectors of token ids of shape (batch, tokens)."""
        pre_joint = self.textual_head(token_ids)
        return pre_joint, F.normalize(self.text_projection(pre_joint), dim=-1)


def split_towers(state: Mapping[str, Tensor]) -> dict[Tower, dict[str, Tensor]]:
    """Sort a whole model's parameters and buffers into those of each tower."""
    towers: dict[Tower, dict[str, Tensor]] = {"audio": {}, "text": {}}
    for name, value in state.items():
        tower: Tower = "audio" if name.startswith(AUDIO_PARTS) else "text"
        towers[tower][name] = value.detach().cpu().contiguous()
    return towers


class MusCALL:
    """A prepared model of this family for inference; see `listenread.models.base.Family`."""

    def __init__(
        self, model_dir: Path, description: Mapping[str, Any], *, tower: LoadTower, device: str
    ):
        self.model_dir, self.tower, self.device = model_dir, tower, torch.device(device)
        self.sizes = Sizes.from_dict(description.get("sizes", {}))
        self.audio_input = self.sizes.audio.audio_input
        with torch.device("meta"):
            self.module = TwoTowerModule(self.sizes, tower)
        files: dict[Tower, str] = {
            "audio": registry.AUDIO_TOWER_FILE,
            "text": registry.TEXT_TOWER_FILE,
        }
        state: dict[str, Tensor] = {}
        for part, name in files.items():
            if tower in (part, "both"):
                state |= _read(model_dir / name, str(self.device))
        _fill(self.module, state, model_dir)
        self.module.eval()
        self.tokenizer: Tokenizer | None = None
        if tower != "audio":
            self.tokenizer = tokenizers.load(model_dir / registry.TOKENIZER_FILE)
            self._check_vocabulary()

    def _check_vocabulary(self) -> None:
        found, wanted = self.tokenizer.get_vocab_size(), self.sizes.text.vocabulary
        if found != wanted:
            path = self.model_dir / registry.TOKENIZER_FILE
            raise ModelError(
                f"{path} has {found} tokens, but the text tower was made for {wanted}."
            )

    def encode_audio(self, waveforms: np.ndarray) -> Vectors:
        """Encode float32 waveforms in [-1, 1], shape (batch, `audio_input.samples`)."""
        if waveforms.ndim != 2 or waveforms.shape[1] != self.audio_input.samples:
            raise ValueError(
                f"waveforms need shape (batch, {self.audio_input.samples}), got {waveforms.shape}"
            )
        batch = torch.from_numpy(np.ascontiguousarray(waveforms, dtype=np.float32))
        with torch.inference_mode():
            return _to_vectors(*self.module.audio(batch.to(self.device)))

    def encode_text(self, texts: list[str]) -> Vectors:
        """Encode a batch of texts."""
        ids = tokenizers.encode(self.tokenizer, list(texts), self.sizes.text.max_tokens)
        with torch.inference_mode():
            return _to_vectors(*self.module.text(torch.from_numpy(ids).to(self.device)))


def _to_vectors(pre_joint: Tensor, joint: Tensor) -> Vectors:
    return Vectors(pre_joint.float().cpu().numpy(), joint.float().cpu().numpy())


def _read(path: Path, device: str) -> dict[str, Tensor]:
    try:
        return load_file(path, device=device)
    except FileNotFoundError as error:
        raise ModelError(f"{path} is missing; prepare the model again.") from error
    except SafetensorError as error:
        raise ModelError(f"{path} is damaged ({error}). Delete it and run again.") from error


def _fill(module: nn.Module, state: Mapping[str, Tensor], source: Path) -> None:
    """Give a module its parameters and buffers by name, or list everything that does not fit."""
    wanted = module.state_dict()
    problems = [f"missing {name}" for name in wanted if name not in state]
    problems += [f"unexpected {name}" for name in state if name not in wanted]
    problems += [
        f"{name} has shape {tuple(state[name].shape)}, not {tuple(value.shape)}"
        for name, value in wanted.items()
        if name in state and state[name].shape != value.shape
    ]
    if problems:
        raise ModelError(
            f"{source}: {len(problems)} weights do not fit the sizes in model.json:\n  "
            + "\n  ".join(problems)
        )
    module.load_state_dict(state, assign=True)
