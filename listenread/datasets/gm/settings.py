"""Settings that both sets of rendered notes have; cheap to import."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from listenread.datasets.base import AudioFileSettings, Places
from listenread.settings import Settings, Sha256

#: Settings of `RenderedSettings` that the rendered notes depend on.
RENDERING = (
    "soundfont",
    "midi_note_step",
    "midi_note_offset",
    "seconds",
    "release_seconds",
    "gain_db",
    "silence_dbfs",
)


class SoundFontSettings(Settings):
    """The SoundFont that notes are rendered from."""

    path: str | None = Field(
        default=None,
        description="An `.sf2` file; null takes `TimGM6mb.sf2`, which the pretty_midi package "
        "ships.",
    )
    sha256: Sha256 | None = Field(
        default=None,
        description="Its SHA-256, so that the notes are reproducible; known for the default file.",
    )

    @model_validator(mode="after")
    def _is_reproducible(self) -> "SoundFontSettings":
        if self.path is not None and self.sha256 is None:
            raise ValueError("`path` needs `sha256` too")
        return self


class RenderedSettings(AudioFileSettings):
    """A dataset of single notes that are rendered here."""

    soundfont: SoundFontSettings = Field(
        default_factory=SoundFontSettings,
        description="The SoundFont that notes are rendered from.",
    )
    midi_note_step: int = Field(
        default=3,
        ge=2,
        description="One pitch in this many semitones is evaluated; the others are for training, "
        "so that both datasets must name the same step and offset.",
    )
    midi_note_offset: int = Field(
        default=0,
        ge=0,
        description="The evaluated pitches are the MIDI notes that leave this remainder when "
        "divided by the step.",
    )
    seconds: float = Field(
        default=3.0, ge=0.5, le=30, description="Length of a rendered note, its release included."
    )
    release_seconds: float = Field(
        default=0.5, ge=0, description="How much of it comes after the key is released."
    )
    gain_db: float = Field(default=0.0, description="Gain of all notes, in dB.")
    silence_dbfs: float = Field(
        default=-60.0,
        description="A rendered note whose peak stays below this level is left out, in dB below "
        "full scale.",
    )


def locate(settings: Any, made: Mapping[str, Path]) -> Places:
    """Say where the rendered notes and their csv are."""
    return Places(root=made["audio"], metadata=made["metadata"])
