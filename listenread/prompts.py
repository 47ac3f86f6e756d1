"""Prompts: templates, definitions and fillers -> one text per label and variant."""

import csv
import itertools
import random
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from listenread.errors import ConfigError

#: Words of the fillers: the usual typesetters' Latin, which says nothing about music.
_FILLER_WORDS = (
    "lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut "
    "labore et dolore magna aliqua enim ad minim veniam quis nostrud exercitation ullamco laboris "
    "nisi aliquip ex ea commodo consequat duis aute irure in reprehenderit voluptate velit esse "
    "cillum fugiat nulla pariatur excepteur sint occaecat cupidatat non proident"
).split()


class PromptText(NamedTuple):
    """One text of a prompt.

    Attributes:
        label: the class, as in the manifest.
        variant: number of the variant, from 0, for prompts that say one thing in several ways.
        text: what the text tower reads.
    """

    label: str
    variant: int
    text: str


def rows(
    words: Mapping[str, str],
    *,
    template: str | None = None,
    templates: Sequence[str] = (),
    filler_seeds: Sequence[int] = (),
    definitions_file: str | Path | None = None,
    names: Mapping[str, Sequence[str]] | None = None,
    mask_label: bool = False,
) -> list[PromptText]:
    """Write the texts of one prompt, whichever kind it is.

    `templates` are those of a set, a variant each. See `from_template` for `template` and
    `filler_seeds`; `definitions` and `from_definitions` for
    `definitions_file`, `names` and `mask_label`.
    """
    if templates:
        return [
            row._replace(variant=variant)
            for variant, one in enumerate(templates)
            for row in from_template(one, words)
        ]
    if template is not None:
        return from_template(template, words, filler_seeds)
    found = definitions(Path(definitions_file), names or {label: [label] for label in words})
    return from_definitions(found, words, mask_label)


def from_template(
    template: str, words: Mapping[str, str], filler_seeds: Sequence[int] = ()
) -> list[PromptText]:
    """Fill a prompt template in.

    Args:
        template: contains ``{label}`` and, for prompts with random context, ``{filler}``.
        words: label -> what replaces ``{label}``, in vocabulary order.
        filler_seeds: one variant for each seed; every label gets a sentence of its own, as in the
            paper's released code (which draws them without a seed).

    Returns:
        Variant by variant, the labels in vocabulary order.

    >>> [row.text for row in from_template("A {label} track", {"Cello": "violoncello"})]
    ['A violoncello track']
    """
    rows = []
    for variant, seed in enumerate(filler_seeds or [None]):
        for position, (label, word) in enumerate(words.items()):
            text = template.replace("{label}", word)
            if seed is not None:
                text = text.replace("{filler}", filler_sentence(seed, position))
            rows.append(PromptText(label, variant, text))
    return rows


def fill_grid(template: str, words: Mapping[str, Sequence[str]]) -> list[str]:
    """Fill the places of a template in every way; the last place changes first.

    A place that is filled with nothing leaves no double space.

    >>> fill_grid("{opening} {label} track", {"opening": ["A", "One"]})
    ['A {label} track', 'One {label} track']
    """
    filled = []
    for chosen in itertools.product(*words.values()):
        text = template
        for place, word in zip(words, chosen, strict=True):
            text = text.replace(f"{{{place}}}", word)
        filled.append(" ".join(text.split()))
    return filled


def filler_sentence(seed: int, position: int) -> str:
    """Return a sentence of 4 to 12 meaningless words, lower case, without a full stop.

    >>> filler_sentence(0, 0) == filler_sentence(0, 0) != filler_sentence(1, 0)
    True
    """
    generator = random.Random(f"{seed}/{position}")
    return " ".join(generator.choices(_FILLER_WORDS, k=generator.randint(4, 12)))


def from_definitions(
    definitions_of: Mapping[str, str], words: Mapping[str, str], mask_label: bool
) -> list[PromptText]:
    """Use a definition of each label as its prompt, with or without the words of the label."""
    rows = []
    for label, word in words.items():
        text = definitions_of[label].replace("{label}", word)
        rows.append(PromptText(label, 0, mask(text, word) if mask_label else text))
    return rows


def mask(text: str, label_words: str) -> str:
    """Delete every occurrence of each word of a label, whatever its case, and close the gaps.

    The paper's masked definitions (Section 3.2; `definition_no_label_word` in the released files).

    >>> mask("A French horn is a horn of brass.", "french horn")
    'A is a of brass.'
    """
    for word in label_words.split():
        text = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", "", text, flags=re.IGNORECASE)
    return re.sub(r"\s+", " ", text).strip()


def definitions(path: Path, names: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Read a csv with `label,definition` and find the row of every label.

    Args:
        path: the csv.
        names: label -> what its row may be called: the label itself and its words in every
            spelling; upper and lower case are one.

    Raises:
        ConfigError: the file is not there or not such a csv, has a label twice, or misses one.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
            columns = reader.fieldnames or []
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    missing_columns = [name for name in ("label", "definition") if name not in columns]
    if missing_columns:
        raise ConfigError(f"{path} misses the column(s) {', '.join(missing_columns)}")
    found: dict[str, str] = {}
    for row in rows:
        key = (row["label"] or "").strip().casefold()
        if key in found:
            raise ConfigError(f"{path} has the label {row['label']!r} twice")
        found[key] = (row["definition"] or "").strip()
    chosen = {
        label: next((found[n.casefold()] for n in known_as if found.get(n.casefold())), None)
        for label, known_as in names.items()
    }
    absent = [label for label, text in chosen.items() if not text]
    if absent:
        raise ConfigError(f"{path} has no definition of {', '.join(map(repr, absent))}")
    return chosen


def find_file(name: str, base: Path) -> Path:
    """Find `name` in the working directory, else below `base`, the folder of the package."""
    path = Path(name)
    return path if path.exists() or path.is_absolute() else base / path
