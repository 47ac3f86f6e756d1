"""TinySOL's stand-in: the same instruments, pitches and dynamics, rendered from a SoundFont.

The notes are written in TinySOL's folder layout with a csv of the same columns, and read by
TinySOL's own reader.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from listenread.datasets import tinysol
from listenread.datasets.base import ClipRow, DatasetKind, LabelledSettings, Places
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


def read_clips(places: Places, settings: Mapping[str, Any]) -> list[ClipRow]:
    """Read the csv that `gm.notes.render` wrote, as TinySOL's.

    The SoundFont has one sample for a note, which its dynamics play at different gains: they are
    one group.
    """
    return [
        replace(row, group=f"{row.labels[0]} {row.known['pitch']}")
        for row in tinysol.read_clips(places, settings)
    ]


KIND = DatasetKind(
    name="gm_notes",
    description="TinySOL's instruments, pitch ranges and dynamics, rendered from a General MIDI "
    "SoundFont.",
    settings=GmNotesSettings,
    locate=locate,
    read_clips=read_clips,
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
    groups="The dynamics of a note are one sample at several gains: one group.",
    citation="notes of TimGM6mb.sf2, the SoundFont of https://github.com/craffel/pretty-midi",
)
