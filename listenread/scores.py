"""Similarities: the cosine of every clip with every class's text, in the joint space."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from listenread.errors import Unavailable
from listenread.files import tables

#: Columns that come before the classes'.
KEYS = ("clip_id", "variant")


def cosine_similarities(audio: np.ndarray, text: np.ndarray) -> np.ndarray:
    """Cosine of each row of `audio` with each row of `text`.

    Args:
        audio: (n, d) vectors, of any length but zero.
        text: (C, d) vectors, of any length but zero.

    Returns:
        (n, C) float32 in [-1, 1].
    """
    return _normalised(audio) @ _normalised(text).T


def _normalised(vectors: np.ndarray) -> np.ndarray:
    vectors = np.asarray(vectors, dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def score_prompt(audio_path: str | Path, text_path: str | Path, output: str | Path) -> None:
    """Score one prompt: write `clip_id`, then one float32 cosine per class.

    A prompt with variants gives a block of all clips for each, told apart by `variant`. Where a
    tower's joint vectors are not there, the table says why. Similarities are computed and written a
    block of clips at a time; of all clips, only their vectors are in memory.
    """
    audio = tables.read(audio_path, ["clip_id"], only=("clip_id", "joint"))
    text = tables.read(text_path, ["label"], only=("label", "variant", "joint"))
    why = audio.why_without("joint") or text.why_without("joint")
    if why:
        return tables.write_unavailable(output, why)
    clips = tables.to_numpy(audio.data["joint"])  # (n, d)
    keys = audio.data.select(["clip_id"])
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


class Scores(NamedTuple):
    """Similarities of clips and classes by one prompt.

    Attributes:
        clip_ids: of the n clips.
        values: float32, shape (V, n, C), one block for each variant of the prompt.
        classes: the C labels in vocabulary order.
        templates: of a prompt set, in the order of the variants; empty for other prompts.
    """

    clip_ids: list[str]
    values: np.ndarray
    classes: list[str]
    templates: list[str]


def read_scores(path: str | Path) -> Scores:
    """Read a prompt's scores.

    Raises:
        Unavailable: the table is empty on purpose, and why.
    """
    with tables.reading(path, ["clip_id"]) as parts:
        if tables.UNAVAILABLE in parts.made_by:
            raise Unavailable(parts.made_by[tables.UNAVAILABLE])
        classes = [name for name in parts.column_names if name not in KEYS]
        values = np.empty((parts.rows, len(classes)), dtype=np.float32)  # (V * n, C)
        clip_ids: list[str] = []
        variants: set[int] = set()
        start = 0
        for batch in parts.batches:
            for index, name in enumerate(classes):
                values[start : start + len(batch), index] = batch[name]
            clip_ids += batch["clip_id"].to_pylist()
            if "variant" in parts.column_names:
                variants |= set(batch["variant"].to_pylist())
            start += len(batch)
        templates = parts.made_by.get("text", {}).get("templates", [])
    n = len(clip_ids) // max(len(variants), 1)
    return Scores(clip_ids[:n], values.reshape(-1, n, len(classes)), classes, list(templates))
