"""Training material: captioned notes of many General MIDI programs, apart from what is evaluated.

No note has a MIDI note that `gm_notes` evaluates (with the same step and offset, for all programs),
and none has one of its velocities.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from listenread.datasets.base import (
    AudioFileSettings,
    ClipRow,
    DatasetKind,
    DatasetSettings,
    Places,
)
from listenread.datasets.csv_files import read_csv
from listenread.datasets.gm.settings import RENDERED_BY, NoteSettings
from listenread.files.material import Material, Source

CSV_COLUMNS = (
    "path",
    "instrument",
    "program",
    "family",
    "midi_note",
    "velocity",
    "register",
    "articulation",
    "caption",
)
_WHOLE_NUMBERS = {"program", "midi_note", "velocity"}
_Velocity = Annotated[int, Field(ge=1, le=127)]


class CaptionSettings(DatasetSettings, NoteSettings, AudioFileSettings):
    """Captioned notes of many General MIDI programs, to train a model on."""

    notes_per_program: int = Field(48, ge=1, description="Notes rendered of each program.")
    sample_rate: int = Field(
        16_000, ge=8000, description="Sample rate of the written files, in Hz."
    )
    velocities: list[_Velocity] = Field(
        default_factory=lambda: [30, 50, 66, 90, 104, 112],
        min_length=1,
        description="MIDI velocities to draw from; none may be among `evaluated_velocities`.",
    )
    evaluated_velocities: list[_Velocity] = Field(
        default_factory=lambda: [40, 80, 120],
        description="The velocities of the dataset that is evaluated, which are never trained on.",
    )
    seed: int = Field(0, ge=0, description="Seed of pitches, velocities and captions.")


def render(outputs: Mapping[str, Path], settings: Mapping[str, Any], source: Source) -> None:
    """Render the notes and write their csv; see `listenread.datasets.gm.captions.render`."""
    from listenread.datasets.gm import captions
    from listenread.datasets.gm.soundfont import find_soundfont

    others = dict(settings)
    soundfont = others.pop("soundfont")
    captions.render(
        find_soundfont(soundfont["path"], soundfont["sha256"]),
        outputs["audio"],
        outputs["metadata"],
        workers=source.threads,
        **others,
    )


def locate(settings: CaptionSettings, made: Mapping[str, Path]) -> Places:
    """Both the notes and their csv are rendered."""
    return Places(root=made["audio"], metadata=made["metadata"])


def read_clips(places: Places, settings: Mapping[str, Any]) -> list[ClipRow]:
    """Read the csv that `render` wrote.

    Returns:
        One row per note; the label is the instrument's usual name, `known` has ``program, family,
        midi_note, velocity, register, articulation, caption``.
    """
    assert places.root is not None and places.metadata is not None
    return [
        ClipRow(
            clip_id=Path(record["path"]).with_suffix("").as_posix(),
            path=places.root / record["path"],
            labels=(record["instrument"],),
            known={
                name: int(record[name]) if name in _WHOLE_NUMBERS else record[name]
                for name in CSV_COLUMNS[2:]
            },
        )
        for record in read_csv(places.metadata, CSV_COLUMNS).values()
    ]


KIND = DatasetKind(
    name="gm_captions",
    description="Captioned notes of many General MIDI programs, to train a model on.",
    settings=CaptionSettings,
    locate=locate,
    read_clips=read_clips,
    material=(
        Material(
            rule="render_gm_captions",
            outputs={"audio": "audio/", "metadata": "metadata.csv"},
            make=render,
            uses=(
                *RENDERED_BY,
                "evaluated_velocities",
                "notes_per_program",
                "sample_rate",
                "seed",
            ),
            network=False,
            minutes=15,
            all_cores=True,
        ),
    ),
    licence="of the SoundFont: TimGM6mb.sf2 is GPL-2",
    citation="Tim Brechbill: TimGM6mb, a General MIDI SoundFont, as shipped by pretty_midi",
    captioned=True,
)
