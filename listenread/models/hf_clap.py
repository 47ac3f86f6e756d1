"""The family `hf_clap`: any `ClapModel` repository of the Hugging Face hub."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, model_validator

from listenread.files.material import Material, Source
from listenread.models.base import (
    PREPARED,
    Cropping,
    Family,
    Preparation,
    PreparationContext,
    TowerSettings,
)
from listenread.settings import Repository


class HfClapSettings(TowerSettings):
    """Any `ClapModel` repository of the Hugging Face hub."""

    repository: Repository | None = Field(default=None, description="Its name, `owner/name`.")
    revision: Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")] | None = Field(
        default=None, description="The commit, 40 hexadecimal digits."
    )
    snapshot: str | None = Field(
        default=None,
        description="A folder that holds the repository's files already; it is taken first.",
    )
    cropping: Cropping = "centre"

    @model_validator(mode="after")
    def _is_somewhere(self) -> "HfClapSettings":
        if self.snapshot is None and (self.repository is None or self.revision is None):
            raise ValueError("needs `repository` and `revision`, or `snapshot`")
        return self


def fetch(outputs: Mapping[str, Path], settings: Mapping[str, Any], source: Source) -> None:
    """Fetch a repository at its pinned revision."""
    from listenread.files.hub import fetch_repository

    fetch_repository(outputs["snapshot"], mirror=source.mirror, **settings)


def inputs(settings: HfClapSettings, made: Mapping[str, Path]) -> Mapping[str, Path]:
    """The user's snapshot, or what was fetched."""
    own = settings.snapshot
    return {"snapshot": made["snapshot"] if own is None else Path(own)}


def convert(
    inputs: Mapping[str, Path],
    model_dir: Path,
    settings: Mapping[str, Any],
    context: PreparationContext,
) -> object:
    """Convert a repository; see `listenread.models.clap.from_hf.convert_hf_clap`."""
    from listenread.models.clap.from_hf import convert_hf_clap

    return convert_hf_clap(inputs["snapshot"], model_dir, **settings)


FAMILY = Family(
    name="hf_clap",
    description="Any `ClapModel` repository of the Hugging Face hub.",
    settings=HfClapSettings,
    towers=frozenset({"audio", "text"}),
    loader="listenread.models.clap.family:CLAP",
    preparations=(
        Preparation(
            rule="convert_hf_clap",
            make=convert,
            outputs=PREPARED,
            inputs=inputs,
            uses=("cropping",),
        ),
    ),
    material=(
        Material(
            rule="fetch_hf_clap_repository",
            outputs={"snapshot": "repository/"},
            make=fetch,
            uses=("repository", "revision"),
            when=lambda settings: settings.snapshot is None,
        ),
    ),
    licence="that of the repository; LAION's are Apache-2.0",
    training_data="see the repository; LAION's on LAION-Audio-630k and more",
)
