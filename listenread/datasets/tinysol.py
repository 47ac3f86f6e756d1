"""TinySOL 6.0: 2,913 single notes of 14 orchestral instruments, and any set in its layout.

Cella, Ghisi, Lostanlen, Lévy, Fineberg, Maresz: TinySOL, CC BY 4.0,
https://doi.org/10.5281/zenodo.3685367. Audio lies at ``<Family>/<Folder>/ordinario/<id>.wav`` below
the root that is given.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import Field

from listenread.datasets.base import (
    ClipRow,
    DatasetKind,
    LabelledSettings,
    Places,
    UserFileSettings,
)
from listenread.datasets.csv_files import read_csv, refuse, whole_number
from listenread.files.material import Material, Source
from listenread.settings import RemoteFile


class Instrument(NamedTuple):
    """One of TinySOL's instruments.

    Attributes:
        label: column ``Instrument (in full)``.
        abbreviation: column ``Instrument (abbr.)``.
        family: column ``Family``, and the first folder.
        folder: the second folder.
        low: lowest MIDI note.
        high: highest MIDI note.
        clips: how many notes the official release has.
    """

    label: str
    abbreviation: str
    family: str
    folder: str
    low: int
    high: int
    clips: int


#: In the order in which the paper's released files list them.
INSTRUMENTS = (
    Instrument("Bass Tuba", "BTb", "Brass", "Bass_Tuba", 30, 65, 108),
    Instrument("French Horn", "Hn", "Brass", "Horn", 31, 77, 134),
    Instrument("Trombone", "Tbn", "Brass", "Trombone", 34, 72, 117),
    Instrument("Trumpet in C", "TpC", "Brass", "Trumpet_C", 54, 86, 96),
    Instrument("Accordion", "Acc", "Keyboards", "Accordion", 28, 109, 689),
    Instrument("Contrabass", "Cb", "Strings", "Contrabass", 28, 72, 309),
    Instrument("Violin", "Vn", "Strings", "Violin", 55, 100, 284),
    Instrument("Viola", "Va", "Strings", "Viola", 48, 96, 309),
    Instrument("Cello", "Vc", "Strings", "Violoncello", 36, 84, 291),
    Instrument("Bassoon", "Bn", "Winds", "Bassoon", 34, 75, 126),
    Instrument("Clarinet in Bb", "ClBb", "Winds", "Clarinet_Bb", 50, 91, 126),
    Instrument("Flute", "Fl", "Winds", "Flute", 59, 98, 118),
    Instrument("Oboe", "Ob", "Winds", "Oboe", 58, 93, 107),
    Instrument("Alto Saxophone", "ASax", "Winds", "Sax_Alto", 49, 81, 99),
)
VOCABULARY = [instrument.label for instrument in INSTRUMENTS]
#: The columns of the official csv, in its order.
CSV_COLUMNS = (
    "Path",
    "Fold",
    "Family",
    "Instrument (abbr.)",
    "Instrument (in full)",
    "Technique (abbr.)",
    "Technique (in full)",
    "Pitch",
    "Pitch ID",
    "Dynamics",
    "Dynamics ID",
    "Instance ID",
    "String ID (if applicable)",
    "Needed digital retuning",
)
#: What the fields that are used must look like. No path leads out of the root.
_PATTERNS = {
    "Path": r"(?!/)(?!.*\.\.).+\.\w+",
    "Fold": r"[0-9]{1,4}(\.0)?",
    "Instrument (in full)": r".+",
    "Pitch ID": r"[0-9]{1,3}(\.0)?",
    "Instance ID": r"[0-9]{1,9}(\.0)?",
    "String ID (if applicable)": r"([0-9]{1,3}(\.0)?)?",
    "Needed digital retuning": r"TRUE|FALSE",
}


class TinysolSettings(UserFileSettings, LabelledSettings):
    """TinySOL, downloaded from Zenodo or already in a folder."""

    root: str | None = Field(
        default=None,
        description="The folder that the csv's paths are relative to, where the audio is already "
        "there; null downloads and extracts the archive.",
    )
    archive: RemoteFile = Field(description="The archive with the audio.")
    metadata: RemoteFile = Field(description="The official csv.")
    max_extracted_bytes: int = Field(
        default=4_000_000_000, ge=1, description="An archive that would unpack to more is refused."
    )
    official: bool = Field(
        default=True,
        description="Whether the csv must describe the whole of TinySOL 6.0, with its number of "
        "clips in each class.",
    )


def fetch_metadata(
    outputs: Mapping[str, Path], settings: Mapping[str, Any], source: Source
) -> None:
    """Download the csv."""
    from listenread.files.download import fetch

    fetch(target=outputs["metadata"], mirror=source.mirror, **settings["metadata"])


def fetch_audio(outputs: Mapping[str, Path], settings: Mapping[str, Any], source: Source) -> None:
    """Download the archive and extract it."""
    from listenread.files.download import extract, fetch

    archive = fetch(
        target=source.downloads / "TinySOL.tar.gz", mirror=source.mirror, **settings["archive"]
    )
    extract(
        archive,
        outputs["audio"],
        placed=place_in_root,
        max_bytes=settings["max_extracted_bytes"],
    )


def locate(settings: TinysolSettings, made: Mapping[str, Path]) -> Places:
    """Say where the audio and the csv are."""
    root = made["audio"] if settings.root is None else Path(settings.root)
    return Places(root=root, metadata=made["metadata"])


def clip_files(settings: TinysolSettings) -> Sequence[str]:
    """List the audio files of the user; the csv may not have been fetched yet."""
    if settings.root is None or not settings.track_clips:
        return []
    return sorted(str(path) for path in Path(settings.root).rglob("*.wav"))


def read_clips(places: Places, settings: Mapping[str, Any]) -> list[ClipRow]:
    """Read the csv of `places`; see `read_metadata`."""
    root, metadata = places.root_and_metadata()
    return read_metadata(root, metadata, official=settings.get("official", False))


def read_metadata(
    root: Path | str, metadata: Path | str, *, official: bool = False
) -> list[ClipRow]:
    """Read a csv in TinySOL's format.

    Args:
        root: the folder that the csv's paths are relative to (``audio``).
        metadata: the csv.
        official: whether it must describe the whole of TinySOL 6.0; see `check_official`.

    Returns:
        One row per line, in the csv's order; `known` has ``family, pitch, midi_note, dynamics,
        instance, string, retuned``.

    Raises:
        DataError: the csv does not exist, misses a column or has an impossible value.
    """
    lines = read_csv(metadata, CSV_COLUMNS)
    problems = [
        f"line {line}, column {column!r}: {record[column]!r}"
        for line, record in lines.items()
        for column, pattern in _PATTERNS.items()
        if not re.fullmatch(pattern, record[column])
    ]
    refuse(f"{metadata} has values that TinySOL's metadata cannot have", problems)
    rows = [_row(Path(root), record) for record in lines.values()]
    if official:
        check_official(rows)
    return rows


def _row(root: Path, record: dict[str, str]) -> ClipRow:
    string = record["String ID (if applicable)"]
    path = root / record["Path"]
    return ClipRow(
        clip_id=path.stem,
        path=path,
        labels=(record["Instrument (in full)"],),
        fold=whole_number(record["Fold"]),
        known={
            "family": record["Family"],
            "pitch": record["Pitch"],
            "midi_note": whole_number(record["Pitch ID"]),
            "dynamics": record["Dynamics"],
            "instance": whole_number(record["Instance ID"]),
            "string": whole_number(string) if string else None,
            "retuned": record["Needed digital retuning"] == "TRUE",
        },
    )


def check_official(rows: list[ClipRow]) -> None:
    """Check that the metadata describe the whole of TinySOL 6.0: the 2,913 clips by class.

    Raises:
        DataError: with every class whose count differs.
    """
    counts = Counter(label for row in rows for label in row.labels)
    expected = {instrument.label: instrument.clips for instrument in INSTRUMENTS}
    differing = [
        f"{label}: {counts.get(label, 0)} instead of {expected.get(label, 0)}"
        for label in dict.fromkeys([*expected, *counts])
        if counts.get(label, 0) != expected.get(label, 0)
    ]
    refuse(
        f"this is not TinySOL 6.0, which has {sum(expected.values())} clips ({len(rows)} here); "
        "clips of a class",
        differing,
    )


def place_in_root(member: str) -> str | None:
    """Say where a member of the official archive belongs below the root, or None if nowhere.

    For `files.download.extract`. Folders above the family's are dropped, should a release have
    any; only wav files are kept.
    """
    families = {instrument.family for instrument in INSTRUMENTS}
    parts = Path(member).parts
    start = next((index for index, part in enumerate(parts) if part in families), None)
    if start is None or not member.endswith(".wav") or parts[-1].startswith("."):
        return None
    return "/".join(parts[start:])


KIND = DatasetKind(
    name="tinysol",
    description="TinySOL: single notes of 14 orchestral instruments, downloaded from Zenodo or "
    "already in a folder.",
    settings=TinysolSettings,
    locate=locate,
    read_clips=read_clips,
    uses=("official",),
    material=(
        Material(
            rule="fetch_tinysol_metadata",
            outputs={"metadata": "metadata.csv"},
            make=fetch_metadata,
            uses=("metadata",),
        ),
        Material(
            rule="fetch_tinysol",
            outputs={"audio": "audio/"},
            make=fetch_audio,
            uses=("archive", "max_extracted_bytes"),
            when=lambda settings: settings.root is None,
        ),
    ),
    licence="CC BY 4.0",
    citation="Cella, Ghisi, Lostanlen, Lévy, Fineberg, Maresz: TinySOL: an audio dataset of "
    "isolated musical notes, version 6.0, Zenodo, 2020, https://doi.org/10.5281/zenodo.3685367",
    groups="Every clip is a recording of its own, the dynamics of a note too, and a group of its "
    "own. The official folds divide the clips of 589 of the 616 notes of one instrument and pitch "
    "that have several, and one player made all clips of a class.",
    clip_files=clip_files,
    of_the_paper=True,
)
