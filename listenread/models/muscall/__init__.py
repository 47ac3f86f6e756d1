"""The family `muscall`: MusCALL's architecture, from a checkpoint or trained here.

Manco, Benetos, Quinton, Fazekas: Contrastive audio-language learning for music, ISMIR 2022, arXiv
2208.12208.
"""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, get_type_hints

from pydantic import Field, create_model, model_validator

from listenread.models.base import (
    PREPARED,
    Family,
    Preparation,
    PreparationContext,
    TowerSettings,
    own_or_made,
    remote_file,
)
from listenread.models.muscall.sizes import AudioSizes, TextSizes
from listenread.models.muscall.training.settings import TrainingSettings
from listenread.settings import LocalOrRemoteFile, Settings


def _settings_of(
    record: type, *, without: tuple[str, ...] = (), lists: Mapping[str, Any] | None = None
) -> Any:
    """Make a base class of settings of a dataclass with annotated fields; tuples are lists in YAML.

    It is of type `Any` for a type checker, which cannot look into a class that is made.
    """
    own: dict[str, Any] = {}
    for field in fields(record):
        if field.name not in without:
            kind = (lists or {}).get(field.name, field.type)
            default = list(field.default) if isinstance(field.default, tuple) else field.default
            own[field.name] = (kind, default)
    return create_model(f"{record.__name__}Settings", __base__=Settings, **own)


def _described(record: type, name: str) -> str:
    """The description of an annotated field of a dataclass."""
    return str(get_type_hints(record, include_extras=True)[name].__metadata__[0].description)


_AudioBase: Any = _settings_of(
    AudioSizes,
    lists={
        "blocks": Annotated[
            list[Annotated[int, Field(ge=1)]],
            Field(min_length=4, max_length=4, description=_described(AudioSizes, "blocks")),
        ]
    },
)
_TextBase: Any = _settings_of(TextSizes, without=("vocabulary",))


class AudioTowerSettings(_AudioBase):
    """The audio tower and its front-end."""


class TextTowerSettings(_TextBase):
    """The text tower."""


class SizesSettings(Settings):
    """Sizes of both towers; the defaults are those of the public MusCALL configuration."""

    d_joint: int = Field(default=512, ge=1, description="Dimension of the joint space.")
    audio: AudioTowerSettings = Field(default_factory=AudioTowerSettings)
    text: TextTowerSettings = Field(default_factory=TextTowerSettings)


_TrainingBase: Any = _settings_of(
    TrainingSettings,
    without=("sizes", "tokenizer"),
    lists={
        "betas": Annotated[
            list[Annotated[float, Field(ge=0, lt=1)]],
            Field(min_length=2, max_length=2, description=_described(TrainingSettings, "betas")),
        ],
        "noise_snr_db": Annotated[
            list[float],
            Field(
                min_length=2,
                max_length=2,
                description=_described(TrainingSettings, "noise_snr_db"),
            ),
        ],
    },
)


class TrainSettings(_TrainingBase):
    """Contrastive training on a captioned dataset.

    The defaults are those of the public MusCALL code where it has them.
    """

    dataset: str = Field(description="A captioned dataset of the catalogue.")
    threads: int = Field(default=1, ge=1, description="CPU threads.")

    @model_validator(mode="after")
    def _warm_up_ends(self) -> "TrainSettings":
        if self.warmup_steps >= self.steps:
            raise ValueError("`warmup_steps` must be less than `steps`")
        return self


class MusCallSettings(TowerSettings):
    """MusCALL's architecture, trained here or from a checkpoint of the public code."""

    checkpoint: LocalOrRemoteFile | None = None
    tokenizer: LocalOrRemoteFile | None = None
    sizes: SizesSettings = Field(default_factory=SizesSettings)
    train: TrainSettings | None = None

    @model_validator(mode="after")
    def _has_one_origin(self) -> "MusCallSettings":
        if (self.train is None) == (self.checkpoint is None):
            raise ValueError("needs one of `train`, `checkpoint`")
        if self.checkpoint is not None and self.tokenizer is None:
            raise ValueError("`checkpoint` needs `tokenizer`")
        return self


def convert(
    inputs: Mapping[str, Path],
    model_dir: Path,
    settings: Mapping[str, Any],
    context: PreparationContext,
) -> None:
    """Convert a checkpoint; see `listenread.models.muscall.checkpoint.convert_muscall`."""
    from listenread.models.muscall.checkpoint import convert_muscall
    from listenread.models.muscall.sizes import Sizes

    convert_muscall(
        inputs["checkpoint"], inputs["tokenizer"], model_dir, Sizes.from_dict(settings["sizes"])
    )


def train(
    inputs: Mapping[str, Path],
    model_dir: Path,
    settings: Mapping[str, Any],
    context: PreparationContext,
) -> None:
    """Train a model; see `listenread.models.muscall.training.loop.train_two_tower`."""
    from listenread.models.muscall.training.loop import train_two_tower

    others = {k: v for k, v in settings["train"].items() if k not in ("dataset", "threads")}
    tokenizer = inputs.get("tokenizer")
    train_two_tower(
        inputs["manifest"],
        model_dir,
        TrainingSettings.from_dict(
            {
                "sizes": settings["sizes"],
                "tokenizer": None if tokenizer is None else str(tokenizer),
                **others,
            }
        ),
        threads=context.threads,
        device=context.device,
        checkpoint_dir=context.checkpoint_dir,
    )


def _own_tokenizer(settings: MusCallSettings, made: Mapping[str, Path]) -> Mapping[str, Path]:
    """The tokenizer of a model to be trained; without one it is made of the captions."""
    return {} if settings.tokenizer is None else own_or_made("tokenizer")(settings, made)


def _caption_module(settings: MusCallSettings) -> tuple[str, ...]:
    """The module of the function that draws captions; none where a column has them."""
    if settings.train is None:
        return ()
    source, _, function = settings.train.captions.partition(":")
    return (source,) if function else ()


FAMILY = Family(
    name="muscall",
    description="MusCALL's architecture, trained here or from a checkpoint of the public code.",
    settings=MusCallSettings,
    towers=frozenset({"audio", "text"}),
    loader="listenread.models.muscall.family:MusCALL",
    preparations=(
        Preparation(
            rule="train_muscall",
            make=train,
            outputs=(*PREPARED, "training.csv"),
            inputs=_own_tokenizer,
            uses=("sizes", "train"),
            when=lambda settings: settings.train is not None,
            dataset=lambda settings: settings.train.dataset,
            code=_caption_module,
            trains=True,
            threads=lambda settings: settings.train.threads,
            minutes=120,
        ),
        Preparation(
            rule="convert_muscall",
            make=convert,
            outputs=PREPARED,
            inputs=own_or_made("checkpoint", "tokenizer"),
            uses=("sizes",),
        ),
    ),
    material=(
        remote_file("fetch_muscall_checkpoint", "checkpoint", "checkpoint.pth.tar"),
        remote_file("fetch_muscall_tokenizer", "tokenizer", "tokenizer.json"),
    ),
    licence="GPL-3.0 (the authors' code); this implementation is Apache-2.0",
    training_data="the paper's model on a private collection of 250,000 audio-text pairs; models "
    "that are trained here on what `train.dataset` names",
)
