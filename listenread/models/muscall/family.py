"""The family `muscall` as the registry loads it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import nn

from listenread.errors import ModelError
from listenread.models import storage
from listenread.models.base import LoadTower, Vectors
from listenread.models.common import tokenization
from listenread.models.common.inference import encode_waveforms, to_vectors
from listenread.models.common.weights import read_tower
from listenread.models.muscall.sizes import Sizes
from listenread.models.muscall.towers import AudioTower, TextTower


class MusCALL:
    """A prepared model of this family for inference; see `listenread.models.base.Family`."""

    def __init__(
        self, model_dir: Path, description: Mapping[str, Any], *, tower: LoadTower, device: str
    ):
        self.model_dir, self.device = Path(model_dir), torch.device(device)
        self.sizes = Sizes.from_dict(description.get("sizes", {}))
        self.audio_input = self.sizes.audio.audio_input
        self.audio_tower: nn.Module | None = None
        self.text_tower: nn.Module | None = None
        self.tokenizer: Tokenizer | None = None
        if tower != "text":
            self.audio_tower = self._tower(AudioTower, storage.AUDIO_TOWER_FILE)
        if tower != "audio":
            self.text_tower = self._tower(TextTower, storage.TEXT_TOWER_FILE)
            self.tokenizer = self._tokenizer()

    def _tower(self, kind: type[nn.Module], file_name: str) -> nn.Module:
        # not on the meta device: initialising there imports torch._dynamo, which takes seconds
        tower = kind(self.sizes)
        read_tower(tower, self.model_dir / file_name, str(self.device))
        return tower.eval()

    def _tokenizer(self) -> Tokenizer:
        path = self.model_dir / storage.TOKENIZER_FILE
        tokenizer = tokenization.load(path)
        found, wanted = tokenizer.get_vocab_size(), self.sizes.text.vocabulary
        if found != wanted:
            raise ModelError(
                f"{path} has {found} tokens, but its text tower was made for {wanted}."
            )
        return tokenizer

    def encode_audio(self, waveforms: np.ndarray) -> Vectors:
        """Encode float32 waveforms in [-1, 1], shape (batch, `audio_input.samples`)."""
        if self.audio_tower is None:
            raise ModelError(f"{self.model_dir} was loaded without its audio tower.")
        return encode_waveforms(self.audio_tower, waveforms, self.audio_input, self.device)

    def count_tokens(self, texts: list[str]) -> tuple[list[int], int]:
        """Count the tokens of texts with their end, and say how many are read."""
        if self.tokenizer is None:
            raise ModelError(f"{self.model_dir} was loaded without its text tower.")
        counts = tokenization.count(self.tokenizer, list(texts))
        return counts, self.sizes.text.max_tokens

    def encode_text(self, texts: list[str]) -> Vectors:
        """Encode a batch of texts."""
        if self.text_tower is None or self.tokenizer is None:
            raise ModelError(f"{self.model_dir} was loaded without its text tower.")
        ids = tokenization.encode(self.tokenizer, list(texts), self.sizes.text.max_tokens)
        with torch.inference_mode():
            return to_vectors(*self.text_tower(torch.from_numpy(ids).to(self.device)))
