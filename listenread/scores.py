"""Similarities: the cosine of every clip with every class's text, in the joint space."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from listenread.errors import ListenreadError
from listenread.files import tables

#: Columns that come before the classes'.
KEYS = ("clip_id", "label", "variant")


def cosine_similarities(audio: np.ndarray, text: np.ndarray) -> np.ndarray:
    """Cosine of each row of `audio` with each row of `text`.

    Args:
        audio: (n, d) vectors, of any length but zero.
        text: (C, d) vectors, likewise.

    Returns:
        (n, C) float32 in [-1, 1].
    """
    return _normalised(audio) @ _normalised(text).T


def _normalised(vectors: np.ndarray) -> np.ndarray:
    vectors = np.asarray(vectors, dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def score_prompt(audio_path: str | Path, text_path: str | Path, output: str | Path) -> None:
    """Score one prompt: write `clip_id, label`, then one float32 cosine per class.

    A prompt with variants gives a block of all clips for each, told apart by `variant`. Where a
    tower's joint vectors are not there, the table says why. Similarities are computed and written
    so many clips at a time; of all clips, only their vectors are in memory.
    """
    audio = tables.read(audio_path, ["clip_id", "label"], only=("clip_id", "label", "joint"))
    text = tables.read(text_path, ["label"], only=("label", "variant", "joint"))
    why = audio.why_without("joint") or text.why_without("joint")
    if why:
        return tables.write_unavailable(output, why)
    clips = tables.to_numpy(audio.data["joint"])
    keys = audio.data.select(["clip_id", "label"])
    with tables.writing(output, audio=audio.made_by, text=text.made_by) as rows:
        for variant, texts in _variants(text.data):
            classes = tables.to_numpy(texts["joint"])
            names = texts["label"].to_pylist()
            for start in range(0, len(clips), tables.ROW_GROUP):
                block = slice(start, start + tables.ROW_GROUP)
                similarities = cosine_similarities(clips[block], classes)
                scores = dict(zip(names, similarities.T, strict=True))
                rows.add(_block(keys[block], variant, scores))


def _variants(text: pa.Table) -> list[tuple[int | None, pa.Table]]:
    if "variant" not in text.column_names:
        return [(None, text)]
    numbers = text["variant"].to_numpy()
    return [
        (int(number), text.filter(pa.array(numbers == number))) for number in np.unique(numbers)
    ]


def _block(keys: pa.Table, variant: int | None, scores: dict[str, np.ndarray]) -> pa.Table:
    columns = {name: keys[name] for name in keys.column_names}
    if variant is not None:
        columns["variant"] = np.full(len(keys), variant, dtype=np.int16)
    return pa.table(columns | scores)


def read_scores(path: str | Path) -> tuple[np.ndarray, np.ndarray, list[str]] | str:
    """Read a prompt's scores.

    Returns:
        float32 scores of shape (V, n, C), one block per variant; int labels of shape (n,), as
        indices of the classes; and the C classes in vocabulary order. Or, for a table that is empty
        on purpose, why it is.

    Raises:
        ListenreadError: a clip's label is none of the classes.
    """
    with tables.reading(path, ["clip_id", "label"]) as parts:
        if tables.UNAVAILABLE in parts.made_by:
            return parts.made_by[tables.UNAVAILABLE]
        classes = [name for name in parts.column_names if name not in KEYS]
        scores = np.empty((parts.rows, len(classes)), dtype=np.float32)
        names, variants, start = [], set(), 0
        for batch in parts.batches:
            for index, name in enumerate(classes):
                scores[start : start + len(batch), index] = batch[name]
            names += batch["label"].to_pylist()
            if "variant" in parts.column_names:
                variants |= set(batch["variant"].to_pylist())
            start += len(batch)
    blocks = max(len(variants), 1)
    labels = class_indices(names[: len(names) // blocks], classes)
    return scores.reshape(blocks, len(labels), len(classes)), labels, classes


def read_templates(path: str | Path) -> list[str]:
    """Read the templates of a prompt set, in the order of the variants; none for other prompts."""
    return tables.read_facts(path).get("text", {}).get("templates", [])


def class_indices(labels: list[str], classes: list[str]) -> np.ndarray:
    """Turn labels into indices of the vocabulary, int64 of shape (n,).

    Raises:
        ListenreadError: a label is not in the vocabulary.
    """
    index = {name: position for position, name in enumerate(classes)}
    strangers = sorted(set(labels) - set(index))
    if strangers:
        raise ListenreadError(f"label(s) {strangers} are not among the classes {classes}")
    return np.array([index[label] for label in labels], dtype=np.int64)
