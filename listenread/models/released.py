"""The family `released`: the vectors that the paper's authors released, without towers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from listenread.files.material import Material, Source
from listenread.models.base import (
    Family,
    ModelSettings,
    Preparation,
    PreparationContext,
    ReleasedVectors,
)


class ReleasedSettings(ModelSettings):
    """The vectors that the paper's authors released; cells that they do not cover say so."""

    released_system: Literal["muscall", "music_laion_clap", "music_speech_laion_clap"] = Field(
        description="Folder of the released vectors."
    )


def fetch(outputs: Mapping[str, Path], settings: Mapping[str, Any], source: Source) -> None:
    """Fetch all vectors of a system; a file that is not available is recorded, not an error."""
    from listenread.paper.vectors import fetch_system

    fetch_system(outputs["vectors"], settings["released_system"], source)


def describe(
    inputs: Mapping[str, Path],
    model_dir: Path,
    settings: Mapping[str, Any],
    context: PreparationContext,
) -> None:
    """Write ``model.json``: which files there are, and why the others are not."""
    from listenread.models import storage
    from listenread.paper.vectors import read_source

    storage.write_description(
        model_dir, "released", None, system=settings["released_system"],
        **read_source(inputs["vectors"]),
    )  # fmt: skip


FAMILY = Family(
    name="released",
    description="The vectors that the paper's authors released, without towers.",
    settings=ReleasedSettings,
    towers=frozenset(),
    preparations=(
        Preparation(
            rule="describe_released",
            make=describe,
            outputs=("model.json",),
            inputs=lambda settings, made: {"vectors": made["vectors"]},
            uses=("released_system",),
        ),
    ),
    material=(
        Material(
            rule="fetch_released",
            outputs={"vectors": "released/"},
            make=fetch,
            uses=("released_system",),
        ),
    ),
    vectors=ReleasedVectors(
        read_audio="listenread.paper.vectors:read_audio",
        read_text="listenread.paper.vectors:read_text",
        without_ontology="text vectors were released for TinySOL's labels only",
    ),
    licence="not stated by the authors",
    training_data="that of the paper's models",
)
