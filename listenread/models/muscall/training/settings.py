"""Every number that shapes a training run, in one frozen record."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from listenread.errors import ModelError
from listenread.models.muscall.sizes import Sizes


@dataclass(frozen=True)
class TrainingSettings:
    """How a two-tower model is trained; beside these, only data and device change its weights.

    Attributes:
        sizes: of both towers; the vocabulary is set from the tokenizer.
        seed: what is drawn for step s depends on (seed, s) only.
        steps: number of optimiser steps, fixed, so that a slow machine trains the same model.
        batch_size: pairs per step, in [2, clips].
        learning_rate: the largest one, reached after the warm-up.
        warmup_steps: steps over which it rises linearly; after them it falls to 0 along a cosine.
        betas: of AdamW.
        epsilon: of AdamW.
        weight_decay: of AdamW, on all parameters.
        largest_logit_scale: the learnable factor of the cosines, which starts at 1 / 0.07, is kept
            at or below this.
        precision: ``float32``, or mixed precision in ``bfloat16`` or ``float16`` (with loss
            scaling).
        captions: a column of the manifest, or a function ``package.module:name`` that is called
            with a clip's row (a mapping) and a numpy Generator and draws a caption.
        one_per: a column of which no two clips of a batch share a value, so that every other
            caption of the batch is wrong for a clip; None draws without regard.
        split: a column that says ``train`` or ``validation``; rows that say anything else are left
            out. None holds `validation_pairs` clips out by the seed, spread over the values of
            `one_per`.
        validation_pairs: held-out clips, each with a caption, for retrieval.
        evaluate_every: steps between two measurements of retrieval; the last step is always
            measured.
        keep: weights that become the model: those of the ``last`` step, or the ``best`` measured
            ones by R@10.
        crop: what is taken of a longer clip: ``first``, ``centre`` or ``random``.
        resample: a clip is played faster or slower by a factor drawn from [1 - resample, 1 +
            resample].
        gain_db: a clip's level is changed by a number of decibels drawn from [-gain_db, gain_db].
        noise_p: probability that white noise is added.
        noise_snr_db: signal-to-noise ratio, lowest and highest.
        pitch_shift_p: probability that a clip is transposed without a change of tempo.
        pitch_shift_semitones: transposed by whole semitones from [-n, n], 0 left out.
        tokenizer: path of a ``tokenizer.json``, or None for a word-level one of the captions.
        tokenizer_captions: captions drawn per clip to make a word-level tokenizer, where a function
            draws them.
        checkpoint_every: steps between two checkpoints; 0 for none.
        memory_mb: decoded clips are kept in memory up to this size and decoded anew at each use
            beyond.
    """

    sizes: Sizes = field(default_factory=Sizes)
    seed: int = 0
    steps: int = 7300
    batch_size: int = 256
    learning_rate: float = 5e-5
    warmup_steps: int = 0
    betas: tuple[float, float] = (0.9, 0.98)
    epsilon: float = 1e-6
    weight_decay: float = 0.2
    largest_logit_scale: float = 100.0
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    captions: str = "caption"
    one_per: str | None = None
    split: str | None = None
    validation_pairs: int = 1000
    evaluate_every: int = 73
    keep: Literal["last", "best"] = "best"
    crop: Literal["first", "centre", "random"] = "random"
    resample: float = 0.0
    gain_db: float = 0.0
    noise_p: float = 0.0
    noise_snr_db: tuple[float, float] = (10.0, 40.0)
    pitch_shift_p: float = 0.0
    pitch_shift_semitones: int = 5
    tokenizer: str | None = None
    tokenizer_captions: int = 20
    checkpoint_every: int = 100
    memory_mb: int = 2000

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
