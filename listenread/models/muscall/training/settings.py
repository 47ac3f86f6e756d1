"""Every number that shapes a training run, in one frozen record."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Annotated, Any, Literal

from pydantic import Field

from listenread.errors import ModelError
from listenread.models.muscall.sizes import Sizes


@dataclass(frozen=True)
class TrainingSettings:
    """How a two-tower model is trained; apart from these, data and device alone change weights."""

    sizes: Sizes = field(default_factory=Sizes)
    seed: Annotated[
        int,
        Field(ge=0, description="What is drawn for a step depends on the seed and the step only."),
    ] = 0
    steps: Annotated[int, Field(ge=1, description="Optimiser steps.")] = 7300
    batch_size: Annotated[int, Field(ge=2, description="Pairs per step.")] = 256
    learning_rate: Annotated[
        float, Field(gt=0, description="The largest one, after the warm-up.")
    ] = 5e-5
    warmup_steps: Annotated[
        int, Field(ge=0, description="Steps over which it rises; then it falls along a cosine.")
    ] = 0
    betas: Annotated[tuple[float, float], Field(description="Of AdamW.")] = (0.9, 0.98)
    epsilon: Annotated[float, Field(gt=0, description="Of AdamW.")] = 1e-6
    weight_decay: Annotated[float, Field(ge=0, description="Of AdamW.")] = 0.2
    largest_logit_scale: Annotated[
        float, Field(gt=0, description="The learnable factor of the cosines stays at or below it.")
    ] = 100.0
    precision: Annotated[
        Literal["float32", "bfloat16", "float16"],
        Field(description="Mixed precision where it is not float32."),
    ] = "float32"
    captions: Annotated[
        str,
        Field(
            description="A column of the manifest, or a function `package.module:name` "
            "that draws a caption for a clip's row."
        ),
    ] = "caption"
    one_per: Annotated[
        str | None,
        Field(
            description="A column of which no two clips of a batch share a value, so "
            "that every other caption of the batch is wrong."
        ),
    ] = None
    split: Annotated[
        str | None,
        Field(
            description="A column that says `train` or `validation`; null holds pairs out by the "
            "seed."
        ),
    ] = None
    validation_pairs: Annotated[int, Field(ge=2, description="Held-out pairs for retrieval.")] = (
        1000
    )
    evaluate_every: Annotated[
        int, Field(ge=1, description="Steps between two measurements of retrieval.")
    ] = 73
    keep: Annotated[
        Literal["last", "best"],
        Field(
            description="Weights that become the model: the last ones, or the best measured ones "
            "by R@10."
        ),
    ] = "best"
    crop: Annotated[
        Literal["first", "centre", "random"], Field(description="What is taken of a longer clip.")
    ] = "random"
    resample: Annotated[
        float,
        Field(ge=0, le=0.5, description="A clip is played faster or slower by up to this share."),
    ] = 0.0
    gain_db: Annotated[
        float, Field(ge=0, description="A clip's level changes by at most this many dB.")
    ] = 0.0
    noise_p: Annotated[
        float, Field(ge=0, le=1, description="Probability that white noise is added.")
    ] = 0.0
    noise_snr_db: Annotated[
        tuple[float, float], Field(description="Signal-to-noise ratio, lowest and highest.")
    ] = (10.0, 40.0)
    pitch_shift_p: Annotated[
        float, Field(ge=0, le=1, description="Probability that a clip is transposed.")
    ] = 0.0
    pitch_shift_semitones: Annotated[
        int, Field(ge=1, description="By at most this many semitones.")
    ] = 5
    tokenizer: str | None = None
    tokenizer_captions: Annotated[
        int,
        Field(
            ge=1,
            description="Captions drawn per clip to make a word-level tokenizer, where "
            "the model names no `tokenizer`.",
        ),
    ] = 20
    checkpoint_every: Annotated[
        int, Field(ge=0, description="Steps between checkpoints; 0 for none.")
    ] = 100
    memory_mb: Annotated[
        int, Field(ge=1, description="Decoded clips are kept in memory up to this size.")
    ] = 2000

    def __post_init__(self):
        problems = [
            f"{name} is {getattr(self, name)!r}, but must be {wanted}"
            for name, wanted, fits in self._rules()
            if not fits
        ]
        if problems:
            raise ModelError("The training settings cannot be used: " + "; ".join(problems) + ".")

    def _rules(self) -> list[tuple[str, str, bool]]:
        rules = [
            ("steps", "at least 1", self.steps >= 1),
            ("batch_size", "at least 2", self.batch_size >= 2),
            ("learning_rate", "above 0", self.learning_rate > 0),
            ("validation_pairs", "at least 2", self.validation_pairs >= 2),
            ("evaluate_every", "at least 1", self.evaluate_every >= 1),
            ("warmup_steps", "in [0, steps)", 0 <= self.warmup_steps < self.steps),
            ("resample", "in [0, 0.5]", 0 <= self.resample <= 0.5),
            ("noise_p", "in [0, 1]", 0 <= self.noise_p <= 1),
            ("pitch_shift_p", "in [0, 1]", 0 <= self.pitch_shift_p <= 1),
            ("checkpoint_every", "at least 0", self.checkpoint_every >= 0),
        ]
        choices = {
            "precision": ("float32", "bfloat16", "float16"),
            "keep": ("last", "best"),
            "crop": ("first", "centre", "random"),
        }
        for name, allowed in choices.items():
            rules.append((name, f"one of {', '.join(allowed)}", getattr(self, name) in allowed))
        return rules

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "TrainingSettings":
        """Read settings from plain values, as a config or JSON has them.

        Raises:
            ModelError: an unknown name, or a value out of range.
        """
        unknown = sorted(set(values) - {f.name for f in fields(cls)})
        if unknown:
            raise ModelError(f"unknown training settings: {', '.join(unknown)}.")
        plain = dict(values)
        plain["sizes"] = Sizes.from_dict(plain.get("sizes", {}))
        for name in ("betas", "noise_snr_db"):
            if name in plain:
                plain[name] = tuple(plain[name])
        return cls(**plain)

    def to_dict(self) -> dict[str, Any]:
        """Settings as a mapping for JSON."""
        return asdict(self)
