"""What is said about labels that are written in another way than they are used."""

from collections.abc import Iterable

from listenread.datasets.notes import counted, note
from listenread.labels import normalise


def notes_on_labels(written: Iterable[str]) -> list[str]:
    """Make notes on the labels of a dataset.

    Args:
        written: the labels as the metadata have them.
    """
    ways: dict[str, set[str]] = {}
    for label in written:
        ways.setdefault(normalise(label), set()).add(label)
    changed = [
        f"{_escaped(label)} is {name}"
        for name, labels in sorted(ways.items())
        for label in sorted(labels - {name})
    ]
    merged = [
        f"{name} ({', '.join(map(_escaped, sorted(labels)))})"
        for name, labels in sorted(ways.items())
        if len(labels) > 1
    ]
    notes = []
    if changed:
        spellings = counted(len(changed), "spelling of a label was", "spellings of labels were")
        notes.append(
            note(f"{spellings} normalised (NFC, single spaces, no invisible characters)", changed)
        )
    if merged:
        notes.append(
            note(
                f"{counted(len(merged), 'label is', 'labels are')} written in several ways that "
                "look the same, which count as one",
                merged,
            )
        )
    by_letters: dict[str, list[str]] = {}
    for name in sorted(ways):
        by_letters.setdefault(name.casefold(), []).append(name)
    alike = [" and ".join(names) for names in by_letters.values() if len(names) > 1]
    if alike:
        notes.append(note("Labels that differ in capitals only are labels of their own", alike))
    return notes


def _escaped(label: str) -> str:
    """Show what is not seen."""
    return label if label == normalise(label) else ascii(label)
