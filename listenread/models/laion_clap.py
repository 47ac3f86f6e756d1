"""The family `laion_clap`: LAION-CLAP checkpoints (``.pt``) of the kind without fusion."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from listenread.models.base import (
    PREPARED,
    Cropping,
    Family,
    Preparation,
    PreparationContext,
    TowerSettings,
    own_or_made,
    remote_file,
)
from listenread.settings import LocalOrRemoteFile


class LaionClapSettings(TowerSettings):
    """A LAION-CLAP checkpoint (`.pt`) of the kind without fusion."""

    checkpoint: LocalOrRemoteFile
    tokenizer: LocalOrRemoteFile
    audio_model: Literal["HTSAT-base", "HTSAT-tiny"] = Field(description="The audio tower's size.")
    cropping: Cropping = "centre"


def convert(
    inputs: Mapping[str, Path],
    model_dir: Path,
    settings: Mapping[str, Any],
    context: PreparationContext,
) -> object:
    """Convert a checkpoint; see `listenread.models.clap.from_laion.convert_laion_clap`."""
    from listenread.models.clap.from_laion import convert_laion_clap

    return convert_laion_clap(inputs["checkpoint"], inputs["tokenizer"], model_dir, **settings)


FAMILY = Family(
    name="laion_clap",
    description="A LAION-CLAP checkpoint (`.pt`) of the kind without fusion.",
    settings=LaionClapSettings,
    towers=frozenset({"audio", "text"}),
    loader="listenread.models.clap.family:CLAP",
    preparations=(
        Preparation(
            rule="convert_laion_clap",
            make=convert,
            outputs=PREPARED,
            inputs=own_or_made("checkpoint", "tokenizer"),
            uses=("audio_model", "cropping"),
        ),
    ),
    material=(
        remote_file("fetch_laion_clap_checkpoint", "checkpoint", "checkpoint.pt"),
        remote_file("fetch_laion_clap_tokenizer", "tokenizer", "tokenizer.json"),
    ),
    licence="CC0-1.0 (code and weights)",
    training_data="LAION-Audio-630k and AudioSet, music and speech by the name of the checkpoint",
)
