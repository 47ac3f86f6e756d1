"""Which files are sounds, and which are hidden, by their names."""

from pathlib import PurePath

#: Suffixes of files of formats that libsndfile reads, as far as they name one.
SUFFIXES = frozenset(
    {".aif", ".aifc", ".aiff", ".au", ".caf", ".flac", ".mp3", ".oga", ".ogg", ".opus", ".rf64"}
    | {".snd", ".w64", ".wav", ".wave"}
)
#: Folders that systems and file servers make, apart from those with a dot.
_OF_SYSTEMS = frozenset({"__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information"})


def is_sound(name: str) -> bool:
    """Whether a file has the suffix of a format that can be read."""
    return PurePath(name).suffix.lower() in SUFFIXES


def is_hidden(name: str) -> bool:
    """Whether the name of a file or folder is one that people do not see."""
    return name.startswith(".") or name in _OF_SYSTEMS
