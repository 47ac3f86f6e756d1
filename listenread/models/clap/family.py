"""The families `laion_clap` and `hf_clap` as the registry loads them: one model, two origins."""

from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import nn

from listenread.audio.base import AudioInput
from listenread.errors import ModelError
from listenread.models import storage
from listenread.models.base import LoadTower, Vectors
from listenread.models.clap import tokens
from listenread.models.clap.sizes import Sizes
from listenread.models.clap.text import TextTower
from listenread.models.common.inference import encode_waveforms, to_vectors
from listenread.models.common.weights import read_tower

#: Texts of one length that go through the text tower together.
TEXT_BATCH = 64


class CLAP:
    """A prepared CLAP model for inference; see `listenread.models.base.Family`."""

    def __init__(
        self, model_dir: Path, description: Mapping[str, Any], *, tower: LoadTower, device: str
    ):
        self.model_dir, self.device = Path(model_dir), torch.device(device)
        self.sizes = Sizes.from_dict(description.get("sizes", {}))
        self.audio_input = AudioInput(**description["audio_input"])
        self.audio_tower = self._audio_tower() if tower != "text" else None
        self.text_tower = self._text_tower() if tower != "audio" else None
        self.tokenizer: Tokenizer | None = None
        if tower != "audio":
            self.tokenizer = tokens.load(self.model_dir / storage.TOKENIZER_FILE, self.sizes.text)

    def _audio_tower(self) -> nn.Module:
        # transformers takes seconds to import, and a text job does without it
        from listenread.models.clap.attention import fuse
        from listenread.models.clap.audio import AudioTower
        from listenread.models.clap.linear import use_onednn

        with torch.device("meta"):
            tower = AudioTower(self.sizes)
        read_tower(tower, self.model_dir / storage.AUDIO_TOWER_FILE, str(self.device))
        fuse(tower)
        if self.device.type == "cpu":
            use_onednn(tower)
        return tower.eval()

    def _text_tower(self) -> nn.Module:
        sizes = self.sizes
        with torch.device("meta"):
            tower = TextTower(sizes.text, sizes.d_joint, sizes.projection_activation)
        read_tower(tower, self.model_dir / storage.TEXT_TOWER_FILE, str(self.device))
        return tower.eval()

    def encode_audio(self, waveforms: np.ndarray) -> Vectors:
        """Encode float32 waveforms in [-1, 1], shape (batch, `audio_input.samples`)."""
        if self.audio_tower is None:
            raise ModelError(f"{self.model_dir} was loaded without its audio tower.")
        return encode_waveforms(self.audio_tower, waveforms, self.audio_input, self.device)

    def count_tokens(self, texts: list[str]) -> tuple[list[int], int]:
        """Count the tokens of texts with the first and the last one, and say how many are read."""
        if self.tokenizer is None:
            raise ModelError(f"{self.model_dir} was loaded without its text tower.")
        added = self.tokenizer.num_special_tokens_to_add(False)
        counts = [
            len(encoding.ids) + sum(len(rest.ids) - added for rest in encoding.overflowing)
            for encoding in self.tokenizer.encode_batch(list(texts))
        ]
        return counts, self.sizes.text.max_tokens

    def encode_text(self, texts: list[str]) -> Vectors:
        """Encode a batch of texts.

        Texts of one length go together, so that nothing is padded: a prompt of 7 tokens costs 7,
        not 77, and its vector does not depend on its neighbours.
        """
        if self.text_tower is None or self.tokenizer is None:
            raise ModelError(f"{self.model_dir} was loaded without its text tower.")
        ids = [encoding.ids for encoding in self.tokenizer.encode_batch(list(texts))]
        pre_joint = np.zeros((len(ids), self.sizes.text.d_encoder), dtype=np.float32)
        joint = np.zeros((len(ids), self.sizes.d_joint), dtype=np.float32)
        by_length = sorted(range(len(ids)), key=lambda i: len(ids[i]))
        for _, group in groupby(by_length, key=lambda i: len(ids[i])):
            rows = list(group)
            for start in range(0, len(rows), TEXT_BATCH):
                chunk = rows[start : start + TEXT_BATCH]
                batch = torch.tensor([ids[i] for i in chunk], device=self.device)
                with torch.inference_mode():
                    vectors = to_vectors(*self.text_tower(batch))
                pre_joint[chunk], joint[chunk] = vectors
        return Vectors(pre_joint, joint)
