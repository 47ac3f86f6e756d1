"""TinySOL's stand-in: the same instruments, pitches and dynamics, rendered from a SoundFont.

The notes are written in TinySOL's folder layout with a csv of the same columns, and read by
TinySOL's own reader.
"""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from listenread.datasets import tinysol
from listenread.datasets.base import DatasetKind, LabelledSettings
from listenread.datasets.gm.settings import RENDERING, RenderedSettings, locate
from listenread.files.material import Material

Dynamics: TypeAlias = Literal["pp", "p", "mf", "f", "ff"]
#: MIDI velocity of each of the dynamics that are rendered; training keeps clear of them.
VELOCITIES: dict[Dynamics, int] = {"pp": 40, "mf": 80, "ff": 120}


class GmNotesSettings(RenderedSettings, LabelledSettings):
    """TinySOL's instruments, pitch ranges and dynamics, rendered from a General MIDI SoundFont."""

    velocities: dict[Dynamics, Annotated[int, Field(ge=1, le=127)]] = Field(
        default_factory=VELOCITIES.copy,
        min_length=1,
        description="MIDI velocity of each of the dynamics that are rendered.",
    )
    folds: int = Field(
        default=5,
        ge=2,
        description="Folds for the corrected audio-only protocol, stratified by class.",
    )


KIND = DatasetKind(
    name="gm_notes",
    description="TinySOL's instruments, pitch ranges and dynamics, rendered from a General MIDI "
    "SoundFont.",
    settings=GmNotesSettings,
    locate=locate,
    read_clips=tinysol.read_clips,
    material=(
        Material(
            rule="render_gm_notes",
            outputs={"audio": "audio/", "metadata": "metadata.csv"},
            make="listenread.datasets.gm.notes:make",
            uses=(*RENDERING, "velocities", "folds"),
            network=False,
            minutes=15,
            megabytes=2000,
            all_cores=True,
        ),
    ),
    licence="rendered here; the SoundFont TimGM6mb.sf2 is GPL-2",
    citation="notes of TimGM6mb.sf2, the SoundFont of https://github.com/craffel/pretty-midi",
)
