"""Prompts say what they are meant to say."""

import doctest

import pytest

from listenread import prompts
from listenread.errors import ConfigError

WORDS = {"Bass Tuba": "bass tuba", "Cello": "violoncello"}


def test_the_examples_in_the_docstrings_run():
    assert doctest.testmod(prompts).failed == 0


def test_a_template_is_filled_in_vocabulary_order():
    rows = prompts.from_template("A {label} track", WORDS)
    assert [(r.label, r.variant, r.text) for r in rows] == [
        ("Bass Tuba", 0, "A bass tuba track"),
        ("Cello", 0, "A violoncello track"),
    ]


def test_each_filler_seed_is_a_variant_with_a_sentence_for_each_label():
    rows = prompts.from_template("{label} {filler}.", WORDS, [0, 1])
    assert [r.variant for r in rows] == [0, 0, 1, 1]
    assert len({r.text for r in rows}) == 4
    assert rows == prompts.from_template("{label} {filler}.", WORDS, [0, 1])
    assert all(r.text.startswith(WORDS[r.label] + " ") and r.text.endswith(".") for r in rows)


def test_more_seeds_leave_the_earlier_variants_as_they_are():
    assert prompts.from_template("{filler}{label}", WORDS, [3, 4])[:2] == prompts.from_template(
        "{filler}{label}", WORDS, [3]
    )


@pytest.mark.parametrize(
    ("text", "label", "masked"),
    [
        ("The bass tuba, a Tuba of bass.", "bass tuba", "The , a of ."),
        ("Contrabassoon is no bassoon", "bassoon", "Contrabassoon is no"),
        ("A clarinet in B-flat.", "clarinet in b-flat", "A ."),
    ],
)
def test_masking_deletes_whole_words_of_the_label(text, label, masked):
    assert prompts.mask(text, label) == masked


def test_definitions_are_found_by_any_of_a_labels_names(tmp_path):
    path = tmp_path / "d.csv"
    path.write_text('label,definition\ntuba,"Low, {label}."\nCELLO,Bowed {label}.\n', "utf-8")
    names = {"Bass Tuba": ["Bass Tuba", "bass tuba", "tuba"], "Cello": ["Cello"]}
    found = prompts.definitions(path, names)
    texts = [row.text for row in prompts.from_definitions(found, WORDS, mask_label=False)]
    assert texts == ["Low, bass tuba.", "Bowed violoncello."]
    masked = [row.text for row in prompts.from_definitions(found, WORDS, mask_label=True)]
    assert masked == ["Low, .", "Bowed ."]


def test_a_missing_definition_is_named(tmp_path):
    path = tmp_path / "d.csv"
    path.write_text("label,definition\ntuba,\n", "utf-8")
    with pytest.raises(ConfigError, match="no definition of 'Tuba', 'Oboe'"):
        prompts.definitions(path, {"Tuba": ["tuba"], "Oboe": ["oboe"]})


def test_the_projects_own_definitions_never_say_another_instruments_name(repository):
    """A definition that names a rival would help or hurt a text tower by the word alone."""
    import csv

    with (repository / "listenread/resources/prompts/definitions.csv").open(
        encoding="utf-8"
    ) as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 14
    for row in rows:
        assert "{label}" in row["definition"]
        others = [other["label"] for other in rows if other is not row]
        text = row["definition"].lower()
        assert not [name for name in others if name in text.replace("{label}", "")], row["label"]
