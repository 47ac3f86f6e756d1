"""Tokenizers in the Hugging Face ``tokenizer.json`` format, used without transformers.

A text ends with the token of the largest id, where MusCALL's text tower reads its vector. Ids after
the end are 0 and have no effect.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers

from listenread.errors import ModelError

PADDING = "<pad>"
UNKNOWN = "<unknown>"
END = "<end>"


def train_word_level(captions: Iterable[str], smallest_count: int = 1) -> Tokenizer:
    """Make a word-level tokenizer of all words of a list of captions.

    Texts are lower-cased, accents kept, and split at white space and around punctuation. Padding
    has id 0, the end of a text the largest id, and a word that no caption had is the unknown token.

    Args:
        captions: training captions.
        smallest_count: words that occur less often are unknown.

    Raises:
        ModelError: there are no words.
    """
    normalise = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    split = pre_tokenizers.Whitespace()
    counts: Counter[str] = Counter()
    for caption in captions:
        counts.update(w for w, _ in split.pre_tokenize_str(normalise.normalize_str(caption)))
    words = sorted(word for word, count in counts.items() if count >= smallest_count)
    if not words:
        raise ModelError("no word to make a tokenizer of: the captions are empty.")
    vocabulary = {word: i for i, word in enumerate([PADDING, UNKNOWN, *words, END])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=UNKNOWN))
    tokenizer.normalizer = normalise
    tokenizer.pre_tokenizer = split
    specials = [AddedToken(t, special=True, normalized=False) for t in (PADDING, UNKNOWN, END)]
    tokenizer.add_special_tokens(specials)
    return tokenizer


def load(path: str | Path) -> Tokenizer:
    """Load a ``tokenizer.json``, a word-level one or CLIP's byte-pair encoding.

    Raises:
        ModelError: the file is missing, or is not a tokenizer.
    """
    if not Path(path).is_file():
        raise ModelError(f"{path} is missing: the model has no tokenizer.")
    try:
        tokenizer = Tokenizer.from_file(str(path))
        tokenizer.encode("a sound")  # a vocabulary that lacks its unknown word shows only now
    except Exception as error:  # the library raises a bare Exception
        raise ModelError(f"{path} is not a tokenizer.json ({error}).") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def count(tokenizer: Tokenizer, texts: list[str]) -> list[int]:
    """Count the tokens of each text, its end included, before it is cut."""
    end = tokenizer.get_vocab_size() - 1
    return [1 + sum(i != end for i in encoding.ids) for encoding in tokenizer.encode_batch(texts)]


def encode(tokenizer: Tokenizer, texts: list[str], max_tokens: int) -> np.ndarray:
    """Encode texts as ids that the text tower reads.

    A text that is too long is cut and still ends with the end token; special tokens written out in
    a text are not special (`<end>` in a prompt cannot end it), except those that the tokenizer
    itself adds.

    Returns:
        int64, shape (len(texts), max_tokens): ids, the end token, then zeros.
    """
    end = tokenizer.get_vocab_size() - 1
    ids = np.zeros((len(texts), max_tokens), dtype=np.int64)
    for row, encoding in zip(ids, tokenizer.encode_batch(texts), strict=True):
        inside = [i for i in encoding.ids if i != end][: max_tokens - 1]
        row[: len(inside) + 1] = [*inside, end]
    return ids
