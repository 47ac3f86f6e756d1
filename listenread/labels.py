"""The one way in which labels are normalised, of datasets, definitions and ontologies."""

import unicodedata
from collections.abc import Mapping
from typing import TypeVar

Value = TypeVar("Value")

#: Characters that are not seen: soft hyphen, zero-width space, direction marks, byte order mark.
_INVISIBLE = dict.fromkeys(
    map(ord, "\u00ad\u180e\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060")
) | dict.fromkeys(map(ord, "\u2066\u2067\u2068\u2069\ufeff"))
#: They join letters and emoji; outside of a word they do nothing.
_JOINERS = "\u200c\u200d"


def normalise(label: str) -> str:
    """Write a label as it is seen: NFC, single spaces, no invisible characters.

    >>> normalise(" alto\\u200b  flute\\ufeff ")
    'alto flute'
    """
    text = unicodedata.normalize("NFC", label.translate(_INVISIBLE))
    words = (word.strip(_JOINERS) for word in text.split())
    return " ".join(word for word in words if word)


def normalised_keys(by_label: Mapping[str, Value]) -> dict[str, Value]:
    """Normalise the labels of a mapping; for `pydantic.AfterValidator`.

    Raises:
        ValueError: two labels look the same, or one is not seen.
    """
    found: dict[str, Value] = {}
    for label, value in by_label.items():
        name = normalise(label)
        if not name:
            raise ValueError(f"the label {label!a} has no character that is seen")
        if name in found:
            raise ValueError(f"two labels look the same: {name!r}, one of them is {label!a}")
        found[name] = value
    return found
