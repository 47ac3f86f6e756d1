"""Training material: captioned notes of many General MIDI programs, apart from what is evaluated.

No note has a MIDI note that `gm_notes` evaluates (with the same step and offset, for all programs),
and none has one of its velocities.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from listenread.datasets.base import ClipRow, DatasetKind, DatasetSettings, Places
from listenread.datasets.csv_files import read_csv
from listenread.datasets.gm.settings import RENDERING, RenderedSettings, locate
from listenread.datasets.gm_notes import VELOCITIES as EVALUATED_VELOCITIES
from listenread.files.material import Material

#: Velocities of the training notes; `gm_notes.VELOCITIES` are others.
VELOCITIES = (30, 50, 66, 90, 104, 112)
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


class GmCaptionsSettings(RenderedSettings, DatasetSettings):
    """Captioned notes of many General MIDI programs, to train a model on."""

    notes_per_program: int = Field(default=48, ge=1, description="Notes rendered of each program.")
    sample_rate: int = Field(
        default=16_000, ge=8000, description="Sample rate of the written files, in Hz."
    )
    velocities: list[_Velocity] = Field(
        default_factory=lambda: list(VELOCITIES),
        min_length=1,
        description="MIDI velocities to draw from; none may be among `evaluated_velocities`.",
    )
    evaluated_velocities: list[_Velocity] = Field(
        default_factory=lambda: list(EVALUATED_VELOCITIES.values()),
        description="The velocities of the dataset that is evaluated, which are never trained on.",
    )
    seed: int = Field(default=0, ge=0, description="Seed of pitches, velocities and captions.")


def read_clips(places: Places, settings: Mapping[str, Any]) -> list[ClipRow]:
    """Read the csv that `gm.captions.render` wrote.

    Args:
        places: the folder that the csv's paths are relative to, and the csv.
        settings: none are used.

    Returns:
        One row per note; the label is the instrument's usual name, `known` has ``program, family,
        midi_note, velocity, register, articulation, caption``.
    """
    root, metadata = places.root_and_metadata()
    return [
        ClipRow(
            clip_id=Path(record["path"]).with_suffix("").as_posix(),
            path=root / record["path"],
            labels=(record["instrument"],),
            group=f"{record['program']} {record['midi_note']}",
            known={
                name: int(record[name]) if name in _WHOLE_NUMBERS else record[name]
                for name in CSV_COLUMNS[2:]
            },
        )
        for record in read_csv(metadata, CSV_COLUMNS).values()
    ]


KIND = DatasetKind(
    name="gm_captions",
    description="Captioned notes of many General MIDI programs, to train a model on.",
    settings=GmCaptionsSettings,
    locate=locate,
    read_clips=read_clips,
    material=(
        Material(
            rule="render_gm_captions",
            outputs={"audio": "audio/", "metadata": "metadata.csv"},
            make="listenread.datasets.gm.captions:make",
            uses=(
                *RENDERING,
                "velocities",
                "evaluated_velocities",
                "notes_per_program",
                "sample_rate",
                "seed",
            ),
            network=False,
            minutes=15,
            megabytes=2000,
            all_cores=True,
        ),
    ),
    licence="rendered here; the SoundFont TimGM6mb.sf2 is GPL-2",
    groups="The velocities of a note of one program may be one sample: one group.",
    citation="notes of TimGM6mb.sf2, the SoundFont of https://github.com/craffel/pretty-midi",
    captioned=True,
)
