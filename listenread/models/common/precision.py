"""The precision that towers compute in; weights stay float32, and so do the vectors."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from listenread.models.base import TwoTower, Vectors

#: float32 in full; tf32, whose products have 10 bits of mantissa on a GPU; bfloat16 by autocast.
PRECISIONS = ("float32", "tf32", "bfloat16")


class InPrecision:
    """A two-tower model that computes in a given precision; see `TwoTower`."""

    def __init__(self, model: TwoTower, precision: str, device: str):
        """Wrap a model.

        Args:
            model: any; its torch operations on the device are what the precision is for.
            precision: one of `PRECISIONS`.
            device: the torch device that it is on.
        """
        if precision not in PRECISIONS:
            raise ValueError(f"precision is one of {', '.join(PRECISIONS)}, got {precision!r}")
        self.model, self.precision = model, precision
        self.kind = torch.device(device).type

    def __getattr__(self, name: str) -> Any:
        """Everything else is the model's, e.g. `audio_input` or its tokenizer."""
        return getattr(self.model, name)

    def encode_audio(self, waveforms: np.ndarray) -> Vectors:
        """Encode float32 waveforms in [-1, 1], shape (batch, `audio_input.samples`)."""
        with computing_in(self.precision, self.kind):
            return self.model.encode_audio(waveforms)

    def encode_text(self, texts: list[str]) -> Vectors:
        """Encode a batch of texts."""
        with computing_in(self.precision, self.kind):
            return self.model.encode_text(texts)


@contextmanager
def computing_in(precision: str, kind: str) -> Iterator[None]:
    """Compute in a precision within a block; torch's own settings come back after it.

    torch allows tf32 in convolutions by itself, which is not float32: it is switched off here.

    Args:
        precision: one of `PRECISIONS`.
        kind: ``cpu`` or ``cuda``; a CPU has no tf32 and computes in float32.
    """
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = matmul.allow_tf32, cudnn.allow_tf32
    matmul.allow_tf32 = cudnn.allow_tf32 = precision == "tf32"
    try:
        with torch.autocast(kind, torch.bfloat16, enabled=precision == "bfloat16"):
            yield
    finally:
        matmul.allow_tf32, cudnn.allow_tf32 = before
