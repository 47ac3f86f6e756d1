"""A grammar of captions for single notes: seeded, and rich enough for every prompt of the paper.

A model cannot be asked about words that it never met. So the captions use the prompts' templates,
filler sentences, negations and descriptions (how an instrument is played, what it is made of, its
family and register), besides the plain name.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from listenread.datasets.gm.instruments import INSTRUMENTS, GmInstrument
from listenread.errors import ConfigError

TEMPLATES = (
    "a {x} track",
    "this is a recording of {x}",
    "this is a recording of a {x}",
    "solo musical instrument sound of {x}",
    "sound of {x} musical instrument",
    "the sound of a {x}",
    "a {x} playing a single note",
    "a single {x} note",
    "{x} solo",
    "music played on a {x}",
    "a track of {x}",
    "audio of a {x}",
    "a track with {x}",
    "{x} instrument",
)
FAMILY_TEMPLATES = (
    "a {f} track",
    "a {f} instruments track",
    "a track of {f} musical instruments",
    "sound of a {f} instrument",
    "a {f} instrument, the {x}",
    "a {x}, a {f} instrument",
)
DETAILED_TEMPLATES = (
    "a {loudness} {register} note of a {x}",
    "a {x} plays a {register} {loudness} note",
    "a {register} {x} track, {loudness}",
    "{loudness} {x} in the {register} register",
    "this is a recording of a {loudness} {x}, {register} register",
    "{x}, {register}, {loudness}, {articulation}",
)
NEGATED_TEMPLATES = (
    "a no {y} track, a {x} track",
    "a no {y} track but a {x} track",
    "not a {y} but a {x}",
    "a {x} track, no {y}",
    "a {x}, not a {y}",
    "this is not a {y}, this is a {x}",
    "no {y}, no {z}, a {x}",
    "this is a recording of {x}, there is no {y}",
    "{x} without {y}",
)
DESCRIBED_TEMPLATES = (
    "the {x} is {d}",
    "a {x}: {d}",
    "{x}, {d}",
    "{d}: the {x}",
    "the {x} is a musical instrument of the {f} family: {d}",
    "{x}: a {f} instrument, {d}. it has a sound of its own",
)
MASKED_TEMPLATES = (
    "{d}",
    "sound of {d}",
    "the is {d}",
    "the is a musical instrument of the {f} family: {d}",
)
#: Filler like typesetters' dummy text, and plain sentences that say nothing of the sound.
LATIN = (
    "lorem ipsum dolor sit amet",
    "consectetur adipisci elit sed",
    "eiusmod tempor incidunt ut labore",
    "dolore magna aliquam quaerat voluptatem",
    "non numquam neque porro quisquam",
    "qui velit modi tempora quia dolorem",
)
ENGLISH = (
    "the weather was fine on that day",
    "we had coffee in the kitchen before it began",
    "nobody remembers where the file came from",
    "the train left the station a little late",
    "please write the date on the first page",
    "there were many people in the street",
    "the book has two hundred pages and a green cover",
    "it was recorded in a room with a window",
    "my neighbour bought bread and some apples",
    "the letter arrived after the holidays",
    "one could see the river from the bridge",
    "all of this was long ago",
)
REGISTERS = ("low", "middle", "high")
#: How a caption may word each of `GmInstrument.articulation`.
ARTICULATIONS = {
    "sustained": ("sustained", "held", "long"),
    "plucked": ("plucked", "ringing", "decaying"),
    "struck": ("struck", "ringing", "decaying"),
}
#: How often each kind of caption is drawn.
MIX = {
    "template": 0.30,
    "bare": 0.10,
    "detailed": 0.10,
    "family": 0.05,
    "filler": 0.15,
    "negated": 0.12,
    "described": 0.12,
    "masked": 0.06,
}

Rng = np.random.Generator


def _pick(rng: Rng, options: Sequence[Any]) -> Any:
    return options[int(rng.integers(len(options)))]


def loudness(velocity: int) -> tuple[str, ...]:
    """Words for a MIDI velocity: three levels, split where the evaluation's dynamics lie apart."""
    if velocity < 60:
        return ("quiet", "soft", "pianissimo")
    if velocity < 100:
        return ("moderate", "mezzo forte", "medium")
    return ("loud", "strong", "fortissimo")


def register(midi_note: int, low: int, high: int) -> str:
    """Say in which third of an instrument's range a note lies."""
    third = (midi_note - low) * 3 // (high - low + 1)
    return REGISTERS[min(max(third, 0), 2)]


def sample(row: Mapping[str, Any], rng: Rng, mix: Mapping[str, float] | None = None) -> str:
    """Draw a caption of a note.

    Args:
        row: with ``program``, ``midi_note``, ``velocity``, as in the manifest of ``gm_captions``.
        rng: the only source of chance: the same state gives the same caption.
        mix: weight of each kind of caption (default: `MIX`); a kind that is absent is not drawn.

    Returns:
        A caption in lower case without a final full stop.
    """
    weights = MIX if mix is None else mix
    unknown = [kind for kind in weights if kind not in _KINDS]
    if unknown or not sum(weights.values()) > 0:
        raise ConfigError(
            f"caption kinds {unknown or dict(weights)} cannot be drawn; there are {list(_KINDS)}"
        )
    kinds = list(weights)
    shares = np.cumsum([weights[kind] for kind in kinds])
    drawn = int(np.searchsorted(shares, rng.random() * shares[-1], side="right"))
    return _KINDS[kinds[min(drawn, len(kinds) - 1)]](row, rng)


def _instrument(row: Mapping[str, Any]) -> GmInstrument:
    return INSTRUMENTS[int(row["program"])]


def _name(row: Mapping[str, Any], rng: Rng) -> str:
    """Draw one of an instrument's names, the first one half of the time."""
    names = _instrument(row).names
    return names[0] if len(names) == 1 or rng.random() < 0.5 else _pick(rng, names[1:])


def _template(row: Mapping[str, Any], rng: Rng) -> str:
    return _pick(rng, TEMPLATES).format(x=_name(row, rng))


def _bare(row: Mapping[str, Any], rng: Rng) -> str:
    return _name(row, rng)


def _detailed(row: Mapping[str, Any], rng: Rng) -> str:
    instrument = _instrument(row)
    return _pick(rng, DETAILED_TEMPLATES).format(
        x=_name(row, rng),
        register=register(int(row["midi_note"]), instrument.low, instrument.high),
        loudness=_pick(rng, loudness(int(row["velocity"]))),
        articulation=_pick(rng, ARTICULATIONS[instrument.articulation]),
    )


def _family(row: Mapping[str, Any], rng: Rng) -> str:
    family = _pick(rng, _instrument(row).family_words)
    return _pick(rng, FAMILY_TEMPLATES).format(x=_name(row, rng), f=family)


def _filler_sentence(rng: Rng) -> str:
    if rng.random() < 0.5:
        return _pick(rng, ENGLISH)
    words = " ".join(LATIN).split()
    return " ".join(_pick(rng, words) for _ in range(int(rng.integers(4, 11))))


def _filler(row: Mapping[str, Any], rng: Rng) -> str:
    core = _bare(row, rng) if rng.random() < 0.5 else _template(row, rng)
    place = int(rng.integers(3))
    before = _filler_sentence(rng) + ". " if place in (0, 2) else ""
    after = " " + _filler_sentence(rng) if place in (1, 2) else ""
    return before + core + after


def _negated(row: Mapping[str, Any], rng: Rng) -> str:
    own = int(row["program"])
    others = [program for program in INSTRUMENTS if program != own]
    y, z = (INSTRUMENTS[_pick(rng, others)].names[0] for _ in range(2))
    return _pick(rng, NEGATED_TEMPLATES).format(x=_name(row, rng), y=y, z=z)


def _description(row: Mapping[str, Any], rng: Rng) -> str:
    """Join one to three of the phrases that describe an instrument without naming it."""
    phrases = _instrument(row).description
    count = min(int(rng.integers(1, 4)), len(phrases))
    chosen = sorted(int(index) for index in rng.permutation(len(phrases))[:count])
    return ", ".join(phrases[index] for index in chosen)


def _described(row: Mapping[str, Any], rng: Rng) -> str:
    return _pick(rng, DESCRIBED_TEMPLATES).format(
        x=_name(row, rng), f=_pick(rng, _instrument(row).family_words), d=_description(row, rng)
    )


def _masked(row: Mapping[str, Any], rng: Rng) -> str:
    family = _pick(rng, _instrument(row).family_words)
    return _pick(rng, MASKED_TEMPLATES).format(f=family, d=_description(row, rng))


_KINDS: dict[str, Callable[[Mapping[str, Any], Rng], str]] = {
    "template": _template,
    "bare": _bare,
    "detailed": _detailed,
    "family": _family,
    "filler": _filler,
    "negated": _negated,
    "described": _described,
    "masked": _masked,
}
