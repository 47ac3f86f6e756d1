"""Prompts such as people write them: braces, tables of definitions, labels with the same text."""

import json
from pathlib import Path

import pytest
import torch
import yaml
from tokenizers import Tokenizer

import listenread
from listenread.embed import embed_text
from listenread.errors import ConfigError, Unavailable
from listenread.files import tables
from listenread.models import storage
from listenread.models.common import tokenization
from listenread.models.common.weights import write_tower
from listenread.models.muscall.sizes import AudioSizes, Sizes, TextSizes
from listenread.models.muscall.towers import TwoTowers, tower_states
from listenread.prompts import PromptText, definitions, from_template
from listenread.report.contents import read_prompts
from listenread.workflow import config as configuration

PACKAGE = Path(listenread.__file__).parent
NAMES = {name: [name] for name in ("flute", "oboe", "clarinet", "violin")}


@pytest.fixture
def base(repository):
    """The shipped configuration with the quickstart's dataset of four labels."""
    config = {}
    for name in ("datasets", "models", "prompts"):
        config |= yaml.safe_load((repository / "catalogue" / f"{name}.yaml").read_text("utf-8"))
    config |= yaml.safe_load((repository / "config.yaml").read_text("utf-8"))
    overlay = yaml.safe_load((repository / "config" / "quickstart.yaml").read_text("utf-8"))
    config["experiment"] |= overlay["experiment"] | {"prompts": ["p"]}
    config["prompt_pairs"] = []
    config["datasets"]["gm_notes"].pop("spellings")
    config["datasets"]["gm_notes"]["vocabulary"] = {name: name for name in NAMES}
    return config


def refusal(config, prompt):
    config["prompts"]["p"] = prompt
    with pytest.raises(ConfigError) as caught:
        configuration.resolve(config, PACKAGE, ())
    return str(caught.value)


@pytest.mark.parametrize(
    ("prompt", "wanted"),
    [
        ("A {label} {genre} track", "nothing says what {genre}"),
        ("A {{label}} track", "has braces that a tower would read"),
        ("A {label} track}", "has braces that a tower would read"),
        ({"templates": ["A {label}", "The {label} {genre}"]}, "nothing says what {genre}"),
        ({"templates": ["A {{label}}"]}, "has braces that a tower would read"),
        ({"grid": {"template": "{a} {label} {b}", "words": {"a": ["x"]}}}, "says what {b}"),
        ({"template": "{label} {filler} {mood}", "filler_seeds": [1]}, "says what {mood}"),
        ({"template": "A {label} track", "datasets": ["gm_note"]}, "did you mean `gm_notes`?"),
        ({"templates": ["A {label}"], "datasets": ["gm_notes", "fourr"]}, "no dataset `fourr`"),
    ],
)
def test_what_no_tower_should_read_or_nothing_asks_is_refused(base, prompt, wanted):
    assert wanted in refusal(base, prompt)


def test_a_label_with_braces_is_read_as_it_is_written():
    words = {"a": "{filler}", "b": "{label}"}
    found = from_template("A {label}: {filler}", words, [0])
    assert found[0].text.startswith("A {filler}: ") and "{" not in found[0].text[11:]
    assert found[1].text.startswith("A {label}: ")


def write(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


def test_definitions_are_read_as_people_save_them(tmp_path):
    body = "flute,A tube\noboe,Ein Röhrchen\nclarinet,A single reed\nviolin,A bow\n"
    plain = definitions(write(tmp_path / "plain.csv", f"label,definition\n{body}"), NAMES)
    assert plain["oboe"] == "Ein Röhrchen"
    for name, text in [
        ("bom.csv", f"\ufefflabel,definition\n{body}"),
        ("space.csv", "label, definition\n" + body.replace(",", ", ")),
        ("quoted.csv", 'label, "definition"\n' + body.replace("A tube", '"A tube"')),
    ]:
        assert definitions(write(tmp_path / name, text), NAMES) == plain, name
    latin = write(tmp_path / "latin1.csv", f"label,definition\n{body}", "latin-1")
    with pytest.raises(ConfigError, match=r"not utf-8-sig text.*or name its `encoding`"):
        definitions(latin, NAMES)
    assert definitions(latin, NAMES, "latin-1") == plain


def test_an_unquoted_comma_is_an_error_with_its_line(tmp_path):
    text = "label,definition\noboe,A reed\nflute,A tube of metal, played by blowing\n"
    with pytest.raises(ConfigError, match="line 3 has 3 fields, the header 2"):
        definitions(write(tmp_path / "comma.csv", text), NAMES)


def test_braces_in_a_definition_are_refused(tmp_path):
    path = write(tmp_path / "d.csv", "label,definition\nflute,The {label} of {place}\n")
    with pytest.raises(ConfigError, match=r"nothing says what \{place\}"):
        definitions(path, {"flute": ["flute"]})


ROWS = {
    "same.csv": "flute,A wind instrument\noboe,A wind instrument\nclarinet,A reed\nviolin,A bow\n",
    "nothing_left.csv": "flute,Flute\noboe,oboe oboe\nclarinet,A single reed\nviolin,A bow\n",
    "masked_alike.csv": "flute,A flute pipe\noboe,A oboe pipe\nclarinet,A reed\nviolin,A bow\n",
}


@pytest.mark.parametrize(
    ("name", "mask", "wanted"),
    [
        ("same.csv", False, "'flute' and 'oboe' have the same text 'A wind instrument'"),
        ("masked_alike.csv", True, "'flute' and 'oboe' have the same text 'A pipe'"),
    ],
)
def test_labels_with_the_same_text_stop_the_prompt_or_are_asked_if_told(
    base, tmp_path, name, mask, wanted
):
    path = write(tmp_path / name, f"label,definition\n{ROWS[name]}")
    prompt = {"file": str(path), "mask_label": mask}
    message = refusal(base, prompt)
    assert wanted in message and "`same_texts: flag` asks it nevertheless" in message
    base["prompts"]["p"] = prompt | {"same_texts": "flag"}
    assert configuration.resolve(base, PACKAGE, ()).prompts["p"].same_texts == "flag"


def test_a_text_of_nothing_is_always_refused(base, tmp_path):
    path = write(tmp_path / "d.csv", f"label,definition\n{ROWS['nothing_left.csv']}")
    for how in ({}, {"same_texts": "flag"}):
        message = refusal(base, {"file": str(path), "mask_label": True, **how})
        assert "'flute' and 'oboe' have the same empty text" in message
        assert "nevertheless" not in message


@pytest.fixture
def model(tmp_path):
    """A small text tower that reads eight tokens of a few words."""
    words = "a very old instrument of metal wood reed bow and some more"
    tokenizer = tokenization.train_word_level([words])
    text = TextSizes(tokenizer.get_vocab_size(), 8, 16, 1, 2)
    sizes = Sizes(AudioSizes("cnn", clip_seconds=0.2, width=4, d_encoder=12), text, d_joint=8)
    torch.manual_seed(0)
    audio, tower = tower_states(TwoTowers(sizes).state_dict())
    write_tower(tmp_path / storage.AUDIO_TOWER_FILE, audio)
    write_tower(tmp_path / storage.TEXT_TOWER_FILE, tower)
    tokenizer.save(str(tmp_path / storage.TOKENIZER_FILE))
    storage.write_description(tmp_path, "muscall", sizes.audio.audio_input, sizes=sizes.to_dict())
    (tmp_path / "health.json").write_text(json.dumps({"healthy": True, "failures": []}))
    return tmp_path


LONG = "a very old instrument of some more "
SAME_AFTER_THE_LAST_TOKEN = [
    PromptText("flute", 0, f"{LONG} metal"),
    PromptText("oboe", 0, f"{LONG} wood"),
    PromptText("violin", 0, "a bow"),
]
SAME_WORDS_TO_THE_TOWER = [
    PromptText("flute", 0, "a traverso"),
    PromptText("oboe", 0, "a piffero"),
    PromptText("violin", 0, "a bow"),
]


@pytest.mark.parametrize("rows", [SAME_AFTER_THE_LAST_TOKEN, SAME_WORDS_TO_THE_TOWER])
def test_labels_that_a_tower_reads_alike_stop_the_prompt_or_are_said(model, tmp_path, rows):
    folder = tmp_path / "text" / "four" / "mini"
    folder.mkdir(parents=True)
    how = {"health_path": model / "health.json", "accept_unhealthy": False}
    with pytest.raises(Unavailable, match="'flute' and 'oboe' have the same text"):
        embed_text(model, rows, folder / "p.parquet", same_texts="stop", **how)
    embed_text(model, rows, folder / "p.parquet", same_texts="flag", **how)
    (prompt,) = read_prompts([folder / "p.parquet"], ["p"])
    assert prompt.remarks[0].startswith("For mini on four 'flute' and 'oboe' have the same text")


def test_what_a_tower_does_not_read_is_in_the_table_and_on_the_page(model, tmp_path):
    folder = tmp_path / "text" / "four" / "mini"
    folder.mkdir(parents=True)
    rows = [PromptText("flute", 0, f"{LONG} metal"), PromptText("oboe", 0, "a reed")]
    embed_text(
        model, rows, folder / "p.parquet",
        health_path=model / "health.json", accept_unhealthy=False, same_texts="stop",
    )  # fmt: skip
    table = tables.read(folder / "p.parquet").data
    assert table["tokens"].to_pylist() == [9, 3] and table["tokens_read"].to_pylist() == [8, 3]
    (prompt,) = read_prompts([folder / "p.parquet"], ["p"])
    assert prompt.remarks == (
        "mini on four reads the first 8 of up to 9 tokens of the 1 label: flute.",
    )


def test_tokens_are_counted_as_the_tokenizer_gives_them(tokenizer_path):
    """CLAP's tokenizer cuts: what it leaves over is counted, too."""
    from listenread.models.clap import tokens
    from listenread.models.clap.family import CLAP
    from listenread.models.clap.sizes import TextSizes as ClapSizes

    texts = ["a violin", "a very old instrument " * 60]
    whole = Tokenizer.from_file(str(tokenizer_path))
    whole.no_truncation()
    wanted = [len(encoding.ids) for encoding in whole.encode_batch(texts)]
    towers = CLAP.__new__(CLAP)
    towers.tokenizer = tokens.load(tokenizer_path, ClapSizes())
    towers.sizes = type("Sizes", (), {"text": ClapSizes()})()
    assert towers.count_tokens(texts) == (wanted, 77) and wanted[1] > 77
