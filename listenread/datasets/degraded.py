"""A dataset's clips with a degradation between decoding and the tower."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from listenread.datasets.base import DatasetKind, DatasetSettings, Places, Vocabulary

if TYPE_CHECKING:
    from listenread.datasets.manifest import Manifest


class DegradedSettings(DatasetSettings):
    """The clips of another dataset, degraded before the tower hears them."""

    dataset: str = Field(description="The dataset to take the clips from.")
    degradation: str = Field(
        description="A built-in degradation, or `package.module:NAME` for one of your own."
    )
    level: float = Field(description="Its level; docs/catalogue.md says in which unit.")
    seed: int = Field(
        0, ge=0, description="Of what is drawn at random; a clip's seed is made of it and its id."
    )
    options: dict[str, Any] = Field(
        default_factory=dict, description="Further settings of the degradation."
    )
    vocabulary: Vocabulary | None = Field(
        None, description="Label -> words; that of the other dataset by default."
    )
    spellings: dict[str, dict[str, Annotated[str, Field(min_length=1)]]] = Field(
        default_factory=dict, description="As for the other dataset, which has its own, too."
    )


def locate(settings: DegradedSettings, made: Mapping[str, Path]) -> Places:
    """The clips are those that the manifest of the other dataset names."""
    return Places()


def derive(base: "Manifest | None", places: Places, settings: Mapping[str, Any]) -> "Manifest":
    """Take the manifest of the other dataset, with a note."""
    from dataclasses import replace

    assert base is not None
    note = f"Degraded: {settings['degradation']}, level {settings['level']:g}."
    return replace(base, notes=[*base.notes, note])


KIND = DatasetKind(
    name="degraded",
    description="The clips of another dataset, degraded before the tower hears them.",
    settings=DegradedSettings,
    locate=locate,
    derive=derive,
    base=lambda settings: settings.dataset,
    uses=("degradation", "level"),
    licence="that of the other dataset",
    citation="that of the other dataset",
)
