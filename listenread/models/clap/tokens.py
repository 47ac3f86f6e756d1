"""RoBERTa's byte-level tokenizer through the tokenizers library, without transformers."""

import json
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

from listenread.errors import ModelError
from listenread.models.clap.sizes import TextSizes

START, PADDING, END = "<s>", "<pad>", "</s>"


def load(path: str | Path, sizes: TextSizes) -> Tokenizer:
    """Load a ``tokenizer.json``; texts are cut to `sizes.max_tokens` and not padded.

    A tokenizer that is far too small is not refused here but by the health gate, which says so in
    the report and lets the other models go on.

    Raises:
        ModelError: the file is missing, is not a tokenizer, or has ids that the text tower lacks.
    """
    if not Path(path).is_file():
        raise ModelError(f"{path} is missing: the model has no tokenizer.")
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises a bare Exception
        raise ModelError(f"{path} is not a tokenizer.json ({error}).") from error
    largest = max(tokenizer.get_vocab().values(), default=-1)
    if largest >= sizes.vocabulary:
        raise ModelError(
            f"{path} has token ids up to {largest}, but the text tower has only "
            f"{sizes.vocabulary} of them: it belongs to another model."
        )
    tokenizer.no_padding()
    tokenizer.enable_truncation(sizes.max_tokens)
    return tokenizer


def check(path: str | Path, sizes: TextSizes, *, complete: bool) -> None:
    """Refuse a tokenizer that cannot be this text tower's.

    Args:
        path: a ``tokenizer.json``.
        sizes: of the text tower.
        complete: every id of the text tower must be the tokenizer's; otherwise only no more.

    Raises:
        ModelError: see `load`; or a text does not begin with ``<s>`` and end with ``</s>``.
    """
    tokenizer = load(path, sizes)
    found = tokenizer.get_vocab_size()
    if complete and found != sizes.vocabulary:
        raise ModelError(
            f"{path} has {found} tokens, but the text tower has {sizes.vocabulary}: take the "
            "tokenizer.json of the model's own pinned revision."
        )
    ids = tokenizer.encode("violin").ids
    start, end = tokenizer.token_to_id(START), tokenizer.token_to_id(END)
    if start is None or end is None or ids[:1] != [start] or ids[-1:] != [end]:
        raise ModelError(
            f"{path} does not put {START} before and {END} after a text ('violin' becomes {ids}): "
            "it is not RoBERTa's tokenizer."
        )
    if tokenizer.token_to_id(PADDING) != sizes.pad_id:
        raise ModelError(
            f"{path}: the id of {PADDING} is {tokenizer.token_to_id(PADDING)}, not {sizes.pad_id}."
        )


def from_vocabulary(vocabulary_path: str | Path, merges_path: str | Path) -> Tokenizer:
    """Build RoBERTa's tokenizer from the older pair of ``vocab.json`` and ``merges.txt``.

    Raises:
        ModelError: a file cannot be read, or lacks ``<s>`` or ``</s>``.
    """
    try:
        vocabulary = json.loads(Path(vocabulary_path).read_text(encoding="utf-8"))
        lines = Path(merges_path).read_text(encoding="utf-8").splitlines()
        merges = [line for line in lines if line and not line.startswith("#version")]
        pairs = [(first, second) for first, second in (line.split(" ") for line in merges)]
        tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=pairs, unk_token="<unk>"))
        ends = (END, vocabulary[END]), (START, vocabulary[START])
    except KeyError as error:
        raise ModelError(f"{vocabulary_path} has no token {error}.") from error
    except Exception as error:  # the library raises a bare Exception
        raise ModelError(
            f"{vocabulary_path} and {merges_path} make no tokenizer ({error})."
        ) from error
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.RobertaProcessing(*ends, add_prefix_space=False)
    tokenizer.add_special_tokens(
        [token for token in (START, PADDING, END, "<unk>") if token in vocabulary]
    )
    return tokenizer
