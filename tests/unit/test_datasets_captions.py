"""The grammar of captions: seeded, true to the note, and with the words that prompts use."""

import re
from collections import Counter

import numpy as np
import pytest

from listenread.datasets.gm import caption_grammar, notes
from listenread.datasets.gm.instruments import INSTRUMENTS
from listenread.errors import ConfigError

ROWS = [
    {"program": program, "midi_note": (instrument.low + instrument.high) // 2, "velocity": velocity}
    for program, instrument in INSTRUMENTS.items()
    for velocity in (30, 66, 112)
]


def draw(count: int, seed: int = 0, **kwargs) -> list[tuple[dict, str]]:
    rng = np.random.default_rng(seed)
    rows = [ROWS[int(rng.integers(len(ROWS)))] for _ in range(count)]
    return [(row, caption_grammar.sample(row, rng, **kwargs)) for row in rows]


def has_name(caption: str, program: int) -> bool:
    return any(re.search(rf"\b{re.escape(name)}\b", caption) for name in INSTRUMENTS[program].names)


def test_the_same_seed_gives_the_same_captions():
    assert draw(200, seed=3) == draw(200, seed=3)
    assert draw(200, seed=3) != draw(200, seed=4)


def test_captions_are_clean_text():
    for _, caption in draw(3_000):
        assert re.fullmatch(r"[a-z0-9 ,.:'-]+", caption), caption
        assert "  " not in caption
        assert "{" not in caption
        assert caption == caption.strip()


@pytest.mark.parametrize("kind", ["template", "bare", "detailed", "filler", "negated", "described"])
def test_captions_name_the_instrument(kind):
    for row, caption in draw(400, mix={kind: 1.0}):
        assert has_name(caption, row["program"]), caption


def test_negations_name_another_instrument_too():
    for row, caption in draw(400, mix={"negated": 1.0}):
        assert re.search(r"\b(no|not|without)\b", caption)
        others = [p for p in INSTRUMENTS if p != row["program"] and has_name(caption, p)]
        assert others, caption


def test_masked_captions_of_tinysols_instruments_do_not_name_them():
    own = {program: INSTRUMENTS[program] for program in notes.PROGRAMS.values()}
    for program, instrument in own.items():
        words = {word for name in instrument.names for word in re.split(r"[ -]", name)}
        words -= {"in", "b", "c", "flat", "bb"}
        for phrase in instrument.description:
            assert not words & set(re.findall(r"[a-z]+", phrase)), (program, phrase)
        assert len(instrument.description) >= 5


def test_every_word_of_the_papers_prompts_occurs():
    words = {word for _, caption in draw(20_000) for word in re.findall(r"[a-z-]+", caption)}
    labels = (
        "bass tuba, french horn, trombone, trumpet in c, accordion, contrabass, violin, viola, "
        "violoncello, bassoon, clarinet in b-flat, flute, oboe, alto saxophone, cello, tuba"
    )
    prompts = (
        "a track, a no track, this is a recording of, solo musical instrument sound of, sound of "
        "musical instrument, a key track, a brass instruments track, a track of woodwind musical "
        "instruments, string, lorem ipsum dolor"
    )
    assert set(re.findall(r"[a-z-]+", f"{labels} {prompts}")) <= words


def test_the_mix_is_what_was_asked_for():
    bare = sum(
        caption in INSTRUMENTS[row["program"]].names
        for row, caption in draw(4_000, mix={"bare": 1.0, "negated": 3.0})
    )
    assert 0.22 < bare / 4_000 < 0.28
    assert sum(caption_grammar.MIX.values()) == pytest.approx(1.0)


def test_an_unknown_kind_is_refused():
    with pytest.raises(ConfigError, match=r"\['sung'\]"):
        caption_grammar.sample(ROWS[0], np.random.default_rng(0), {"sung": 1.0})
    with pytest.raises(ConfigError, match="cannot be drawn"):
        caption_grammar.sample(ROWS[0], np.random.default_rng(0), {"bare": 0.0})


@pytest.mark.parametrize(
    ("midi_note", "expected"),
    [(55, "low"), (69, "low"), (72, "middle"), (90, "high"), (100, "high")],
)
def test_registers_are_thirds_of_the_range(midi_note, expected):
    assert caption_grammar.register(midi_note, 55, 100) == expected


def test_loudness_words_tell_dynamics_apart():
    quiet, medium, loud = (set(caption_grammar.loudness(velocity)) for velocity in (40, 80, 120))
    assert not quiet & medium
    assert not medium & loud


def test_names_are_unambiguous():
    names = Counter(name for instrument in INSTRUMENTS.values() for name in instrument.names)
    assert [name for name, count in names.items() if count > 1] == []
