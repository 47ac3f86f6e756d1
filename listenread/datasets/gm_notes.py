"""TinySOL's stand-in: the same instruments, pitches and dynamics, rendered from a SoundFont.

The notes are written in TinySOL's folder layout with a csv of the same columns, and read by
TinySOL's own reader. Rendering is deterministic to the byte.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from listenread.datasets import tinysol
from listenread.datasets.base import (
    AudioFileSettings,
    ClipRow,
    DatasetKind,
    LabelledSettings,
    Places,
)
from listenread.datasets.gm.settings import RENDERED_BY, NoteSettings
from listenread.files.material import Material, Source


class NotesSettings(LabelledSettings, NoteSettings, AudioFileSettings):
    """TinySOL's instruments, pitch ranges and dynamics rendered from a General MIDI SoundFont."""

    velocities: dict[Literal["pp", "p", "mf", "f", "ff"], Annotated[int, Field(ge=1, le=127)]] = (
        Field(
            default_factory=lambda: {"pp": 40, "mf": 80, "ff": 120},
            min_length=1,
            description="MIDI velocity of each of the dynamics that are rendered.",
        )
    )
    folds: int = Field(
        5, ge=2, description="Folds for the corrected audio-only protocol, stratified by class."
    )


def render(outputs: Mapping[str, Path], settings: Mapping[str, Any], source: Source) -> None:
    """Render the notes and write their csv; see `listenread.datasets.gm.notes.render`."""
    from listenread.datasets.gm import notes
    from listenread.datasets.gm.soundfont import find_soundfont

    others = dict(settings)
    soundfont = others.pop("soundfont")
    notes.render(
        find_soundfont(soundfont["path"], soundfont["sha256"]),
        outputs["audio"],
        outputs["metadata"],
        workers=source.threads,
        **others,
    )


def locate(settings: NotesSettings, made: Mapping[str, Path]) -> Places:
    """Both the notes and their csv are rendered."""
    return Places(root=made["audio"], metadata=made["metadata"])


def read_clips(places: Places, settings: Mapping[str, Any]) -> list[ClipRow]:
    """Read the csv that `render` wrote."""
    assert places.root is not None and places.metadata is not None
    return tinysol.read(places.root, places.metadata)


KIND = DatasetKind(
    name="gm_notes",
    description="TinySOL's instruments, pitch ranges and dynamics rendered from a General MIDI "
    "SoundFont.",
    settings=NotesSettings,
    locate=locate,
    read_clips=read_clips,
    material=(
        Material(
            rule="render_gm_notes",
            outputs={"audio": "audio/", "metadata": "metadata.csv"},
            make=render,
            uses=(*RENDERED_BY, "folds"),
            network=False,
            minutes=15,
            all_cores=True,
        ),
    ),
    licence="of the SoundFont: TimGM6mb.sf2 is GPL-2, and so are sounds rendered from it, unless "
    "its author says otherwise",
    citation="Tim Brechbill: TimGM6mb, a General MIDI SoundFont, as shipped by pretty_midi",
)
