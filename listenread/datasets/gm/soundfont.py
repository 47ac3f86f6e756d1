"""Rendering single notes from a SoundFont, the same to the bit whatever came before."""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np

from listenread.errors import DataError
from listenread.files.checksums import checksum

#: What tinysoundfont is asked to render at; the SoundFont's own samples have this rate.
RENDER_RATE = 44_100
#: The SoundFont that the package pretty_midi ships (General MIDI, GPL-2, 5.99 MB).
DEFAULT_SOUNDFONT = "TimGM6mb.sf2"
DEFAULT_SOUNDFONT_SHA256 = "82475b91a76de15cb28a104707d3247ba932e228bada3f47bba63c6b31aaf7a1"


def find_soundfont(path: Path | str | None = None, sha256: str | None = None) -> Path:
    """Find the SoundFont and check its SHA-256.

    Args:
        path: an ``.sf2`` file; None stands for the one that pretty_midi ships (which is found
            without importing that package).
        sha256: checksum of the file; None with no path stands for the known one, None with a path
            for no check.

    Raises:
        DataError: the file does not exist or has another checksum.
    """
    if path is None:
        spec = importlib.util.find_spec("pretty_midi")
        if spec is None or not spec.submodule_search_locations:
            raise DataError(
                f"the package pretty_midi, which ships {DEFAULT_SOUNDFONT}, is not installed; "
                "install it or name an .sf2 file in the dataset's key `soundfont`"
            )
        path = Path(spec.submodule_search_locations[0]) / DEFAULT_SOUNDFONT
        sha256 = sha256 or DEFAULT_SOUNDFONT_SHA256
    path = Path(path)
    if not path.is_file():
        raise DataError(f"the SoundFont {path} does not exist (dataset key `soundfont`)")
    if sha256:
        actual = checksum(path)
        if actual != sha256.lower():
            raise DataError(
                f"the SoundFont {path} has SHA-256 {actual}, but {sha256} is configured: notes "
                "rendered from it would differ. Correct the key `soundfont` or its `sha256`."
            )
    return path


class NoteRenderer:
    """Renders notes of General MIDI programs. One instance serves one thread."""

    def __init__(self, soundfont: Path | str, gain_db: float = 0.0):
        """Load a SoundFont.

        Args:
            soundfont: an ``.sf2`` file.
            gain_db: gain for all notes, in dB.
        """
        import tinysoundfont

        self._synth = tinysoundfont.Synth(gain=gain_db, samplerate=RENDER_RATE)
        try:
            self._font: Any = self._synth.sfload(str(soundfont))
        except Exception as error:  # the library raises a bare Exception for a file it cannot read
            raise DataError(f"the SoundFont {soundfont} cannot be loaded: {error}") from error

    def render(
        self, program: int, midi_note: int, velocity: int, seconds: float, release_seconds: float
    ) -> np.ndarray:
        """Render one note, starting from silence.

        Args:
            program: General MIDI program, 0-127.
            midi_note: MIDI key, 0-127.
            velocity: 1-127.
            seconds: length of the result.
            release_seconds: how much of it comes after the key is released.

        Returns:
            float32, shape (round(seconds * RENDER_RATE),), mean of the two channels.

        Raises:
            DataError: the SoundFont has no such program.
        """
        total = round(seconds * RENDER_RATE)
        released = round(release_seconds * RENDER_RATE)
        self._silence()
        try:
            self._synth.program_select(0, self._font, 0, program)
        except RuntimeError as error:
            raise DataError(f"the SoundFont has no program {program} in bank 0") from error
        self._synth.noteon(0, midi_note, velocity)
        held = self._generate(total - released)
        self._synth.noteoff(0, midi_note)
        stereo = np.concatenate([held, self._generate(released)])
        return stereo.mean(axis=1, dtype=np.float32)

    def _silence(self) -> None:
        """Let what still sounds die away: even `sounds_off` fades out over some 10 ms."""
        self._synth.sounds_off(0)
        while self._generate(512).any():
            pass

    def _generate(self, frames: int) -> np.ndarray:
        return np.frombuffer(bytes(self._synth.generate(frames)), np.float32).reshape(-1, 2)
