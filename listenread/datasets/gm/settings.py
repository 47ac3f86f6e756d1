"""Settings that both sets of rendered notes share."""

from pydantic import Field, model_validator

from listenread.settings import Settings, Sha256


class SoundFont(Settings):
    """The SoundFont that notes are rendered from."""

    path: str | None = Field(
        None, description="An `.sf2` file; null takes `TimGM6mb.sf2` of the pretty_midi package."
    )
    sha256: Sha256 | None = Field(
        None,
        description="Its SHA-256, so that the notes are reproducible; known for the default file.",
    )

    @model_validator(mode="after")
    def _own_file_is_verified(self) -> "SoundFont":
        if self.path is not None and self.sha256 is None:
            raise ValueError("`path` needs `sha256`")
        return self


class NoteSettings(Settings):
    """How single notes are rendered."""

    soundfont: SoundFont = Field(default_factory=SoundFont)
    midi_note_step: int = Field(
        3,
        ge=2,
        description="Distance in semitones of the pitches that are evaluated; the others are for "
        "training, so that both datasets must have the same step and offset.",
    )
    midi_note_offset: int = Field(
        0,
        ge=0,
        description="The evaluated pitches are the MIDI notes that leave this remainder by the "
        "step.",
    )
    seconds: float = Field(
        3.0, ge=0.5, le=30, description="Length of a rendered note, its release included."
    )
    release_seconds: float = Field(
        0.5, ge=0, description="How much of it comes after the key is released."
    )
    gain_db: float = Field(0.0, description="Gain of all notes, in dB.")
    silence_dbfs: float = Field(
        -60.0,
        description="A rendered note whose peak stays below is left out, in dB below full scale.",
    )


#: Settings that the rendered notes depend on.
RENDERED_BY = (
    "soundfont",
    "midi_note_step",
    "midi_note_offset",
    "velocities",
    "seconds",
    "release_seconds",
    "gain_db",
    "silence_dbfs",
)
