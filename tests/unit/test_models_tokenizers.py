import pytest
from hypothesis import given
from hypothesis import strategies as st

from listenread.errors import ModelError
from listenread.models.common import tokenization

CAPTIONS = ["A violin track, no flute.", "clarinet in b-flat", "Flügelhorn solo"]


@pytest.fixture(scope="module")
def tokenizer():
    return tokenization.train_word_level(CAPTIONS)


def words(tokenizer, text):
    return [tokenizer.id_to_token(i) for i in tokenization.encode(tokenizer, [text], 20)[0] if i]


def test_words_are_lower_cased_and_punctuation_is_split(tokenizer):
    assert words(tokenizer, "A VIOLIN, no b-flat.") == [
        *("a", "violin", ",", "no", "b", "-", "flat", "."),
        tokenization.END,
    ]


def test_accents_are_kept_however_they_are_written(tokenizer):
    composed, decomposed = "flügelhorn", "flu\u0308gelhorn"
    assert words(tokenizer, decomposed) == words(tokenizer, composed) == ["flügelhorn", "<end>"]


def test_word_that_no_caption_had_is_unknown(tokenizer):
    assert words(tokenizer, "a zither track") == [
        "a",
        tokenization.UNKNOWN,
        "track",
        tokenization.END,
    ]


def test_special_tokens_have_the_ids_that_the_tower_counts_on(tokenizer):
    assert tokenizer.token_to_id(tokenization.PADDING) == 0
    assert tokenizer.token_to_id(tokenization.END) == tokenizer.get_vocab_size() - 1


@given(st.lists(st.text(max_size=60), min_size=1, max_size=4), st.integers(2, 12))
def test_every_text_has_its_end_once_and_fits(tokenizer, texts, max_tokens):
    ids = tokenization.encode(tokenizer, texts, max_tokens)
    end = tokenizer.get_vocab_size() - 1
    assert ids.shape == (len(texts), max_tokens) and ids.dtype == "int64"
    assert ((ids == end).sum(axis=1) == 1).all()
    for row in ids:
        assert (row[row.argmax() + 1 :] == 0).all()


def test_text_that_is_too_long_is_cut_and_still_ends(tokenizer):
    ids = tokenization.encode(tokenizer, ["a " * 100], 5)[0]
    a, end = tokenizer.token_to_id("a"), tokenizer.token_to_id(tokenization.END)
    assert ids.tolist() == [a, a, a, a, end]


def test_end_token_in_a_text_does_not_end_it(tokenizer):
    assert words(tokenizer, "a <end> violin") == ["a", "violin", tokenization.END]


def test_rare_words_can_be_left_out():
    tokenizer = tokenization.train_word_level(["a a violin", "a violin tuba"], smallest_count=2)
    assert words(tokenizer, "a tuba") == ["a", tokenization.UNKNOWN, tokenization.END]


def test_saved_tokenizer_is_the_same(tokenizer, tmp_path):
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    loaded = tokenization.load(tmp_path / "tokenizer.json")
    assert loaded.to_str() == tokenizer.to_str()
    assert words(loaded, "A violin track") == ["a", "violin", "track", tokenization.END]


def test_order_of_captions_does_not_matter():
    assert (
        tokenization.train_word_level(CAPTIONS).to_str()
        == tokenization.train_word_level(CAPTIONS[::-1]).to_str()
    )


def test_no_captions_and_no_file_are_refused(tmp_path):
    with pytest.raises(ModelError, match="captions are empty"):
        tokenization.train_word_level(["", " "])
    with pytest.raises(ModelError, match="is missing"):
        tokenization.load(tmp_path / "tokenizer.json")
    (tmp_path / "tokenizer.json").write_text("[]")
    with pytest.raises(ModelError, match=r"is not a tokenizer\.json"):
        tokenization.load(tmp_path / "tokenizer.json")
